"""What the introductory article teaches, piece by piece: the public functions around a network."""
