"""Checkpoints from files and names, read without running what is in them."""
