"""Time: from a step function to labelled copies of it."""
