from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.opposites import OPPOSITES

X = ga.input("x", (5,))
LARGE = np.array([10, 14, 15, 16.5, 30], np.float32)


def rewritten(*outputs: Node) -> Graph:
    graph = MERGE_EQUAL.run(Graph((X,), outputs))
    found = OPPOSITES.run(graph)
    assert OPPOSITES.run(found) is found
    return found


def test_what_is_divided_by_keeps_its_digits() -> None:
    found = rewritten(ga.square(X) / (1.0 - ga.sigmoid(X)))
    expected = LARGE.astype(float) ** 2 * (1 + np.exp(LARGE.astype(float)))
    np.testing.assert_allclose(evaluate(found, [LARGE])[0], expected, rtol=1e-6)


@pytest.mark.parametrize("build", [lambda q: q / q, lambda q: (2.0 * q) / q - 1.0, lambda q: ga.square(q / q)])
def test_what_is_divided_by_itself_stays_one(build: Callable[[Node], Node]) -> None:
    value = build(1.0 - ga.sigmoid(X))
    step = ga.compile([X], [value, *ga.grad(ga.sum(value), [X])])
    found, gradient = step(LARGE)
    np.testing.assert_allclose(found, np.ones(5), rtol=1e-6)
    np.testing.assert_allclose(gradient, np.zeros(5), atol=1e-5)


def test_what_is_only_multiplied_stays_as_it_is() -> None:
    s = ga.sigmoid(X)
    graph = Graph((X,), (s * (1.0 - s),))
    assert OPPOSITES.run(graph) is graph


def test_it_is_found_through_views_and_in_loops() -> None:
    steps = ga.input("steps", (4, 5))
    q = 1.0 - ga.sigmoid(X)
    assert "subtract" not in {node.op.name for node in rewritten(steps / ga.broadcast_to(q, (4, 5))[1:][0]).nodes}
    h, _ = ga.unroll(lambda h, x: (ga.tanh(h / (1.0 - ga.sigmoid(h + x))), None), ga.zeros_like(steps[0]), steps)
    given = np.full((4, 5), 30, np.float32)
    np.testing.assert_array_equal(np.isfinite(ga.compile([steps], h)(given)), True)
