"""What a network is and how its numbers lie in memory: description, layout, parameters."""
