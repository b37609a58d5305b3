"""A comparison as tables, plots, pictures and a page."""
