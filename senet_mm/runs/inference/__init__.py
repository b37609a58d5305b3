"""Detect in pictures and videos that are in no data set."""
