"""Every line of the documentation that can be tried is tried."""
