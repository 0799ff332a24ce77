from itertools import pairwise

import numpy as np

import graphad as ga
from graphad import Graph, Node
from graphad.compiler.recomputation import recomputed
from graphad.ir.node import same
from graphad.rewrite.recompute import RECOMPUTE
from graphad.schedule.program import Program, schedule

ELEMENTS = 100
X = ga.input("x", shape=(ELEMENTS,))


def chain(length: int) -> Program:
    """The gradient of sines of sines, whose cosines are computed from the values that the chain goes through."""
    h = X
    for _ in range(length):
        h = ga.sin(h)
    return schedule(Graph((X,), (ga.grad(ga.sum(h), X),)), ())


def arenas(program: Program, budget: int) -> list[int]:
    return [one.memory.arena_bytes for one in recomputed(program, (), budget)]


def test_a_chain_of_n_values_is_computed_from_about_the_root_of_n_with_less_than_one_more_forward_pass() -> None:
    program = chain(100)
    assert program.memory.arena_bytes > 100 * 4 * ELEMENTS
    budget = 26 * 4 * ELEMENTS
    (first, *_) = recomputed(program, (), budget)
    assert first.memory.arena_bytes <= budget
    again = [node for node in first.statements if node.origin.made_by == RECOMPUTE]
    assert len(again) < 100


def test_values_are_computed_again_between_the_statements_that_read_them_and_not_all_at_once() -> None:
    (first, *_) = recomputed(chain(100), (), 26 * 4 * ELEMENTS)
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
    program = schedule(Graph((x,), (ga.sum(h), ga.grad(ga.sum(h), x))), ())
    cheap, middle, dear = recomputed(program, (), 1)
    assert cheap is program
    assert min(middle.memory.arena_bytes, dear.memory.arena_bytes) < 0.6 * program.memory.arena_bytes
    assert "matmul" in {node.op.name for node in dear.statements if node.origin.made_by == RECOMPUTE}


def test_a_larger_budget_asks_for_less_work() -> None:
    program = chain(40)
    whole = program.memory.arena_bytes
    flops = [next(recomputed(program, (), budget)).flops for budget in (whole // 3, whole // 2, 9 * whole // 10)]
    assert flops == sorted(flops, reverse=True)
    assert flops[0] > flops[-1] > program.flops


def test_where_nothing_can_be_computed_again_the_program_stays() -> None:
    program = schedule(Graph((X,), (ga.sin(X), ga.cos(X))), ())
    assert all(one is program for one in recomputed(program, (), 1))
    empty = schedule(Graph((X,), ()), ())
    assert all(one is empty for one in recomputed(empty, (), 1))


def test_staged_inputs_alone_can_be_the_peak() -> None:
    program = schedule(Graph((X,), (ga.sum(X[::-1]),)), ())
    assert same(program.staged, (X,))
    assert arenas(program, 1) == [program.memory.arena_bytes] * 3
