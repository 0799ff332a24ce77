from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ops.contraction import Matmul
from graphad.ops.loop import Loop
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.distribute import DISTRIBUTE
from graphad.rewrite.wide import WIDE_PRODUCTS

T, F, H = 40, 3, 5
GENERATOR = np.random.default_rng(0)


def weight(*shape: int, name: str) -> Node:
    return ga.parameter(GENERATOR.standard_normal(shape).astype(np.float32), name=name)


GATES = [(weight(F, H, name=f"W{k}"), weight(H, H, name=f"U{k}"), weight(H, name=f"b{k}")) for k in "ifgo"]


def by_gates(batch: int, steps: int = T) -> tuple[Node, Node, list[Node]]:
    """An LSTM written gate by gate: its input, its loss and its weights."""
    x = ga.input("x", (batch, steps, F))

    def cell(carry: tuple[Node, Node], x_t: Node) -> tuple[tuple[Node, Node], None]:
        h, c = carry
        i, f, g, o = (x_t @ W + h @ U + b for W, U, b in GATES)
        c = ga.sigmoid(f) * c + ga.sigmoid(i) * ga.tanh(g)
        return (ga.sigmoid(o) * ga.tanh(c), c), None

    zero = ga.broadcast_to(0.0, (batch, H))
    (h, _), _ = ga.unroll(cell, (zero, zero), x, axis=1)
    return x, ga.sum(ga.square(h)), [one for gate in GATES for one in gate]


def products(graph: Graph) -> list[int]:
    """How many products each loop does at a step."""
    loops = [node.op for node in graph.nodes if isinstance(node.op, Loop)]
    return [sum(isinstance(node.op, Matmul) for node in loop.body.nodes) for loop in loops]


def folded(x: Node, *outputs: Node) -> Graph:
    return DISTRIBUTE.run(MERGE_EQUAL.run(Graph((x,), outputs)))


@pytest.mark.parametrize(("batch", "forward"), [(1, 1), (2, 4)])
def test_products_of_one_row_with_several_matrices_become_one(batch: int, forward: int) -> None:
    x, loss, weights = by_gates(batch)
    graph = folded(x, loss, *ga.grad(loss, weights))
    after = WIDE_PRODUCTS.run(graph)
    assert products(graph) == [4, 4]
    assert products(after) == [forward, 4]  # backward, each gate's cotangent has a matrix of its own
    assert WIDE_PRODUCTS.run(after) is after
    array = GENERATOR.standard_normal((batch, T, F)).astype(np.float32)
    for found, expected in zip(evaluate(after, [array]), evaluate(graph, [array]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_matrices_of_different_widths_get_their_own_columns() -> None:
    x, U, V = ga.input("x", (T, 1, H)), weight(H, 2, name="U"), weight(H, 7, name="V")

    def cell(h: Node, x_t: Node) -> tuple[Node, tuple[Node, Node]]:
        narrow, broad = h @ U, h @ V
        return ga.tanh(x_t + ga.sum(narrow, axis=1, keepdims=True) * ga.sum(broad, axis=1)), (narrow, broad)

    last, outputs = ga.unroll(cell, ga.broadcast_to(0.5, (1, H)), x)
    graph = folded(x, last, *outputs)
    after = WIDE_PRODUCTS.run(graph)
    assert (products(graph), products(after)) == ([2], [1])
    array = GENERATOR.standard_normal((T, 1, H)).astype(np.float32)
    for found, expected in zip(evaluate(after, [array]), evaluate(graph, [array]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_matrices_are_not_joined_for_a_few_steps() -> None:
    x = ga.input("x", (4, 1, 128))
    matrices = [ga.parameter(np.zeros((128, 128), np.float32), name=name) for name in "UV"]

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        return ga.tanh(h @ matrices[0]) * ga.tanh(h @ matrices[1]) + x_t, None

    last, _ = ga.unroll(cell, ga.broadcast_to(0.5, (1, 128)), x)
    graph = folded(x, last)
    assert products(graph) == [2]
    assert WIDE_PRODUCTS.run(graph) is graph


def test_a_matrix_that_changes_with_the_steps_is_not_joined() -> None:
    x, w = ga.input("x", (T, H, H)), weight(H, H, name="w")

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        return ga.tanh(h @ x_t) * ga.tanh(h @ w), None

    last, _ = ga.unroll(cell, ga.broadcast_to(0.5, (1, H)), x)
    graph = folded(x, last)
    assert products(graph) == [2]
    assert WIDE_PRODUCTS.run(graph) is graph


@pytest.mark.parametrize("batch", [1, 2])
def test_the_report_says_so(batch: int) -> None:
    x, loss, weights = by_gates(batch)
    step = ga.compile([x], [loss, *ga.grad(loss, weights)], verify=True)
    told = [line for line in step.report().time if "joined before the loop" in line]
    assert len(told) == (1 if batch == 1 else 0)
    array = GENERATOR.standard_normal((batch, T, F)).astype(np.float32)
    expected = ga.compile([x], [loss, *ga.grad(loss, weights)], backend="reference")(array)
    for found, plain in zip(step(array), expected, strict=True):
        np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-6)
