from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Graph, Node
from graphad.ops.structure import Copy
from graphad.rewrite.pipeline import PIPELINE
from graphad.schedule.arena import ALIGNMENT
from graphad.schedule.program import Program, schedule
from tests.ir.random_graphs import Sample, samples
from tests.schedule.lifetimes import lost_values

X = ga.input("x", shape=(2, 3))


def planned(outputs: Sequence[Node], updates: dict[Node, Node] | None = None) -> Program:
    new_values = updates or {}
    return schedule(Graph((X,), (*outputs, *new_values.values())), tuple(new_values))


def chain(length: int, step: Callable[[Node], Node] = ga.tanh, start: Node = X) -> Node:
    for _ in range(length):
        start = step(start)
    return start


@given(samples())
def test_no_value_is_overwritten_before_it_is_last_read(sample: Sample) -> None:
    graph = sample.whole
    for one in PIPELINE:
        assert lost_values(schedule(graph, tuple(sample.updates))) == []
        graph = one.run(graph)
    assert lost_values(schedule(graph, tuple(sample.updates))) == []


def test_the_second_opinion_finds_a_value_that_is_overwritten_too_early() -> None:
    first, second = ga.exp(X), ga.sin(X)
    program = planned([first + second])
    assert lost_values(program) == []
    clash = {second: program.memory.offsets[first]}
    assert lost_values(_moved(program, clash)) == [f"{program.results[0]!r} reads {first!r}"]
    total = ga.sum(X.T, axis=0)
    program = planned([total])
    assert len(lost_values(_moved(program, {total: program.memory.offsets[X]}))) == 1


def _moved(program: Program, places: dict[Node, int]) -> Program:
    offsets = {**program.memory.offsets, **places}
    return replace(program, memory=replace(program.memory, offsets=offsets))


@given(samples())
def test_places_are_aligned_and_inside_the_arena(sample: Sample) -> None:
    program = schedule(sample.whole, tuple(sample.updates))
    assert set(program.memory.offsets) == {*program.staged, *program.statements}
    for node, offset in program.memory.offsets.items():
        assert offset % ALIGNMENT == 0 or node in program.memory.placed
        assert 0 <= offset <= program.memory.arena_bytes - node.type.nbytes
    assert program.memory.live_bytes <= program.memory.arena_bytes


@given(samples())
def test_every_node_is_a_statement_a_view_or_a_leaf_and_never_two_of_them(sample: Sample) -> None:
    program = schedule(sample.whole, tuple(sample.updates))
    leaves = {node for node in program.graph.nodes if node.op.traits.leaf}
    kinds: list[set[Node]] = [leaves, set(program.views), set(program.statements)]
    assert sum(map(len, kinds)) == len(set[Node]().union(*kinds))
    left_out = set(program.graph.nodes).difference(*kinds)
    assert all(node.op.traits.view or node.op.traits.contiguous_view for node in left_out)


@given(samples())
def test_neither_inputs_nor_parameters_nor_constants_are_written(sample: Sample) -> None:
    program = schedule(sample.whole, tuple(sample.updates))
    assert not any(node.op.traits.leaf for node in program.statements)
    assert set(program.staged) <= set(sample.graph.inputs)


def test_a_chain_of_elementwise_functions_runs_in_one_place() -> None:
    program = planned([chain(20)])
    assert program.memory.arena_bytes == ALIGNMENT
    assert program.memory.live_bytes == 24
    assert len(program.statements) == 20


def test_a_chain_of_products_swings_between_two_places() -> None:
    w = ga.parameter(np.zeros((3, 3), np.float32), name="w")
    program = planned([chain(20, lambda h: h @ w)])
    assert program.memory.arena_bytes == 2 * ALIGNMENT
    assert program.memory.live_bytes == 48


def test_what_is_read_again_keeps_its_place() -> None:
    early = ga.exp(X)
    program = planned([chain(5, start=early) + early])
    assert program.memory.offsets[early] not in [program.memory.offsets[node] for node in program.statements[1:-1]]
    assert program.memory.live_bytes == 48


def test_results_keep_their_places_to_the_end() -> None:
    first = ga.exp(X)
    second = ga.sum(ga.tanh(ga.negative(first)).T, axis=1)
    third = ga.relu(second)
    program = planned([first, second, third])
    places = [program.memory.offsets[node] for node in (first, second, third)]
    assert len(set(places)) == 3


@pytest.mark.parametrize(
    "build",
    [
        lambda h: ga.where(h > 0.0, h, 0.0),
        lambda h: h @ h.T,
        lambda h: ga.sum(h, axis=0),
        lambda h: h.astype("float64"),
        lambda h: h > 0.0,
        lambda h: h[:, ::-1] + h,
        lambda h: h[:, ::-1] + h * 2.0,
        lambda h: ga.stack([h, h], axis=0),
    ],
)
def test_a_result_is_not_written_over_what_its_kernel_still_reads(build: Callable[[Node], Node]) -> None:
    program = planned([build(ga.exp(X))])
    assert lost_values(program) == []
    h, result = program.statements[0], program.statements[-1]
    if any(operand is h for operand in result.operands) and h not in program.memory.placed:
        assert program.memory.offsets[h] != program.memory.offsets[result]


def test_an_operand_read_twice_by_one_elementwise_function_may_be_written_over() -> None:
    h = ga.exp(X)
    program = planned([h * h])
    assert len(set(program.memory.offsets.values())) == 1


def test_inputs_are_staged_only_if_they_are_read_through_views() -> None:
    row = ga.input("row", shape=(3,))
    cases: list[tuple[Node, bool]] = [
        (ga.tanh(X), False),
        (X @ X.T, True),
        (ga.tanh(X[1]), True),
        (ga.broadcast_to(X, (4, 2, 3)) * 2.0, False),
        (X.reshape(6), True),
        (X, False),
    ]
    for output, staged in cases:
        program = planned([output])
        assert (X in program.staged) is staged
    assert schedule(Graph((X, row), (X + row,)), ()).staged == ()


def test_a_view_of_what_is_contiguous_costs_nothing_and_of_other_things_is_a_statement() -> None:
    h = ga.exp(X)
    turned = h.T
    program = planned([h.reshape(3, 2), h.reshape(6)[1:], turned, turned.reshape(6)])
    assert [node.op.name for node in program.statements] == ["exp", "reshape"]
    assert sorted(node.op.name for node in program.views) == ["reshape", "reshape", "slice", "transpose"]


def test_a_new_value_that_is_a_leaf_a_view_or_another_one_too_is_copied() -> None:
    v, w = ga.parameter(np.zeros((2, 3), np.float32)), ga.parameter(np.zeros((3, 2), np.float32))
    u, fresh = ga.parameter(np.zeros((2, 3), np.float32)), ga.exp(X)
    program = planned([v], {v: w.T, w: ga.exp(w)})
    assert [new.op.name for _, new in program.updates] == ["copy", "exp"]
    assert program.results == (v,)
    for updates, kinds in (
        ({v: X}, ["copy"]),
        ({v: u, u: v}, ["copy", "copy"]),
        ({v: ga.exp(w).T}, ["copy"]),
        ({v: fresh, u: fresh}, ["exp", "copy"]),
    ):
        assert [new.op.name for _, new in planned([], updates).updates] == kinds


def test_the_parameters_of_a_program_are_those_it_reads_and_those_it_only_writes() -> None:
    v, w = ga.parameter(np.zeros((2, 3), np.float32)), ga.parameter(np.zeros((2, 3), np.float32))
    unread = ga.parameter(np.zeros((2, 3), np.float32))
    program = planned([v * 2.0], {w: w + v, unread: X})
    assert set(program.parameters) == {v, w, unread}
    assert [old for old, _ in program.updates] == [w, unread]


def test_one_parameter_under_two_names_is_one() -> None:
    w = ga.parameter(np.zeros((2, 3), np.float32), name="w")
    program = planned([], {w.named("v"): w + 1.0})
    assert program.parameters == (w,)
    assert program.updates[0][0] is w


def test_the_work_of_a_program_is_counted() -> None:
    w = ga.parameter(np.zeros((3, 5), np.float32))
    program = planned([ga.sum(ga.tanh(X @ w), axis=0)])
    assert program.flops == 2 * 2 * 3 * 5 + 2 * 5 + 2 * 5


def test_values_of_no_elements_are_planned_like_others() -> None:
    nothing = ga.constant(np.zeros((0, 3), np.float32))
    program = planned([ga.exp(nothing) + 1.0, ga.exp(nothing).T, ga.sum(ga.exp(nothing), axis=0) + X[0]])
    assert lost_values(program) == []


def test_long_programs_are_planned_without_recursion_and_without_waste() -> None:
    """Twenty thousand steps, all of whose values are kept to the end and then dropped one by one, last first."""
    steps = [ga.exp(X)]
    for _ in range(20_000):
        steps.append(ga.tanh(steps[-1]))
    total = steps[-1]
    for step in reversed(steps):
        total = total + step
    program = planned([total])
    assert len(program.statements) == 40_002
    assert program.memory.arena_bytes == 20_001 * ALIGNMENT


def test_a_result_takes_over_the_place_of_what_it_reads_reshaped() -> None:
    h = ga.exp(X)
    program = planned([h.reshape(3, 2) + 1.0])
    assert program.memory.arena_bytes == ALIGNMENT
    assert lost_values(program) == []
    turned = planned([h.T + 1.0])
    assert turned.memory.arena_bytes == 2 * ALIGNMENT


def test_matrices_that_lie_by_rows_or_by_columns_are_read_in_place_and_others_are_copied_once_for_all_readers() -> None:
    x, W = ga.input("x", (5, 40)), ga.input("W", (40, 30))
    rows, columns, others = W[:20], W.T, W[:, ::2]
    first, second = ga.exp(x), ga.tanh(x)
    outputs = first[:4] @ others, second @ others, first[:3, :] @ W, rows @ ga.exp(columns)
    program = schedule(Graph((x, W), outputs), ())
    copies = [node for node in program.statements if isinstance(node.op, Copy)]
    assert [copy.operands for copy in copies] == [(others,)]
    assert copies[0].origin.made_by == "contiguous memory"


def test_what_a_kernel_needs_while_it_runs_has_a_place_that_is_given_back() -> None:
    x, i = ga.input("x", (30, 40)), ga.input("i", (30, 7), "uint8")
    taken = ga.take_along_axis(ga.exp(x), i, 1)
    program = schedule(Graph((x, i), (ga.tanh(taken),)), ())
    (node,) = program.memory.scratch_offsets
    assert node is taken
    assert len(program.memory.scratch_offsets[node]) == len(node.op.scratch(*(x.type for x in node.operands))) == 2
    assert lost_values(program) == []
