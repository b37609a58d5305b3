"""A training that can be killed and resumed, and that stops where it cannot go on."""
