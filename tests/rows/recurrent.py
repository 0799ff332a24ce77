"""Rows of what repeats over time."""

from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.rows.sample import FunctionSample, normal


def _unrolled(h: Node, w: Node, xs: Node) -> Node:
    def cell(before: Node, x_t: Node) -> tuple[Node, Node]:
        after = ga.tanh(before * w + x_t)
        return after, after * x_t

    _, outputs = ga.unroll(cell, init=h, xs=xs, axis=1)
    result: Node = outputs
    return result


def _walked(h: Array, w: Array, xs: Array) -> Array:
    outputs = []
    for t in range(xs.shape[1]):
        h = np.tanh(h * w + xs[:, t])
        outputs.append(h * xs[:, t])
    return np.stack(outputs, axis=1)


FUNCTIONS = (FunctionSample("unroll", _unrolled, (normal(7, 2), normal(2), normal(7, 4, 2)), _walked),)
