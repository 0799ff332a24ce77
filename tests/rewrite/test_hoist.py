from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.arithmetic import Add
from graphad.ops.loop import Loop
from graphad.rewrite.distribute import DISTRIBUTE
from graphad.rewrite.hoist import SUM_BEFORE_LOOPS
from tests.autodiff.differences import float32

B, T, H = 2, 5, 3
X = ga.input("x", (B, T, H))
W = ga.parameter(np.random.default_rng(0).standard_normal((H, H)).astype(np.float32), name="W")
b = ga.parameter(float32([1.0, 2.0, 3.0]), name="b")


def looped(total: ga.Node) -> Graph:
    return DISTRIBUTE.run(Graph((X,), (total,)))


def cell_of(terms: str) -> Graph:
    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        sums = {
            "x + hW + b": lambda: x_t + h @ W + b,
            "hW + (b + x)": lambda: h @ W + (b + x_t),
            "(x + b) + (hW + x)": lambda: (x_t + b) + (h @ W + x_t),
            "hW + x": lambda: h @ W + x_t,
        }
        after = ga.tanh(sums[terms]())
        return after, after

    h_T, _ = ga.unroll(cell, init=ga.broadcast_to(0.0, (B, H)), xs=X, axis=1)
    return looped(h_T)


def additions(graph: Graph) -> int:
    (loop,) = [node.op for node in graph.nodes if isinstance(node.op, Loop)]
    return sum(isinstance(node.op, Add) for node in loop.body.nodes)


def test_terms_that_do_not_wait_for_the_past_are_added_before_the_loop() -> None:
    array = np.random.default_rng(1).standard_normal((B, T, H)).astype(np.float32)
    for terms, before in [("x + hW + b", 2), ("(x + b) + (hW + x)", 2)]:
        graph = cell_of(terms)
        after = SUM_BEFORE_LOOPS.run(graph)
        assert (additions(graph), additions(after)) == (before, 1)
        np.testing.assert_allclose(evaluate(after, [array])[0], evaluate(graph, [array])[0], rtol=1e-6)


def test_a_sum_with_one_such_term_stays_as_it_is() -> None:
    for terms in ("hW + x", "hW + (b + x)"):
        graph = cell_of(terms)
        assert additions(graph) == 1
        assert SUM_BEFORE_LOOPS.run(graph) is graph


def test_a_partial_sum_that_is_recorded_is_not_taken_apart() -> None:
    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        inner = x_t + h @ W
        return ga.tanh(inner + b), inner

    _, inner = ga.unroll(cell, init=ga.broadcast_to(0.0, (B, H)), xs=X, axis=1)
    graph = looped(inner)
    assert SUM_BEFORE_LOOPS.run(graph) is graph
