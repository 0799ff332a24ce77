from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.function import Function
from graphad.compiler.recomputation import _point_of_peak, recomputed
from graphad.ir import cut
from graphad.ir.node import labels
from graphad.rewrite.recompute import RECOMPUTE
from graphad.schedule import tiles
from graphad.schedule.program import Program, schedule
from tests.schedule.lifetimes import lost_values

ELEMENTS = 100
plan = partial(schedule, parameters=())
X = ga.input("x", shape=(ELEMENTS,))


def chain(length: int) -> Program:
    """The gradient of sines of sines, whose cosines are computed from the values that the chain goes through."""
    h = X
    for _ in range(length):
        h = ga.sin(h)
    return plan(Graph((X,), (ga.grad(ga.sum(h), X),)))


def test_a_chain_of_n_values_is_computed_from_about_the_root_of_n_with_less_than_one_more_forward_pass() -> None:
    program = chain(100)
    assert program.memory.arena_bytes > 100 * 4 * ELEMENTS
    budget = 26 * 4 * ELEMENTS
    (first, *_) = recomputed(program, plan, budget)
    assert first.memory.arena_bytes <= budget
    again = [node for node in first.statements if node.origin.made_by == RECOMPUTE]
    assert len(again) < 100


def test_values_are_computed_again_between_the_statements_that_read_them_and_not_all_at_once() -> None:
    (first, *_) = recomputed(chain(100), plan, 26 * 4 * ELEMENTS)
    is_again = [node.origin.made_by == RECOMPUTE for node in first.statements]
    begins = [number for number, pair in enumerate(pairwise(is_again)) if pair == (False, True)]
    assert len(begins) > 2


def test_products_are_left_to_the_higher_prices() -> None:
    numbers = np.random.default_rng(0)
    h: Node = ga.input("x", shape=(30, 8))
    weights = [ga.parameter(numbers.normal(0, 0.3, (8, 8)).astype(np.float32)) for _ in range(12)]
    x = h
    for w in weights:
        h = ga.tanh(h @ w)
    program = plan(Graph((x,), (ga.sum(h), ga.grad(ga.sum(h), x))))
    cheap, middle, dear = recomputed(program, plan, 1)
    assert cheap is program
    assert min(middle.memory.arena_bytes, dear.memory.arena_bytes) < 0.6 * program.memory.arena_bytes
    assert "matmul" in {node.op.name for node in dear.statements if node.origin.made_by == RECOMPUTE}


def test_a_larger_budget_asks_for_less_work() -> None:
    program = chain(40)
    whole = program.memory.arena_bytes
    flops = [next(recomputed(program, plan, budget)).flops for budget in (whole // 3, whole // 2, 9 * whole // 10)]
    assert flops == sorted(flops, reverse=True)
    assert flops[0] > flops[-1] > program.flops


def test_where_nothing_can_be_computed_again_the_program_stays() -> None:
    program = plan(Graph((X,), (ga.sin(X), ga.cos(X))))
    assert all(one is program for one in recomputed(program, plan, 1))
    empty = plan(Graph((X,), ()))
    assert all(one is empty for one in recomputed(empty, plan, 1))


def test_the_most_can_be_alive_before_the_first_statement() -> None:
    program = plan(Graph((X,), (ga.sin(X.reshape((4, 25))),)))
    assert program.memory.peak == -1
    assert all(one is program for one in recomputed(program, plan, 1))


def test_no_point_lies_between_values_of_one_rank() -> None:
    """What is computed again for the second could come before the first."""
    with labels() as label:
        label.rank = 0  # and so that of what they read
        h = ga.exp(ga.cos(ga.sin(X)))
    program = plan(Graph((X,), (ga.sum(h),)))
    point = _point_of_peak(replace(program, memory=replace(program.memory, peak=0)))
    assert point is not None
    assert program.statements[point.number] is h


def recurrence() -> tuple[Node, list[Node]]:
    """A net over forty steps with a read-out at each: its input, its loss and gradients."""
    numbers = np.random.default_rng(0)
    u, w, v, q = (ga.parameter(numbers.normal(0, 0.5, shape)) for shape in ((3, 5), (5, 5), (5, 4), (4, 6)))
    x = ga.input("x", (7, 40, 3), "float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(x_t @ u + h @ w)
        return h, ga.tanh(ga.sin(ga.cos(ga.sin(h @ v))) @ q)

    _, read = ga.unroll(cell, ga.constant(np.full((7, 5), 0.1)), x, axis=1)
    loss = ga.sum(ga.square(read))
    return x, [loss, *ga.grad(loss, [u, w, v, q])]


def program_of(step: Function) -> Program:
    executable = step.specialise().executable
    assert isinstance(executable, NumpyExecutable)
    return executable.program


@pytest.fixture
def _short_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops are run in tiles of four steps."""
    monkeypatch.setattr(cut, "CACHE_BYTES", 0)
    monkeypatch.setattr(tiles, "TILE_BYTES", 0)


@pytest.mark.usefixtures("_short_tiles")
def test_no_point_lies_within_a_tiling() -> None:
    x, outputs = recurrence()
    program = program_of(ga.compile(x, outputs))
    assert len(program.tilings) == 2
    for tiling in program.tilings.values():
        number = next(i for i, node in enumerate(program.statements) if node is tiling.loop)
        point = _point_of_peak(replace(program, memory=replace(program.memory, peak=number)))
        last = max(i for i, node in enumerate(program.statements) if node in set(tiling.statements))
        assert point is None or point.number >= last


@pytest.mark.usefixtures("_short_tiles")
def test_work_around_loops_that_run_tile_by_tile_is_done_again_too() -> None:
    x, outputs = recurrence()
    free = ga.compile(x, outputs)
    assert program_of(free).tilings
    tight = ga.compile(x, outputs, memory=int(0.9 * free.report().arena_bytes), verify=True)
    assert lost_values(program_of(tight)) == []
    given = np.random.default_rng(1).normal(size=(7, 40, 3))
    for found, expected in zip(tight(given), free(given), strict=True):
        np.testing.assert_array_equal(found, expected)
