import numpy as np

import graphad as ga
from graphad import Node
from graphad.ir.graph import Graph
from graphad.schedule.arena import ALIGNMENT
from graphad.schedule.liveness import Lifetimes, plan_memory
from graphad.schedule.program import schedule

X = ga.input("x", shape=(2, 3))
FIRST = ga.exp(X)
SECOND = ga.sin(X)
VIEW = FIRST.T
TOTAL = ga.sum(VIEW, axis=0)
PRODUCT = SECOND * SECOND
STATEMENTS = (FIRST, SECOND, TOTAL, PRODUCT)
ROOTS = {**{node: node for node in (X, *STATEMENTS)}, VIEW: FIRST}


def lifetimes(*outputs: Node, staged: tuple[Node, ...] = ()) -> Lifetimes:
    return Lifetimes.of(STATEMENTS, staged, outputs, ROOTS)


def test_a_value_lives_until_the_last_statement_that_reads_it_or_a_view_of_it() -> None:
    found = lifetimes(PRODUCT)
    assert found.last_read == {FIRST: 2, SECOND: 3, TOTAL: 2, PRODUCT: len(STATEMENTS)}


def test_results_and_what_results_are_views_of_live_to_the_end() -> None:
    found = lifetimes(PRODUCT, VIEW)
    assert found.last_read[FIRST] == len(STATEMENTS)


def test_only_what_lies_in_the_arena_has_a_lifetime() -> None:
    assert X not in lifetimes(PRODUCT).last_read
    assert lifetimes(PRODUCT, staged=(X,)).last_read[X] == 1
    assert TOTAL not in lifetimes(PRODUCT).without([TOTAL]).last_read


def test_a_result_takes_over_the_place_of_an_operand_that_dies() -> None:
    found = lifetimes(PRODUCT)
    assert found.overwritten(3, PRODUCT) is SECOND
    assert found.overwritten(2, TOTAL) is None
    assert lifetimes(PRODUCT, SECOND).overwritten(3, PRODUCT) is None


def test_the_plan_says_which_operand_a_result_overwrites() -> None:
    plan = plan_memory(STATEMENTS, (), lifetimes(PRODUCT), {})
    assert plan.overwritten == {PRODUCT: SECOND}
    assert plan.offsets[PRODUCT] == plan.offsets[SECOND]


def test_what_a_statement_needs_meanwhile_lies_apart_from_what_lives_and_is_given_back() -> None:
    found = lifetimes(PRODUCT, TOTAL)
    plan = plan_memory(STATEMENTS, (), found, {TOTAL: (640, 100)})
    large, small = plan.scratch_offsets[TOTAL]
    for place in (small, *(plan.offsets[node] for node in (FIRST, SECOND, TOTAL))):
        assert place not in range(large, large + 640)
    assert plan.arena_bytes == 3 * ALIGNMENT + 640 + 2 * ALIGNMENT
    assert plan.live_bytes == 24 + 24 + 8 + 640 + 100


def test_what_is_joined_is_computed_in_its_place_once() -> None:
    x = ga.input("x", (2, 3))
    first, second = ga.exp(x), ga.tanh(x)
    join = ga.concatenate([first, second, first, x])
    program = schedule(Graph((x,), (join,)), ())
    assert program.memory.placed == {first: (join, 0), second: (join, 24)}
    assert program.memory.offsets[second] == program.memory.offsets[join] + 24
    step = ga.compile([x], join)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(step(array), np.concatenate([np.exp(array), np.tanh(array), np.exp(array), array]), 1e-6)


def test_what_is_read_after_the_join_is_copied_there() -> None:
    x = ga.input("x", (2, 3))
    kept = ga.exp(x)
    program = schedule(Graph((x,), (ga.sum(ga.concatenate([kept, x])), kept)), ())
    assert program.memory.placed == {}


def test_the_peak_is_the_first_statement_at_which_the_most_is_alive() -> None:
    plan = plan_memory(STATEMENTS, (), lifetimes(PRODUCT, TOTAL), {TOTAL: (640,)})
    assert STATEMENTS[plan.peak] is TOTAL
    assert plan_memory((), (), lifetimes(), {}).live_bytes == 0
