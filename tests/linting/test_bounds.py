"""Intervals hold what is computed, for every operation of the table; and are tight where rules need them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.linting.bounds import Interval, bounds
from tests.rows.sample import Row, inputs_for
from tests.samples import ROWS

x = ga.input("x", shape=("batch", 3))
flags = ga.input("flags", shape=("batch", 3), dtype="bool")


def bounds_of(node: Node) -> Interval:
    return bounds(Graph((), (node,)).nodes)[node]


def operand_variants(row: Row) -> list[list[Node]]:
    """The row's operands as they are, and squared or through exp, so that more is known of them."""
    inputs = inputs_for(row.arrays(seed=1))
    floats = [node.type.is_float for node in inputs]
    squared = [ga.square(node) if is_float else node for node, is_float in zip(inputs, floats, strict=True)]
    positive = [ga.exp(node) if is_float else node for node, is_float in zip(inputs, floats, strict=True)]
    return [inputs, squared, positive] if any(floats) and not row.fixed else [inputs]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_the_values_of_every_row_lie_within_their_bounds(row: Row) -> None:
    arrays = [np.nan_to_num(array, posinf=7.0, neginf=-7.0) for array in row.arrays(seed=1)]
    for operands in operand_variants(row):
        inputs = [node if not node.operands else node.operands[0] for node in operands]
        graph = Graph(tuple(inputs), (row.build(*operands),))
        for node, interval in bounds(graph.nodes).items():
            value = evaluate(Graph(tuple(inputs), (node,)), arrays)[0]
            known = value[~np.isnan(value)] if value.dtype.kind == "f" else value
            rounding = 1e-9 * (1 + np.abs(known).max(initial=0.0, where=np.isfinite(known)))
            assert known.size == 0 or interval.low <= known.min() + rounding, (node, interval)
            assert known.size == 0 or known.max() - rounding <= interval.high, (node, interval)
            assert not interval.nonzero or known.all(), (node, interval)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (x * x, Interval(0.0, math.inf)),
        (-x * x, Interval(-math.inf, 0.0)),
        (ga.sum(x * x, axis=1) + 0.5, Interval(0.5, math.inf, nonzero=True)),
        (ga.exp(x), Interval(0.0, math.inf, nonzero=True)),
        (1.0 + ga.exp(x), Interval(1.0, math.inf, nonzero=True)),
        (x - ga.max(x, axis=1, keepdims=True), Interval(-math.inf, 0.0)),
        (ga.exp(x - ga.max(x, axis=1, keepdims=True)), Interval(0.0, 1.0, nonzero=True)),
        (ga.softmax(x), Interval(0.0, 1.0, nonzero=True)),
        (ga.clip(x, -2.0, 3.0), Interval(-2.0, 3.0)),
        (ga.maximum(x, 0.25), Interval(0.25, math.inf, nonzero=True)),
        (ga.sum(flags), Interval(0.0, math.inf)),
        (ga.where(flags, 2.0, 0.5), Interval(0.5, 2.0, nonzero=True)),
        (ga.where(x > 0, x, 1.0), Interval(0.0, math.inf, nonzero=True)),
        (ga.where(x > 0, 0.0, x), Interval(-math.inf, 0.0)),
        (ga.where(x >= 1.0, x, 7.0), Interval(1.0, math.inf, nonzero=True)),
        (ga.where(ga.logical_not(x >= 2.0), x, 1.0), Interval(-math.inf, 2.0)),
        (ga.where(ga.absolute(x) == 0, 1.0, ga.absolute(x)), Interval(0.0, math.inf)),
        (ga.tanh(x) / 4.0, Interval(-0.25, 0.25)),
        (x, Interval()),
    ],
)
def test_bounds_are_as_tight_as_rules_need_them(node: Node, expected: Interval) -> None:
    assert bounds_of(node) == expected


def test_a_test_of_the_very_node_excludes_zero() -> None:
    size = ga.absolute(x)
    assert bounds_of(ga.where(size == 0, 1.0, size)) == Interval(0.0, math.inf, nonzero=True)
    assert bounds_of(ga.where(size != 0, size, 1.0)) == Interval(0.0, math.inf, nonzero=True)
    assert bounds_of(ga.where(size != 0, 1.0, size)) == Interval(0.0, 1.0)
