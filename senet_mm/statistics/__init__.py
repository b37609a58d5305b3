"""What chance can do: intervals, p-values and power, as functions of arrays."""
