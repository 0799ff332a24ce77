"""Rows of what changes a gradient, or how it is computed, and not a value."""

from __future__ import annotations

import math

import numpy as np

import graphad as ga
from graphad.ir.node import Node
from graphad.ops.control import Checkpointed, Recompute, StopGradient
from tests.rows.sample import FunctionSample, Sample, below, each, normal


def _product(x: Node, w: Node) -> Node:
    return ga.tanh(x) * w


def _rule(cotangent: Node, result: Node, x: Node, w: Node) -> tuple[Node, Node]:
    return cotangent * w * (1.0 - ga.square(ga.tanh(x))), ga.sum(cotangent * ga.tanh(x), axis=0)


OPERATIONS = (
    Sample(StopGradient(), (normal(7, 3),), each(lambda x: x), smooth=False),
    Sample(Checkpointed(0), (normal(7, 3),), each(lambda x: x)),
    Sample(Recompute(), (normal(7, 3),), each(lambda x: x)),
    Sample(Recompute(), (normal(7, 3), below(5, 4)), lambda x, _: [list(row) for row in x]),
)
FUNCTIONS = (
    FunctionSample(
        "custom_gradient",
        ga.custom_gradient(_product, _rule),
        (normal(7, 3), normal(3)),
        lambda x, w: np.vectorize(math.tanh)(x) * w,
    ),
    FunctionSample(
        "checkpoint",
        ga.checkpoint(_product),
        (normal(7, 3), normal(3)),
        lambda x, w: np.vectorize(math.tanh)(x) * w,
    ),
)
