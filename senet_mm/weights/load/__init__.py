"""Weights put into a net, and a report of what went where."""
