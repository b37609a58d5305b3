"""Configs, data files and checks behind the command lines."""
