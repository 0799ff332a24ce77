"""Update rules: from a loss and its parameters to the graph of the parameters' new values."""

from graphad.optim.rules import SGD, Adam

__all__ = ["SGD", "Adam"]
