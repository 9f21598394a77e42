"""Tables in files: what they are, what their cells are, and files that are written."""
