"""Cells that nobody wrote, unrolled in every way: compiled, they compute what their graph and its gradient say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad.ir import cut
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.schedule import tiles
from tests.autodiff.differences import STEP, value, values

BATCH, FEATURES = 3, 2
Step = Callable[[Node, Node], Node]

# Each takes what two earlier results give; all stay about 1, so that differences keep their digits.
STEPS: dict[str, Step] = {
    "tanh of a sum": lambda a, b: ga.tanh(a + b),
    "gated": lambda a, b: ga.sigmoid(a) * b,
    "mixed": lambda a, b: 0.7 * a + 0.3 * b,
    "product": lambda a, b: ga.tanh(a) * ga.cos(b),
    "interpolated": lambda a, b: (1.0 - ga.sigmoid(b)) * a + ga.sigmoid(b) * ga.tanh(a),
    "normalised": lambda a, b: ga.softmax(a) - ga.mean(b, axis=0, keepdims=True),
    "cut and joined": lambda a, b: ga.concatenate([a[:, 1:], ga.sin(b)[:, :1]], axis=1),
    "chosen": lambda a, b: ga.where(b > 0.1, a, 0.5 * b),
    "squared": lambda a, b: ga.tanh(ga.square(a) - b),
    "first alone": lambda a, b: ga.sin(a),
}

# Steps that draw: what they draw is the function's, so only compiled functions can be compared.
RANDOM_STEPS: dict[str, Step] = {
    "noisy": lambda a, b: a + 0.1 * ga.normal((BATCH, FEATURES), dtype="float64"),
    "dropped": lambda a, b: ga.dropout(a, 0.3) + 0.1 * b,
}


class Cell:
    """A drawn program: each line combines two earlier values or multiplies one by a weight."""

    def __init__(self, draw: st.DrawFn, weights: list[Node], steps: list[str]) -> None:
        self.weights = weights
        self.carries = draw(st.integers(1, 2))
        count = self.carries + 2  # the carries, the input, and a constant
        self.lines = []
        for number in range(draw(st.integers(1, 6))):
            places = st.integers(0, count + number - 1)
            name = draw(st.sampled_from([*steps, "weight 0", "weight 1", "weight 0"]))
            self.lines.append((name, draw(places), draw(places)))
        last = st.integers(0, count + len(self.lines) - 1)
        self.new_carries = [draw(last) for _ in range(self.carries)]
        self.output = draw(last)

    def __call__(self, carry: tuple[Node, ...], x_t: Node) -> tuple[tuple[Node, ...], Node]:
        known = [*carry, x_t, ga.constant(np.full((BATCH, FEATURES), 0.4))]
        for name, first, second in self.lines:
            if name.startswith("weight"):
                known.append(0.6 * (known[first] @ self.weights[int(name[-1])]))
            else:
                known.append((STEPS | RANDOM_STEPS)[name](known[first], known[second]))
        return tuple(known[place] for place in self.new_carries), known[self.output]


@st.composite
def nets(draw: st.DrawFn, smooth: bool = False, random: bool = False) -> tuple[list[Node], Node]:
    """The inputs (sequences, two weights, carries) and the loss.

    ``smooth``: with neither kinks nor truncation; ``random``: with steps that draw.
    """
    steps, axis = draw(st.integers(1, 7)), draw(st.sampled_from([0, 1, -1]))
    names = sorted(STEPS.keys() - {"chosen"} if smooth else STEPS | RANDOM_STEPS if random else STEPS)
    shape = [BATCH, FEATURES]
    shape.insert(axis % 3, steps)
    x = ga.input("x", shape, "float64")
    weights = [ga.input(name, (FEATURES, FEATURES), "float64") for name in ("U", "W")]
    starts: list[Node] = []
    outputs, loss = x, ga.sum(x * 0.1)
    for layer in range(draw(st.integers(1, 2))):
        cell = Cell(draw, weights, names)
        start = tuple(ga.input(f"h{layer}_{i}", (BATCH, FEATURES), "float64") for i in range(cell.carries))
        starts += start
        options: dict[str, Any] = {
            "reverse": draw(st.booleans()),
            "truncate": None if smooth else draw(st.none() | st.integers(1, steps)),
            "lengths": draw(st.none() | st.lists(st.integers(0, steps), min_size=BATCH, max_size=BATCH)),
        }
        step = ga.checkpoint(cell) if draw(st.booleans()) else cell
        last, outputs = ga.unroll(step, start, outputs, axis=axis, **options)
        if draw(st.booleans()):
            loss = loss + ga.sum(ga.cos(last[0]))
    at_the_end = (*(slice(None) for _ in range(axis % 3)), -1)
    picked = outputs if draw(st.booleans()) else outputs[at_the_end]
    weight = np.arange(1.0, 1 + picked.type.static_shape[-1])
    return [x, *weights, *starts], loss + ga.sum(ga.sin(picked) * weight)


def point(inputs: list[Node], seed: int) -> dict[Node, Array]:
    generator = np.random.default_rng(seed)
    return {node: generator.standard_normal(node.type.static_shape) for node in inputs}


@given(nets(), st.integers(0, 99))
def test_compiled_losses_and_gradients_are_those_of_the_graph(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    outputs = [loss, *ga.grad(loss, inputs, disconnected="zero")]
    given = point(inputs, seed)
    found = ga.compile(inputs, outputs, verify=True)(*given.values())
    for array, expected in zip(found, values(outputs, given), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-11)


@given(nets(), st.integers(0, 99), st.integers(1, 3))
def test_they_are_so_too_if_loops_are_run_in_tiles(net: tuple[list[Node], Node], seed: int, steps: int) -> None:
    inputs, loss = net
    outputs = [loss, *ga.grad(loss, inputs, disconnected="zero")]
    given = point(inputs, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "CACHE_BYTES", 0)
        patch.setattr(tiles, "TILE_BYTES", 0)
        patch.setattr(tiles, "FEWEST_STEPS", steps)
        found = ga.compile(inputs, outputs, verify=True)(*given.values())
    for array, expected in zip(found, values(outputs, given), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-11)


@given(nets(), st.integers(0, 99))
def test_a_compiled_step_remembers_nothing_of_the_step_before(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    function = ga.compile(inputs, [loss, *ga.grad(loss, inputs, disconnected="zero")])
    first, other = point(inputs, seed), point(inputs, seed + 100)
    once = function(*first.values())
    function(*other.values())
    for array, again in zip(once, function(*first.values()), strict=True):
        np.testing.assert_array_equal(array, again)


@given(nets(), st.integers(0, 99))
def test_gradients_agree_with_forward_mode(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    given, direction = point(inputs, seed), point(inputs, seed + 100)
    gradients = values(ga.grad(loss, inputs, disconnected="zero"), given)
    backward = sum(float(np.sum(g * v)) for g, v in zip(gradients, direction.values(), strict=True))
    forward = float(value(ga.jvp(loss, inputs, list(direction.values())), given))
    np.testing.assert_allclose(backward, forward, rtol=1e-9, atol=1e-10)


@given(nets(smooth=True), st.integers(0, 99))
def test_gradients_of_whole_nets_agree_with_differences(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    given, direction = point(inputs, seed), point(inputs, seed + 100)
    gradients = values(ga.grad(loss, inputs, disconnected="zero"), given)
    backward = sum(float(np.sum(g * v)) for g, v in zip(gradients, direction.values(), strict=True))
    ahead, behind = (float(value(loss, {x: given[x] + s * direction[x] for x in inputs})) for s in (STEP, -STEP))
    scale = max(1.0, *(float(np.abs(g).max(initial=0)) for g in gradients))
    np.testing.assert_allclose(backward, (ahead - behind) / (2 * STEP), atol=1e-6 * scale**3)


@given(nets(), st.integers(0, 99))
def test_compiled_second_derivatives_are_those_of_the_graph(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    gradients = ga.grad(loss, inputs, disconnected="zero")
    slope = ga.sum(ga.sin(gradients[0])) + ga.sum(ga.square(gradients[1])) + loss
    outputs = ga.grad(slope, inputs, disconnected="zero")
    given = point(inputs, seed)
    found = ga.compile(inputs, outputs)(*given.values())
    for array, expected in zip(found, values(outputs, given), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-8, atol=1e-8)


@given(nets(random=True), st.integers(0, 99))
def test_nets_that_draw_are_the_same_folded_and_unfolded(net: tuple[list[Node], Node], seed: int) -> None:
    inputs, loss = net
    outputs = [loss, *ga.grad(loss, inputs, disconnected="zero")]
    folded, plain = (ga.compile(inputs, outputs, passes=passes, seed=seed) for passes in (None, ()))
    given = point(inputs, seed)
    for _ in range(2):
        for one, other in zip(folded(*given.values()), plain(*given.values()), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
