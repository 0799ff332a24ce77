"""Checkpoints: the same gradients, bit for bit, from less memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad.errors import ArgumentError, UnreachedError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.control import Checkpointed, Recompute
from tests.autodiff.differences import value, values

Function = Callable[..., Any]
Wrap = Callable[[Function], Function]


def plainly(function: Function) -> Function:
    """No checkpoint."""
    return function


def layers(count: int, width: int, dtype: str = "float32") -> list[Node]:
    generator = np.random.default_rng(0)
    shape = (width, width)
    return [ga.parameter(generator.normal(size=shape) / width**0.5, f"W{i}", dtype=dtype) for i in range(count)]


def chain(wrap: Wrap, x: Node, weights: Sequence[Node], segment: int) -> Node:
    """The loss of a residual net, each ``segment`` of layers wrapped."""

    def block(h: Node, some: Sequence[Node]) -> Node:
        for W in some:
            z = h @ W
            h = h + ga.tanh(z) * ga.sigmoid(z)
        return h

    h = x
    for start in range(0, len(weights), segment):
        h = wrap(block)(h, weights[start : start + segment])
    return ga.sum(ga.square(h))


def assert_same(first: Sequence[Array], second: Sequence[Array]) -> None:
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("options", [{}, {"passes": ()}, {"backend": "reference"}, {"verify": True}])
def test_gradients_are_the_same_bit_for_bit(options: dict[str, Any]) -> None:
    x, weights = ga.input("x", (7, 5)), layers(9, 5)
    losses = [chain(wrap, x, weights, 3) for wrap in (plainly, ga.checkpoint)]
    array = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    plain, found = (ga.compile([x], [loss, *ga.grad(loss, [x, *weights])], **options)(array) for loss in losses)
    assert_same(found, plain)


def test_a_chain_of_n_layers_keeps_about_the_root_of_n() -> None:
    x, weights = ga.input("x", (16, 16)), layers(64, 16)
    layer = 16 * 16 * 4
    reports = []
    for wrap in (plainly, ga.checkpoint):
        loss = chain(wrap, x, weights, 8)
        reports.append(ga.compile([x], ga.grad(loss, x)).report())
    plain, found = reports
    assert plain.arena_bytes > 2 * 63 * layer  # tanh z and sigmoid z of each layer
    assert found.arena_bytes < (8 + 2 * 8 + 8) * layer  # a result of each segment, one segment whole, and some more
    assert found.flops < 1.5 * plain.flops


def test_without_a_gradient_nothing_is_computed_twice() -> None:
    x, weights = ga.input("x", (16, 16)), layers(8, 16)
    plain, found = (ga.compile([x], chain(wrap, x, weights, 4)).report() for wrap in (plainly, ga.checkpoint))
    assert found.statements == plain.statements + 2  # a copy for each segment


def test_no_pass_merges_what_is_computed_again_with_what_was_computed_first() -> None:
    x = ga.input("x", (3,))
    y = ga.checkpoint(lambda x: ga.exp(ga.sin(x)))(x)
    source = ga.compile([x], [y, ga.grad(ga.sum(y * y), x)], verify=True).source
    assert source.count("np.sin(") == source.count("np.exp(") == 2


# What a function may take, return and use.


def test_arguments_and_results_may_be_structures_keywords_and_none() -> None:
    def function(pair: dict[str, Node], *, scale: float) -> dict[str, Any]:
        product = pair["x"] * pair["y"] * scale
        return {"product": ga.tanh(product), "sum": (ga.sum(ga.sin(product)), None), "place": ga.argmax(product)}

    x, y = ga.input("x", (3,), "float64"), ga.input("y", (3,), "float64")
    given = {x: np.array([0.1, 0.7, -0.3]), y: np.array([1.0, -2.0, 0.5])}
    found = []
    for wrap in (plainly, ga.checkpoint):
        results = wrap(function)({"y": y, "x": x}, scale=2.0)
        assert results["sum"][1] is None
        loss = ga.sum(results["product"]) * results["sum"][0] + ga.sum(x) * results["sum"][0]
        found.append(values([loss, results["place"], *ga.grad(loss, [x, y])], given))
    assert_same(*found)


def test_several_results_are_computed_again_once() -> None:
    def function(x: Node) -> tuple[Node, Node]:
        h = ga.sin(x)
        return ga.exp(h), ga.tanh(h)

    x = ga.input("x", (3,))
    first, second = ga.checkpoint(function)(x)
    gradient = ga.grad(ga.sum(first * second), x)
    assert ga.compile([x], gradient).source.count("np.sin(") == 2


def test_what_it_uses_beside_its_arguments_gets_its_gradient_too() -> None:
    x, w = ga.input("x", (3,), "float64"), ga.parameter(np.array([0.5, -1.0, 2.0]), "w", dtype="float64")
    outside = ga.exp(w)
    loss = ga.sum(ga.checkpoint(lambda x: ga.tanh(x * outside) * w)(x) * outside)
    ga.check_gradients(loss, [x, w, outside], order=2)


def test_it_may_return_its_argument_and_what_it_did_not_compute() -> None:
    x, w = ga.input("x", (3,)), ga.input("w", (3,))
    first, second = ga.checkpoint(lambda x: (x, w))(x)
    gradients = ga.grad(ga.sum(first * second * first), [x, w])
    given = {x: np.array([1.0, 2.0, 3.0], np.float32), w: np.array([4.0, 5.0, 6.0], np.float32)}
    assert_same(values(gradients, given), [2 * given[x] * given[w], given[x] ** 2])


def test_a_value_that_leaves_it_by_another_way_is_not_lost() -> None:
    kept = []

    def function(x: Node) -> Node:
        kept.append(ga.sin(x))
        return ga.exp(kept[0])

    x = ga.input("x", (3,), "float64")
    y = ga.checkpoint(function)(x)
    given = {x: np.array([0.1, 0.7, -0.3])}
    sine = np.sin(given[x])
    loss = ga.sum(y * kept[0])
    by_x, by_kept = values(ga.grad(loss, [x, kept[0]]), given)
    np.testing.assert_allclose(by_kept, np.exp(sine) * (1 + sine))
    np.testing.assert_allclose(by_x, np.exp(sine) * (1 + sine) * np.cos(given[x]))


def test_what_it_does_not_reach_is_an_error_as_ever() -> None:
    x, other = ga.input("x", (3,)), ga.input("other", (3,))
    loss = ga.sum(ga.checkpoint(lambda x, y: ga.sin(x) + ga.stop_gradient(y))(x, other))
    with pytest.raises(UnreachedError, match="<other: "):
        ga.grad(loss, [x, other])


def test_functions_may_be_inside_of_functions() -> None:
    x, weights = ga.input("x", (7, 5)), layers(8, 5)

    def nested(wrap: Wrap) -> Node:
        layer = wrap(lambda h, W: ga.tanh(h @ W) * ga.sigmoid(h))
        pair = wrap(lambda h, V, W: layer(ga.sin(layer(h, V)), W))
        h = x
        for i in range(0, 8, 4):
            h = wrap(lambda h, i: pair(pair(h, *weights[i : i + 2]), *weights[i + 2 : i + 4]))(h, i)
        return ga.sum(h)

    array = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    losses = nested(plainly), nested(ga.checkpoint)
    plain, found = (ga.compile([x], [loss, *ga.grad(loss, [x, *weights])], verify=True)(array) for loss in losses)
    assert_same(found, plain)
    source = ga.compile([x], ga.grad(losses[1], x)).source
    assert 8 * 3 <= source.count("np.tanh(") + source.count("out=sigmoid") <= 8 * 8


# Random numbers.


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_what_is_drawn_is_drawn_alike_the_second_time(backend: str) -> None:
    x = ga.input("x", (50, 4))
    noise = ga.normal((4,), std=0.1)
    outputs = []
    for wrap in (plainly, ga.checkpoint):
        y = wrap(lambda x: ga.tanh(ga.dropout(ga.sin(x), 0.4) + noise * ga.uniform(x.shape)))(x)
        outputs.append([y, ga.grad(ga.sum(y * y), x)])
    steps = [ga.compile([x], output, backend=backend, seed=8) for output in outputs]
    array = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    for _ in range(2):
        assert_same(*(step(array) for step in steps))
    if backend == "numpy":
        draws = [step.source.count("shape=(50, 4), streams=") for step in steps]
        assert draws == [2, 4]  # of the mask and of the noise: drawn again, not kept


# Derivatives of every kind.


def smooth(x: Node, W: Node) -> Node:
    return ga.tanh(x @ W) * ga.exp(-ga.square(x))


def test_second_derivatives_and_forward_mode_are_those_of_the_function() -> None:
    x, W = ga.input("x", (2, 3), "float64"), ga.input("W", (3, 3), "float64")
    generator = np.random.default_rng(0)
    given = {x: generator.normal(size=(2, 3)), W: generator.normal(size=(3, 3))}
    found = []
    for wrap in (plainly, ga.checkpoint):
        loss = ga.sum(ga.sin(wrap(smooth)(wrap(smooth)(x, W), W)))
        gradient = ga.grad(loss, W)
        outputs = [
            ga.hessian(loss, W),
            ga.hvp(loss, W, given[W]),
            ga.grad(ga.sum(gradient * gradient), x),
            ga.jvp(loss, [x, W], [given[x], given[W]]),
            ga.jacobian(wrap(smooth)(x, W), x),
        ]
        found.append(values(outputs, given))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_checkpointed_gradient_agrees_with_differences() -> None:
    x, W = ga.input("x", ("batch", 3), "float64"), ga.parameter(np.eye(3) * 0.7 + 0.1, "W", dtype="float64")
    ga.check_gradients(ga.sum(ga.checkpoint(smooth)(ga.checkpoint(smooth)(x, W), W)), [x, W], order=2)


def test_a_forward_sweep_computes_nothing_twice() -> None:
    x = ga.input("x", (3,))
    tangent = ga.jvp(ga.checkpoint(ga.sin)(x), x, x)
    ops = [node.op for node in Graph((x,), (tangent,)).nodes]
    assert not any(isinstance(op, (Recompute, Checkpointed)) for op in ops)


# Over time.


def gated(h: Node, x_t: Node, weights: Sequence[Node]) -> Node:
    U, V, W = weights
    gate = ga.sigmoid(x_t @ U + h @ V)
    return gate * ga.tanh(h @ W + x_t @ U) + (1.0 - gate) * h


def recurrent(how: str, steps: int, segment: int = 8) -> tuple[Node, list[Node], Node]:
    """The input, the weights and the loss of a gated cell, with checkpoints around segments, steps, or nothing."""
    x = ga.input("x", (4, steps, 8))
    weights = layers(3, 8)

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = gated(h, x_t, weights)
        return h, ga.sum(h, axis=1)

    def unrolled(h: Node, xs: Node) -> tuple[Node, Node]:
        return ga.unroll(ga.checkpoint(cell) if how == "steps" else cell, h, xs, axis=1)

    h, outputs = ga.zeros_like(x[:, 0]), []
    part = ga.checkpoint(unrolled) if how == "segments" else unrolled
    for start in range(0, steps, segment):
        h, sums = part(h, x[:, start : start + segment])
        outputs.append(sums)
    return x, weights, ga.sum(ga.square(h)) + ga.sum(ga.concatenate(outputs, axis=1))


def results(how: str, steps: int = 24, **options: Any) -> tuple[list[Array], ga.Function]:
    x, weights, loss = recurrent(how, steps)
    function = ga.compile([x], [loss, *ga.grad(loss, [x, *weights])], **options)
    array = np.random.default_rng(2).normal(size=(4, steps, 8)).astype(np.float32)
    return function(array), function


@pytest.mark.parametrize("how", ["segments", "steps"])
def test_an_unrolled_net_has_the_same_gradients(how: str) -> None:
    for options in ({"passes": ()}, {"backend": "reference"}):
        assert_same(results(how, **options)[0], results("plain", **options)[0])
    for one, other in zip(results(how, verify=True)[0], results("plain")[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5)


def test_an_unrolled_net_of_checkpointed_segments_needs_less_memory() -> None:
    for options, share in (({}, 0.7), ({"passes": ()}, 0.6)):
        arenas = [results(how, 64, **options)[1].report().arena_bytes for how in ("plain", "segments")]
        assert arenas[1] < share * arenas[0]


def test_checkpointed_steps_are_still_folded_into_loops() -> None:
    assert loop_of("steps").report().statements < 40
    arenas = [loop_of(how, passes=()).report().arena_bytes for how in ("plain", "steps")]
    assert arenas[1] < 0.5 * arenas[0]


def loop_of(how: str, **options: Any) -> ga.Function:
    """One unrolling of many steps, with a gradient by its first state too, so that all its steps are alike."""
    x, h0, weights = ga.input("x", (4, 64, 8)), ga.parameter(np.zeros((4, 8)), "h0", dtype="float32"), layers(3, 8)

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        return gated(h, x_t, weights), None

    h, _ = ga.unroll(ga.checkpoint(cell) if how == "steps" else cell, h0, x, axis=1)
    return ga.compile([x], ga.grad(ga.sum(ga.square(h)), [h0, *weights]), **options)


def test_a_long_net_is_checkpointed_without_recursion() -> None:
    x = ga.input("x", (), "float64")

    def long(x: Node) -> Node:
        for _ in range(5_000):
            x = ga.sin(x)
        return x

    y = ga.checkpoint(long)(ga.checkpoint(long)(x))
    plain = long(long(x))
    given = {x: np.array(0.5)}
    assert_same(values([ga.grad(y, x)], given), values([ga.grad(plain, x)], given))


# Any net, with checkpoints anywhere.

STEPS: list[Callable[[Node, Node], Node]] = [
    lambda a, b: ga.tanh(a) * b,
    lambda a, b: ga.sin(a + b),
    lambda a, b: ga.where(b > 0.0, a, 0.5 * b),
    lambda a, b: a - ga.mean(b, axis=0, keepdims=True),
]


@st.composite
def programs(draw: st.DrawFn) -> list[Any]:
    """Lines, each a step on two earlier values; a list among them is a function of its own."""

    def lines(depth: int) -> list[Any]:
        count = draw(st.integers(1, 4))
        inner = [draw(st.booleans()) and depth < 3 for _ in range(count)]
        return [lines(depth + 1) if one else tuple(draw(st.integers(0, 99)) for _ in range(3)) for one in inner]

    return lines(0)


def run(program: list[Any], known: tuple[Node, ...], wrap: Wrap) -> tuple[Node, ...]:
    """All values, the given ones first."""
    for line in program:
        if isinstance(line, list):
            count = len(known)
            inner: Function = wrap(lambda *values, line=line, count=count: run(line, values, wrap)[count:])
            known += inner(*known)
        else:
            step, a, b = line
            known += (STEPS[step % len(STEPS)](known[a % len(known)], known[-1 - b % len(known)]),)
    return known


@given(programs(), st.integers(0, 9))
def test_checkpoints_anywhere_change_no_gradient(program: list[Any], seed: int) -> None:
    x, y = ga.input("x", (3, 2), "float64"), ga.input("y", (3, 2), "float64")
    arrays = np.random.default_rng(seed).standard_normal((2, 3, 2))
    found = []
    for wrap in (plainly, ga.checkpoint):
        loss = ga.sum(run(program, (x, y), wrap)[-1] * ga.sin(x))
        gradients = ga.grad(loss, [x, y], disconnected="zero")
        compiled = ga.compile([x, y], [loss, *gradients])(*arrays)
        found.append([*compiled, *values(gradients, {x: arrays[0], y: arrays[1]})])
    assert_same(*found)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ArgumentError, match="checkpoint takes a function; got 3"):
        ga.checkpoint(3)  # type: ignore[arg-type]


def test_the_name_of_the_function_and_of_its_result_stay() -> None:
    def block(x: Node) -> Node:
        return ga.sin(x).named("wave")

    wrapped = ga.checkpoint(block)
    assert wrapped.__name__ == "block"
    assert wrapped(ga.input("x", (3,))).name == "wave"
    assert value(ga.checkpoint(lambda: ga.constant(3.0))()) == 3.0
