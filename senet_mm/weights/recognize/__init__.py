"""Whose weights these are, what they are called here, and what net they need."""
