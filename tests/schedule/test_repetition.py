from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler import lowering
from graphad.compiler.function import Function
from graphad.ir import cut
from graphad.ir.op import Array
from graphad.schedule import tiles
from graphad.schedule.program import Program, schedule
from graphad.schedule.tiles import Tiles
from tests.schedule.lifetimes import lost_values

B, INPUTS, H = 2, 1, 5
Net = tuple[Node, Node, list[Node]]


def weights(*shapes: tuple[int, ...]) -> list[Node]:
    numbers = np.random.default_rng(0)
    return [ga.parameter(numbers.normal(0, 0.5, shape), name=f"w{i}") for i, shape in enumerate(shapes)]


def rnn(steps: int) -> Net:
    w = weights((INPUTS, H), (H, H), (H,))
    return unrolled(ga.rnn_cell(*w), steps, w, lambda h: h)


def lstm(steps: int) -> Net:
    w = weights((INPUTS, 4 * H), (H, 4 * H), (4 * H,))
    return unrolled(ga.lstm_cell(*w), steps, w, lambda carry: carry[0] * ga.sin(carry[1]))


def gru(steps: int) -> Net:
    w = weights((INPUTS, 3 * H), (H, 3 * H), (2, 3 * H))
    return unrolled(ga.gru_cell(*w), steps, w, lambda h: h)


def two_steps_back(steps: int) -> Net:
    w = weights((H, H))

    def cell(carry: tuple[Node, Node], x_t: Node) -> tuple[tuple[Node, Node], None]:
        h = ga.tanh(carry[0] @ w[0] - carry[1] + x_t)
        return (h, carry[0]), None

    x = ga.input("x", (B, steps, INPUTS), "float64")
    starts = (ga.constant(np.full((B, H), 0.1)), ga.constant(np.full((B, H), 0.2)))
    (h, before), _ = ga.unroll(cell, starts, x, axis=1)
    return x, ga.sum(ga.sin(h) * before), w


def unrolled(cell: Any, steps: int, w: list[Node], read: Callable[[Any], Node]) -> Net:
    x = ga.input("x", (B, steps, INPUTS), "float64")
    last, _ = ga.unroll(cell, xs=x, axis=1)
    return x, ga.sum(ga.sin(read(last))), w


NETS = {"rnn": rnn, "lstm": lstm, "gru": gru, "two steps back": two_steps_back}


def in_tiles(inputs: list[Node], outputs: list[Node], length: int) -> Function:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "CACHE_BYTES", 0)
        patch.setattr(tiles, "FEWEST_STEPS", 1)
        patch.setattr(lowering, "schedule", partial(schedule, tiles=Tiles(length, repeated=True)))
        return ga.compile(inputs, outputs)


def program_of(function: Function) -> Program:
    executable = function.specialise().executable
    assert isinstance(executable, NumpyExecutable)
    return executable.program


def given_steps(steps: int) -> Array:
    return np.random.default_rng(1).normal(size=(B, steps, INPUTS))


@pytest.mark.parametrize("net", NETS)
@given(steps=st.integers(6, 13), length=st.integers(3, 5))
def test_a_net_whose_states_are_kept_between_tiles_only_learns_the_same(net: str, steps: int, length: int) -> None:
    x, loss, w = NETS[net](steps)
    outputs = [loss, *ga.grad(loss, [x, *w])]
    function, reference = in_tiles([x], outputs, length), ga.compile([x], outputs, backend="reference")
    program = program_of(function)
    assert any(tiling.repeated_by is not None for tiling in program.tilings.values())
    assert lost_values(program) == []
    array = given_steps(steps)
    for _ in range(2):
        for found, expected in zip(function(array), reference(array), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_memory_grows_as_the_root_of_the_number_of_steps() -> None:
    def arena(steps: int) -> int:
        x, loss, w = rnn(steps)
        inputs = B * steps * INPUTS * 8
        return program_of(in_tiles([x], ga.grad(loss, w), round(steps**0.5))).memory.arena_bytes - inputs

    assert [arena(4 * steps) / arena(steps) < 2.2 for steps in (100, 400)] == [True, True]


def test_what_others_read_of_the_last_step_is_kept_for_them() -> None:
    x, loss, w = lstm(10)
    forward, backward = program_of(in_tiles([x], ga.grad(loss, w), 4)).tilings.values()
    assert forward.repeated_by is backward.loop
    assert backward.repeats is forward.loop
    assert len(forward.ends) >= 2
    assert all(end.shape == (B, H) for end in forward.ends)


def test_a_loop_whose_states_others_read_keeps_them() -> None:
    w = weights((INPUTS, H), (H, H), (H,))
    x = ga.input("x", (B, 9, INPUTS), "float64")
    _, hs = ga.unroll(ga.rnn_cell(*w), xs=x, axis=1)
    for outputs in ([hs], [ga.max(hs)], [ga.transpose(hs, (1, 0, 2))]):
        asked = [*outputs, *ga.grad(ga.sum(ga.sin(hs[:, -1])), w)]
        function = in_tiles([x], asked, 3)
        assert all(tiling.repeated_by is None for tiling in program_of(function).tilings.values())
        expected = ga.compile([x], asked, backend="reference")(given_steps(9))
        for found, other in zip(function(given_steps(9)), expected, strict=True):
            np.testing.assert_allclose(found, other, rtol=1e-9, atol=1e-11)


def test_the_last_state_may_be_a_result_too() -> None:
    w = weights((INPUTS, H), (H, H), (H,))
    x = ga.input("x", (B, 9, INPUTS), "float64")
    h, _ = ga.unroll(ga.rnn_cell(*w), xs=x, axis=1)
    outputs = [h, h.T * 2.0, *ga.grad(ga.sum(ga.sin(h)), w)]
    function = in_tiles([x], outputs, 4)
    assert any(tiling.repeated_by is not None for tiling in program_of(function).tilings.values())
    expected = ga.compile([x], outputs, backend="reference")(given_steps(9))
    for found, other in zip(function(given_steps(9)), expected, strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-9, atol=1e-11)


def test_a_saved_program_repeats_its_tiles_alone(tmp_path: Any) -> None:
    x, loss, w = gru(11)
    function = in_tiles([x], ga.grad(loss, w), 4)
    expected = function(given_steps(11))
    namespace: dict[str, Any] = {}
    exec(function.save(tmp_path / "step.py").read_text(), namespace)  # noqa: S102 - our own program
    for array, other in zip(namespace["step"](given_steps(11)), expected, strict=True):
        np.testing.assert_array_equal(array, other)


def test_the_profile_counts_what_is_done_twice() -> None:
    x, loss, w = rnn(12)
    function = in_tiles([x], ga.grad(loss, w), 4)
    tiling = next(iter(program_of(function).tilings.values()))
    entries = {id(entry.node): entry for entry in function.profile(given_steps(12), runs=1).entries}
    product = entries[id(tiling.before[0])]
    assert product.calls == 2 * tiling.count == 6
    assert product.calls * product.flops == 2 * (2 * 12 * B * INPUTS * H)
