"""Small nets that the tests of pictures draw."""

from __future__ import annotations

import numpy as np

import graphad as ga

Net = tuple[ga.Node, list[ga.Node]]
"""A loss and its parameters."""


def rnn(steps: int) -> Net:
    """A tanh net over time: batch, ``steps``, 6 inputs; 5 hidden values called h; a squared loss on the last."""
    x = ga.input("x", shape=("batch", steps, 6))
    U, W = ga.parameter(np.ones((6, 5), "float32"), "U"), ga.parameter(np.ones((5, 5), "float32"), "W")
    b = ga.parameter(np.ones(5, "float32"), "b")

    def cell(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, ga.Node]:
        h = ga.tanh(x_t @ U + h @ W + b).named("h")
        return h, h

    h, _ = ga.unroll(cell, ga.broadcast_to(0.0, ("batch", 5)), x, axis=1)
    return ga.sum(h * h).named("loss"), [U, W, b]


def dense() -> Net:
    """One layer on batch rows of 4: relu(x @ W + b), summed."""
    x = ga.input("x", shape=("batch", 4))
    W, b = ga.parameter(np.ones((4, 3), "float32"), "W"), ga.parameter(np.ones(3, "float32"), "b")
    return ga.sum(ga.relu(x @ W + b).named("h")).named("loss"), [W, b]
