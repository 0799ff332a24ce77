from __future__ import annotations

from collections.abc import Callable

import numpy as np

import graphad as ga
from graphad import Node
from tests.autodiff.differences import values

X, H = ga.input("x", (4, 3)), ga.input("h", (3,))
GIVEN = {X: np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), H: np.array([0.5, -0.25, 2.0], np.float32)}


def last(function: Callable[[Node], Node], reverse: bool = False) -> Node:
    """The last carry of a cell that reads X and starts from H."""

    def cell(carry: Node, x_t: Node) -> tuple[Node, None]:
        return function(carry + x_t), None

    carry: Node = ga.unroll(cell, H, X, reverse=reverse)[0]
    return carry


def assert_computed(*nodes: Node) -> None:
    found = ga.compile(list(GIVEN), nodes)(*GIVEN.values())
    for array, expected in zip(found, values(nodes, GIVEN), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-6)


def test_loops_of_the_same_operands_in_both_directions_are_two() -> None:
    assert_computed(last(ga.tanh), last(ga.tanh, reverse=True))


def test_loops_of_the_same_operands_with_other_bodies_are_two() -> None:
    assert_computed(last(ga.tanh), last(ga.sin))
