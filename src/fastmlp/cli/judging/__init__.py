"""How good a model is on rows whose target is known: figures, and which columns matter."""
