"""How we know that the numbers are right; see README.md beside this file."""
