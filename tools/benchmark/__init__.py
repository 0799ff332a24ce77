"""Training steps of graphad and its peers, side by side."""
