"""The data of a run: where it is, and what is wrong with it."""
