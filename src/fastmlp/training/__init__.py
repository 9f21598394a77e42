"""How a network learns: the loop over epochs, its updates, when it stops, what it records."""
