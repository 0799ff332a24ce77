"""The oracles of derivatives: central differences of what the reference backend computes, and the values of nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array

STEP = 1e-5
"""The error of a central difference is about STEP squared plus rounding over STEP: 1e-10 for numbers about 1."""


def values(outputs: Sequence[Node], given: Mapping[Node, Array]) -> list[Array]:
    """The values of nodes, by the reference backend, without any rewrite."""
    return evaluate(Graph(tuple(given), tuple(outputs)), list(given.values()))


def value(output: Node, given: Mapping[Node, Array] | None = None) -> Array:
    """The value of one node."""
    return values([output], given or {})[0]


def float32(numbers: Any) -> Array:
    """An array of float32."""
    return np.array(numbers, np.float32)


def central_gradient(function: Callable[[Array], float], x: Array) -> Array:
    """The gradient of a function of a float64 array, element by element."""
    gradient = np.empty_like(x)
    for place in np.ndindex(*x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        gradient[place] = (function(ahead) - function(behind)) / (2 * STEP)
    return gradient


def central_gradient_of(output: Node, x: Node, given: Mapping[Node, Array]) -> Array:
    """The gradient of a 0-d node by one of the inputs."""
    graph = Graph(tuple(given), (output,))
    return central_gradient(lambda array: float(evaluate(graph, [*({**given, x: array}).values()])[0]), given[x])
