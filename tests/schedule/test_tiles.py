from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.function import Function
from graphad.ir import cut
from graphad.ir.op import Array
from graphad.schedule import tiles
from graphad.schedule.program import Program
from tests.schedule.lifetimes import lost_values

B, INPUTS, H = 2, 3, 5


@pytest.fixture
def short_tiles() -> Iterator[None]:
    """Tiles of four steps for the smallest of nets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "CACHE_BYTES", 0)
        patch.setattr(tiles, "TILE_BYTES", 0)
        yield


def net(steps: int, *, reverse: bool = False, every_step: bool = False) -> tuple[Node, Node, dict[str, Node]]:
    numbers = np.random.default_rng(0)
    shapes = {"U": (INPUTS, H), "W": (H, H), "b": (H,)}
    w = {name: ga.parameter(numbers.normal(0, 0.5, shape), name=name) for name, shape in shapes.items()}
    x = ga.input("x", (B, steps, INPUTS), "float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(x_t @ w["U"] + h @ w["W"] + w["b"])
        return h, h

    h, hs = ga.unroll(cell, ga.constant(np.full((B, H), 0.1)), x, axis=1, reverse=reverse)
    return x, ga.sum(ga.sin(hs if every_step else h)), w


def program_of(function: Function) -> Program:
    executable = function.specialise().executable
    assert isinstance(executable, NumpyExecutable)
    return executable.program


def compiled(steps: int, **how: Any) -> tuple[Function, Function, Array]:
    x, loss, w = net(steps, **how)
    outputs = [loss, *ga.grad(loss, [x, *w.values()])]
    given = np.random.default_rng(1).normal(size=(B, steps, INPUTS))
    return ga.compile([x], outputs), ga.compile([x], outputs, backend="reference"), given


@pytest.mark.usefixtures("short_tiles")
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [5, 8, 9, 10, 13])
def test_a_net_run_in_tiles_computes_what_it_should_whatever_the_number_of_steps(
    steps: int, reverse: bool, every_step: bool
) -> None:
    function, reference, given = compiled(steps, reverse=reverse, every_step=every_step)
    program = program_of(function)
    assert len(program.tilings) == 2
    assert lost_values(program) == []
    for _ in range(2):
        for array, expected in zip(function(given), reference(given), strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("short_tiles")
def test_a_tile_takes_projections_and_slopes_before_its_steps_and_weight_gradients_after_them() -> None:
    x, loss, w = net(9)
    forward, backward = program_of(ga.compile([x], ga.grad(loss, list(w.values())))).tilings.values()
    assert [node.op.name for node in forward.before] == ["matmul", "add"]
    assert forward.after == ()
    assert [node.op.name for node in backward.before] == ["square", "subtract"]
    assert len(backward.sums) == len(backward.after) == 3
    assert (forward.length, forward.count, forward.times) == (4, 3, range(9))


@pytest.mark.usefixtures("short_tiles")
def test_what_only_a_tile_reads_is_held_for_one_tile() -> None:
    x, loss, w = net(100)
    program = program_of(ga.compile([x], ga.grad(loss, list(w.values()))))
    forward, backward = program.tilings.values()
    assert forward.loop not in forward.local  # the way back reads all states
    assert backward.loop in backward.local
    assert backward.local[backward.loop] == (backward.length + 1) * B * H * 8
    states, inputs = 101 * B * H * 8, 100 * B * INPUTS * 8
    assert program.memory.arena_bytes < 1.2 * (states + inputs)
    assert program.memory.arena_bytes <= 1.1 * program.memory.live_bytes  # a place begins on a cache line


@pytest.mark.usefixtures("short_tiles")
def test_what_somebody_else_reads_is_computed_whole() -> None:
    numbers = np.random.default_rng(0)
    x, U = ga.input("x", (9, B, H), "float64"), ga.constant(numbers.normal(size=(H, H)))
    projected = x @ U
    h, _ = ga.unroll(lambda h, x_t: (ga.tanh(h + x_t), None), ga.constant(np.zeros((B, H))), projected)
    function = ga.compile([x], [h, ga.max(projected)])
    assert all(not tiling.before for tiling in program_of(function).tilings.values())
    given = numbers.normal(size=(9, B, H))
    expected = ga.compile([x], [h, ga.max(projected)], backend="reference")(given)
    np.testing.assert_allclose(function(given)[0], expected[0], rtol=1e-12)


@pytest.mark.usefixtures("short_tiles")
def test_an_argument_of_which_tiles_are_read_may_be_another_array_at_each_call() -> None:
    x = ga.input("x", (9, B, H), "float64")
    h, _ = ga.unroll(lambda h, x_t: (ga.tanh(h + ga.exp(x_t)), None), ga.constant(np.zeros((B, H))), x)
    function, reference = ga.compile([x], h), ga.compile([x], h, backend="reference")
    assert program_of(function).tilings
    for seed in range(2):
        given = np.random.default_rng(seed).normal(size=(9, B, H))
        np.testing.assert_allclose(function(given), reference(given), rtol=1e-12)


def test_what_fits_into_a_cache_is_done_for_all_steps_at_once() -> None:
    assert program_of(compiled(9)[0]).tilings == {}


@pytest.mark.usefixtures("short_tiles")
def test_the_report_says_what_is_done_in_tiles_and_why() -> None:
    text = str(compiled(9)[0].report())
    assert "in tiles of 4 steps, since arrays for all steps would be" in text
    assert "before the steps of each tile: matmul, add" in text


@pytest.mark.usefixtures("short_tiles")
def test_of_what_stops_being_finite_beside_the_steps_the_tile_is_told() -> None:
    function, _, given = compiled(10)
    given[1, 9, 2] = np.inf
    found = function.first_non_finite(given)
    assert found is not None
    assert ", tile 2 of its loop" in str(found)


@pytest.mark.usefixtures("short_tiles")
def test_the_profile_of_a_tiled_program_counts_each_operation_once() -> None:
    function, _, given = compiled(10)
    program = program_of(function)
    (tiling, _) = program.tilings.values()
    entries = {id(entry.node): entry for entry in function.profile(given, runs=1).entries}
    product = entries[id(tiling.before[0])]
    assert product.calls == tiling.count == 3
    assert abs(product.calls * product.flops - 2 * 10 * B * INPUTS * H) < tiling.count


@pytest.mark.usefixtures("short_tiles")
@given(steps=st.integers(5, 12), length=st.integers(1, 4), lag=st.integers(1, 3))
def test_values_from_several_steps_ago_are_carried_from_tile_to_tile(steps: int, length: int, lag: int) -> None:
    x, w = ga.input("x", (steps, B, H), "float64"), ga.parameter(np.eye(H) - 0.1, name="w")

    def cell(states: tuple[Node, ...], x_t: Node) -> tuple[tuple[Node, ...], None]:
        new = ga.tanh(0.5 * states[0] - states[-1] @ w + ga.square(x_t))
        return (new, *states[:-1]), None

    starts = tuple(ga.constant(np.full((B, H), 0.1 * i)) for i in range(lag))
    last, _ = ga.unroll(cell, starts, x)
    loss = ga.sum(ga.sin(last[0]))
    outputs = [loss, *ga.grad(loss, [x, w])]
    given = np.random.default_rng(2).normal(size=(steps, B, H))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "FEWEST_STEPS", length)
        function = ga.compile([x], outputs)
    expected = ga.compile([x], outputs, backend="reference")(given)
    for array, other in zip(function(given), expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("short_tiles")
def test_a_saved_program_runs_in_tiles_alone(tmp_path: Any) -> None:
    function, _, given = compiled(9)
    function(given)
    namespace: dict[str, Any] = {}
    exec(function.save(tmp_path / "step.py").read_text(), namespace)  # noqa: S102 - our own program
    for array, expected in zip(namespace["step"](given), function(given), strict=True):
        np.testing.assert_array_equal(array, expected)
