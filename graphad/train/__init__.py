"""Training: nets that are ready to be trained, and the loop that trains them."""
