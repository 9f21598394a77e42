"""A page about a model: one file that needs nothing else, light and dark."""
