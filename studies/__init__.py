"""How we know that the numbers are right: simulations and benchmarks of the statistics."""
