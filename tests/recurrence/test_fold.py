"""Folding finds the cell in its copies, and folding back out gives the same graph."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad.ir.graph import Graph
from graphad.ir.node import apply
from graphad.ops.control import Recompute
from graphad.recurrence.fold import Delayed, FoldedGraph, Series
from graphad.rewrite.cse import MERGE_EQUAL


def rnn(steps: int, **options: object) -> Graph:
    """A tanh RNN with a loss at the last step, and its gradient."""
    random = np.random.default_rng(0)
    x, y = ga.input("x", shape=(3, steps, 4)), ga.input("y", shape=(3,), dtype="int64")
    U, W, V = (ga.parameter(random.normal(size=s), name=n) for n, s in (("U", (4, 5)), ("W", (5, 5)), ("V", (5, 2))))

    def cell(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, ga.Node]:
        h = ga.tanh(x_t @ U + h @ W).named("h")
        return h, h

    h, _ = ga.unroll(cell, np.zeros((3, 5)), x, axis=1, **options)  # type: ignore[arg-type]
    loss = ga.mean(ga.softmax_cross_entropy(h @ V, y))
    return MERGE_EQUAL.run(Graph((x, y), (loss, *ga.grad(loss, [U, W, V]))))


def series_of(folded: FoldedGraph, name: str) -> Series:
    (found,) = [series for series in folded.series if series.nodes[0].label == name]
    return found


def test_the_state_reads_itself_one_step_back_and_the_initial_state_beyond_its_first_step() -> None:
    folded = ga.fold(rnn(6))
    (recurrent,) = [
        s
        for s in folded.series
        if {Delayed(series_of(folded, "h").key, -1)}.intersection(s.references) and s.nodes[0].op.name == "matmul"
    ]
    assert (recurrent.first, recurrent.last) == (0, 5)
    assert list(recurrent.boundary) == [(0, 0)]


def test_the_cotangent_reads_itself_one_step_on() -> None:
    folded = ga.fold(rnn(6))
    delays = {r.delay for s in folded.series for r in s.references if isinstance(r, Delayed)}
    assert delays == {-1, 0, 1}


@pytest.mark.parametrize(
    "declare",
    [
        lambda: rnn(6),
        lambda: rnn(2),
        lambda: rnn(9, truncate=4),
        lambda: rnn(5, reverse=True),
        lambda: rnn(7, lengths=[3, 7, 1]),
    ],
    ids=["plain", "two steps", "truncated", "reversed", "lengths"],
)
def test_unfolding_gives_the_same_graph(declare: Callable[[], Graph]) -> None:
    graph = declare()
    folded = ga.fold(graph)
    assert folded.series
    assert str(folded.unfold()) == str(graph)


def test_the_folded_form_is_as_long_for_100_steps_as_for_10() -> None:
    assert len(str(ga.fold(rnn(100))).splitlines()) == len(str(ga.fold(rnn(10))).splitlines())


def test_the_text_says_what_a_step_reads() -> None:
    text = str(ga.fold(rnn(6)))
    assert "h[t] = tanh(" in text
    assert "matmul(h[t-1], W) for t in 0..5" in text


def test_a_graph_without_time_has_no_series() -> None:
    x = ga.input("x", shape=(3,))
    graph = Graph((x,), (ga.tanh(x) * 2,))
    folded = ga.fold(graph)
    assert folded.series == ()
    assert str(folded.unfold()) == str(graph)


def test_copies_that_read_more_than_their_neighbours_are_in_no_series_with_them() -> None:
    x, h0 = ga.input("x", shape=(6, 3)), ga.input("h0", shape=(3,))
    step = itertools.count()

    def cell(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, ga.Node]:
        read = (x_t,) if next(step) in (0, 5) else (x_t, h)
        return h + apply(Recompute(), *read), h

    graph = Graph((x, h0), ga.unroll(cell, h0, x))
    folded = ga.fold(graph)
    assert [len(series.nodes) for series in folded.series if series.nodes[0].label == "recompute"] == [4]
    assert str(folded.unfold()) == str(graph)
