"""Checking gradients: against central differences, down to the operation that is to blame."""
