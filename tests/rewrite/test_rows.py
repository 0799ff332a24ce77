from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.arithmetic import Multiply, Square
from graphad.rewrite.rows import SLICE_FIRST

X = ga.input("x", (5, 3), "float64")
ARRAY = np.random.default_rng(0).standard_normal((5, 3))


def check(*outputs: Node, x: Node = X, array: Array = ARRAY) -> Graph:
    graph = Graph((x,), outputs)
    after = SLICE_FIRST.run(graph)
    for found, expected in zip(evaluate(after, [array]), evaluate(graph, [array]), strict=True):
        np.testing.assert_array_equal(found, expected)
    return after


def squares(graph: Graph) -> list[tuple[int | ga.Dim, ...]]:
    return sorted(node.shape for node in graph.nodes if isinstance(node.op, Square))


def test_elementwise_work_that_is_read_in_parts_is_done_part_by_part() -> None:
    h = 1.0 - ga.square(X)
    assert squares(check(h[:3] * 2.0, h[4])) == [(3,), (3, 3)]


def test_parts_that_are_all_of_it_are_done_apart_only_if_they_are_large() -> None:
    h = ga.square(X)
    assert squares(check(h[:4] * 2.0, h[4])) == [(5, 3)]
    large = ga.input("large", (300, 2100))
    h = ga.square(large)
    array = np.ones((300, 2100), np.float32)
    assert squares(check(h[:299] * 2.0, h[299], x=large, array=array)) == [(299, 2100), (2100,)]


def test_what_is_read_whole_or_more_often_than_once_stays_whole() -> None:
    h = ga.square(X)
    for outputs in ([h[:4], h], [h[:4], ga.sum(h)], [h[:4], h[1:]], [h.T, h[4]]):
        assert squares(check(*outputs)) == [(5, 3)]


def test_other_axes_are_not_parts() -> None:
    h = ga.square(X)
    assert squares(check(h[:, 1])) == [(5, 3)]
    assert squares(check(h[2, 1:])) == [(5, 3)]


def test_what_is_the_same_in_all_rows_or_varies_along_them_is_cut_with_them() -> None:
    row, column = ga.constant(np.arange(3.0)), ga.constant(np.arange(5.0).reshape(5, 1))
    one, number = ga.constant(np.ones((1, 3))), ga.constant(np.float64(3.0))
    for other in (row, column, one, number):
        h = ga.square(X * other)
        after = check(h[1:3], h[4])
        assert sorted(node.shape for node in after.nodes if isinstance(node.op, Multiply)) == [(2, 3), (3,)]


def test_a_chain_of_ten_thousand_is_no_matter_of_recursion() -> None:
    h = X
    for _ in range(10_000):
        h = h + 1.0
    assert len(check(h[0]).nodes) > 10_000
