import itertools
from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.distribute import DISTRIBUTE


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("states", [2, 3, 4])
def test_templates_whose_first_copies_are_one_node_are_still_distributed(states: int, reverse: bool) -> None:
    """Of a line of delays all states begin with 0, so their first copies are merged, and one series reads its own."""
    x, w = ga.input("x", shape=(5, 2, 3)), ga.parameter(np.eye(3, dtype=np.float32) * 0.5)
    zero, shift = ga.constant(np.zeros((2, 3), np.float32)), ga.constant(np.full((2, 3), 0.25, np.float32))

    def cell(line: tuple[Node, ...], x_t: Node) -> tuple[tuple[Node, ...], Node]:
        line = (*(state + shift for state in line[1:]), ga.tanh(line[-1] @ w + x_t))
        return line, ga.sum(line[0], axis=1)

    last, outputs = ga.unroll(cell, (zero,) * states, x, reverse=reverse)
    loss = ga.sum(ga.square(outputs)) + ga.sum(last[-1])
    graph = Graph((x,), (loss, outputs, *last, *ga.grad(loss, [w, x])))
    found = DISTRIBUTE.run(MERGE_EQUAL.run(graph))
    array = np.linspace(-1, 1, 30, dtype=np.float32).reshape(5, 2, 3)
    for a, b in zip(evaluate(found, [array]), evaluate(graph, [array]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_that_reads_one_of_its_own_copies_in_the_place_of_anothers_runs_step_by_step(reverse: bool) -> None:
    """`b` and `d` begin alike, so the first copy of `d` is that of `b`: `a`, which reads both, waits for it twice."""
    x, w = ga.input("x", shape=(5, 2, 3)), ga.parameter(np.eye(3, dtype=np.float32) * 0.5)
    zero, shift = ga.constant(np.zeros((2, 3), np.float32)), ga.constant(np.full((2, 3), 0.25, np.float32))

    def cell(carry: tuple[Node, ...], x_t: Node) -> tuple[tuple[Node, ...], Node]:
        a, b, d, e = carry
        carry = (ga.tanh(b @ w + d), a + shift, e + shift, ga.tanh(x_t))
        return carry, carry[0]

    last, outputs = ga.unroll(cell, (zero,) * 4, x, reverse=reverse)
    loss = ga.sum(ga.square(outputs))
    graph = Graph((x,), (loss, *last, *ga.grad(loss, [w, x])))
    found = DISTRIBUTE.run(MERGE_EQUAL.run(graph))
    array = np.linspace(-1, 1, 30, dtype=np.float32).reshape(5, 2, 3)
    for one, other in zip(evaluate(found, [array]), evaluate(graph, [array]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_carry_that_is_read_at_another_place_at_each_step_is_right() -> None:
    """The slice moves with the step, so the body of a loop could not hold it."""
    steps = itertools.count()
    x = ga.input("x", shape=(3, 5))

    def cell(memory: ga.Node, _: None) -> tuple[ga.Node, ga.Node]:
        here = memory[:, next(steps)]
        return ga.tanh(memory + ga.expand_dims(here, 1)), here

    memory, read = ga.unroll(cell, x, steps=5)
    outputs = [memory, read, ga.grad(ga.sum(memory), x)]
    given = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    found = ga.compile([x], outputs)(given)
    expected = ga.compile([x], outputs, backend="reference")(given)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("asked", [[4], [4, 2], [0, 1, 4], [3], [4, 4]])
def test_partial_sums_that_the_caller_asks_for_are_kept(asked: list[int]) -> None:
    """A sum along the steps becomes one sum only if nobody reads it on the way; the caller is somebody."""
    x = ga.input("x", shape=(5, 3))
    sums: list[ga.Node] = []

    def cell(total: ga.Node, x_t: ga.Node) -> tuple[ga.Node, None]:
        sums.append(total + ga.tanh(x_t))
        return sums[-1], None

    ga.unroll(cell, np.zeros(3, "float32"), x)
    given = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    expected = np.cumsum(np.tanh(given), axis=0)
    found = ga.compile([x], [sums[step] for step in asked])(given)
    for step, value in zip(asked, found, strict=True):
        np.testing.assert_allclose(value, expected[step], rtol=1e-5)


def test_a_net_with_an_output_at_every_step_is_folded_backward_too() -> None:
    """Stacked outputs give each step a slice of their cotangent; it belongs to the step, though the stack has none."""

    def statements(steps: int) -> int:
        x, W = ga.input("x", shape=(2, steps, 3)), ga.parameter(np.eye(3, dtype=np.float32), name="W")

        def cell(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, ga.Node]:
            h = ga.tanh(x_t + h @ W)
            return h, h

        _, hs = ga.unroll(cell, np.zeros((2, 3), "float32"), x, axis=1)
        loss = ga.mean(ga.square(hs))
        return ga.compile([x], [loss, ga.grad(loss, W)]).report().statements

    assert statements(60) == statements(6)


@pytest.mark.parametrize("move", [lambda t: (3 - t, 1, t), lambda t: (t, 1, t), lambda t: (1, t, 3 - t)])
def test_an_element_that_moves_along_two_axes_is_no_axis(move: Callable[[int], tuple[int, int, int]]) -> None:
    x = ga.input("x", shape=(4, 5, 6))
    step = itertools.count()

    def cell(total: Node, _: None) -> tuple[Node, Node]:
        taken = x[move(next(step))]
        return total + taken, taken

    _, taken = ga.unroll(cell, ga.constant(0.0), steps=4)
    array = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
    np.testing.assert_array_equal(ga.compile([x], taken)(array), [array[move(t)] for t in range(4)])
