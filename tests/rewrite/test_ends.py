import numpy as np
import pytest

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.ends import ENDS_OF_STACKS
from graphad.rewrite.pipeline import PIPELINE

X = ga.input("x", (2, 6, 3))
W = ga.parameter(np.linspace(-1, 1, 9).reshape(3, 3).astype(np.float32), name="W")
ARRAY = np.random.default_rng(0).standard_normal((2, 6, 3)).astype(np.float32)


def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
    h = ga.tanh(x_t + h @ W)
    return h, h


def states(reverse: bool) -> tuple[Node, Node]:
    """The last state, and all of them, stacked along axis 1."""
    last, found = ga.unroll(cell, ga.broadcast_to(0.0, (2, 3)), X, axis=1, reverse=reverse)
    return last, found


def with_gradient(state: Node) -> Graph:
    loss = ga.sum(ga.sin(state))
    return Graph((X,), (loss, ga.grad(loss, W)))


def names(graph: Graph) -> list[str]:
    for one in PIPELINE:
        graph = one.run(graph)
    return sorted(node.op.name for node in graph.nodes)


def check(graph: Graph) -> Graph:
    """What the pass makes of the graph, and the same values."""
    after = ENDS_OF_STACKS.run(MERGE_EQUAL.run(graph))
    for found, expected in zip(evaluate(after, [ARRAY]), evaluate(graph, [ARRAY]), strict=True):
        np.testing.assert_array_equal(found, expected)
    return after


@pytest.mark.parametrize("reverse", [False, True])
def test_the_end_of_the_stacked_states_is_the_last_state(reverse: bool) -> None:
    last, stacked = states(reverse)
    end = with_gradient(stacked[:, 0 if reverse else -1])
    check(end)
    assert names(end) == names(with_gradient(last))
    assert "assemble" not in names(end)


def test_a_place_in_the_middle_keeps_its_recurrence_in_one_loop() -> None:
    _, stacked = states(reverse=False)
    middle = with_gradient(stacked[:, 3])
    assert any(node.op.name == "assemble" for node in check(middle).nodes)
    assert names(middle).count("loop") == 2


def test_two_ends_keep_theirs() -> None:
    _, stacked = states(reverse=False)
    check(with_gradient(stacked[:, 0] + stacked[:, -1]))


def test_parts_of_an_end_are_read_from_the_stack() -> None:
    _, stacked = states(reverse=False)
    check(with_gradient(stacked[:, -1, 1:]))
    check(with_gradient(stacked[:, -2:]))
