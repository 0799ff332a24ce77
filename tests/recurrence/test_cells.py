"""Cells against back-propagation through time that is written out by hand, and what their users know of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.recurrence.fold import Delayed
from graphad.rewrite.cse import MERGE_EQUAL
from tests.autodiff.differences import value, values
from tests.rows.recurrent import gru_in_numpy, lstm_in_numpy, sigmoid

BATCH, STEPS, FEATURES, UNITS = 5, 28, 3, 4
Gradients = tuple[Array, Array, Array, Array, Array]


def draw(gates: int, *bias: int) -> list[Array]:
    """W, U and b."""
    generator, width = np.random.default_rng(1), gates * UNITS
    return [0.6 * generator.standard_normal(shape) for shape in ((FEATURES, width), (UNITS, width), (*bias, width))]


SEQUENCES = np.random.default_rng(0).standard_normal((BATCH, STEPS, FEATURES))


def lstm_by_hand(x: Array, W: Array, U: Array, b: Array) -> Gradients:
    """The states, and the gradients of sum(sin(h)) over all of them by x, W, U and b."""
    h = c = np.zeros((len(x), UNITS))
    before, states = [], []
    for t in range(x.shape[1]):
        before.append((h, c))
        h, c = lstm_in_numpy((h, c), x[:, t], W, U, b)
        states.append(h)
    dx, dW, dU, db = (np.zeros_like(array) for array in (x, W, U, b))
    dh = dc = np.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        h, c = before[t]
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        memory = np.tanh(f * c + i * g)
        dh = dh + np.cos(states[t])
        dc = dc + dh * o * (1 - memory**2)
        do = dh * memory * o * (1 - o)
        dz = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), do], axis=1)
        dW, dU, db = dW + x[:, t].T @ dz, dU + h.T @ dz, db + dz.sum(axis=0)
        dx[:, t], dh, dc = dz @ W.T, dz @ U.T, dc * f
    return np.stack(states, axis=1), dx, dW, dU, db


def gru_by_hand(x: Array, W: Array, U: Array, b: Array, reset_after: bool) -> Gradients:
    """The same of a GRU."""
    h, before, states = np.zeros((len(x), UNITS)), [], []
    for t in range(x.shape[1]):
        before.append(h)
        h = gru_in_numpy(h, x[:, t], W, U, b, reset_after)
        states.append(h)
    dx, *by_weights = (np.zeros_like(array) for array in (x, W, U, b))
    dh = np.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        dh = dh + np.cos(states[t])
        dx[:, t], dh, *now = gru_back(dh, before[t], x[:, t], W, U, b, reset_after)
        by_weights = [total + one for total, one in zip(by_weights, now, strict=True)]
    dW, dU, db = by_weights
    return np.stack(states, axis=1), dx, dW, dU, db


def gru_back(dh: Array, h: Array, x: Array, W: Array, U: Array, b: Array, reset_after: bool) -> Gradients:
    """One step back: the cotangents of x, the h before, W, U and b."""
    U_h, (b_x, b_h) = U[:, 2 * UNITS :], b if reset_after else (b, 0 * b)
    (x_z, x_r, x_g), (h_z, h_r, h_g) = np.split(x @ W + b_x, 3, axis=1), np.split(h @ U + b_h, 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    g = np.tanh(x_g + (r * h_g if reset_after else (r * h) @ U_h))
    dg = dh * (1 - z) * (1 - g**2)
    d_reset = dg @ U_h.T  # of r * h, if the gate comes first
    dr = (dg * h_g if reset_after else d_reset * h) * r * (1 - r)
    gates = np.concatenate([dh * (h - g) * z * (1 - z), dr], axis=1)
    from_x, from_h = (np.concatenate([gates, part], axis=1) for part in (dg, dg * r))
    by_x, by_W = from_x @ W.T, x.T @ from_x
    if reset_after:
        return by_x, dh * z + from_h @ U.T, by_W, h.T @ from_h, np.stack([from_x.sum(axis=0), from_h.sum(axis=0)])
    by_U = np.concatenate([h.T @ gates, (r * h).T @ dg], axis=1)
    return by_x, dh * z + d_reset * r + gates @ U[:, : 2 * UNITS].T, by_W, by_U, from_x.sum(axis=0)


def reset_before(*weights: Any, **options: Any) -> Any:
    return ga.gru_cell(*weights, reset_after=False, **options)


LSTM = (ga.lstm_cell, draw(4), lstm_by_hand)
GRU_AFTER = (ga.gru_cell, draw(3, 2), partial(gru_by_hand, reset_after=True))
GRU_BEFORE = (reset_before, draw(3), partial(gru_by_hand, reset_after=False))
NAMES = ["lstm", "gru, reset after", "gru, reset before"]
gated = pytest.mark.parametrize(("make", "weights", "by_hand"), [LSTM, GRU_AFTER, GRU_BEFORE], ids=NAMES)
makers = pytest.mark.parametrize(
    ("make", "gates"), [(ga.rnn_cell, 1), (ga.lstm_cell, 4), (ga.gru_cell, 3), (reset_before, 3)]
)


def declare(make: Callable[..., Any], weights: list[Array], steps: int = STEPS) -> tuple[list[Node], list[Node]]:
    """The inputs; and the states, and the gradients of sum(sin(h)) by all of them."""
    x = ga.input("x", ("batch", steps, FEATURES), weights[0].dtype)
    parameters = [ga.parameter(array, name) for array, name in zip(weights, "WUb", strict=True)]
    _, states = ga.unroll(make(*parameters), xs=x, axis=1)
    return [x], [states, *ga.grad(ga.sum(ga.sin(states)), [x, *parameters])]


@gated
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_28_steps_and_their_gradient_are_those_written_out_by_hand(
    make: Any, weights: list[Array], by_hand: Any, backend: str
) -> None:
    inputs, outputs = declare(make, weights)
    found = ga.compile(inputs, outputs, backend=backend, verify=True)(SEQUENCES)
    for array, expected in zip(found, by_hand(SEQUENCES, *weights), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-11, atol=1e-12)


@gated
def test_cells_are_loops_over_time_with_stacked_products(make: Any, weights: list[Array], by_hand: Any) -> None:
    compiled = [ga.compile(*declare(make, weights, steps)) for steps in (STEPS, 9)]
    for function, steps in zip(compiled, (STEPS, 9), strict=True):
        function(SEQUENCES[:, :steps])
    assert compiled[0].report().statements == compiled[1].report().statements
    source = compiled[0].source
    assert "_forward_steps:" in source  # a loop over time, and one back
    assert "_backward_steps:" in source
    assert f"({BATCH * STEPS}, {FEATURES})" in source  # x of all steps, times W, is one product


@gated
def test_a_folded_cell_reads_its_state_one_step_back_and_its_cotangent_one_step_on(
    make: Any, weights: list[Array], by_hand: Any
) -> None:
    long, short = (ga.fold(MERGE_EQUAL.run(Graph(*map(tuple, declare(make, weights, steps))))) for steps in (STEPS, 9))
    delays = {r.delay for series in long.series for r in series.references if isinstance(r, Delayed)}
    assert delays == {-1, 0, 1}
    assert str(long.unfold()) == str(long.graph)
    assert max(len(series.nodes) for series in long.series) == STEPS
    assert len(str(long).splitlines()) == len(str(short).splitlines())


@makers
def test_without_a_batch_a_cell_does_what_it_does_to_a_batch_of_one(make: Any, gates: int) -> None:
    cell = make(*draw(gates))
    x = ga.constant(SEQUENCES[0])
    _, alone = ga.unroll(cell, xs=x)
    _, batch = ga.unroll(cell, xs=ga.expand_dims(x, 0), axis=1)
    assert alone.shape == (STEPS, UNITS)
    np.testing.assert_allclose(value(alone), value(batch)[0], rtol=1e-13)


@makers
def test_no_bias_is_a_bias_of_zeros(make: Any, gates: int) -> None:
    W, U, b = draw(gates)
    first, second = (ga.unroll(cell, xs=SEQUENCES, axis=1)[1] for cell in (make(W, U), make(W, U, 0 * b)))
    np.testing.assert_array_equal(value(first), value(second))


@makers
def test_a_cell_starts_from_zeros_unless_it_is_told_otherwise(make: Any, gates: int) -> None:
    cell = make(*draw(gates))
    zeros = np.zeros((BATCH, UNITS))
    start = (zeros, zeros) if make is ga.lstm_cell else zeros
    first, second = (ga.unroll(cell, init, SEQUENCES, axis=1)[1] for init in (None, start))
    np.testing.assert_array_equal(value(first), value(second))
    other = ga.unroll(cell, (zeros + 1, zeros) if make is ga.lstm_cell else zeros + 1, SEQUENCES, axis=1)[1]
    assert np.abs(value(other) - value(first)).max() > 0.01


def test_the_first_carry_has_the_batch_and_the_dtype_of_the_net() -> None:
    W, U, b = (array.astype(np.float32) for array in draw(4))
    cell = ga.lstm_cell(W, U, b)
    assert [str(node.type) for node in cell.initial("batch")] == ["float32[batch, 4]"] * 2
    assert str(ga.gru_cell(*draw(3)).initial().type) == "float64[4]"
    (h, c), states = ga.unroll(cell, xs=ga.input("x", ("batch", "group", 6, FEATURES)), axis=2)
    assert str(h.type) == str(c.type) == "float32[batch, group, 4]"
    assert str(states.type) == "float32[batch, group, 6, 4]"


def test_the_lstms_gates_are_in_keras_order() -> None:
    """Only the biases speak: a gate of bias 40 is open, of -40 closed."""
    W, U, units = np.zeros((1, 8)), np.zeros((2, 8)), np.ones(2)

    def after(i: float, f: float, g: float, o: float) -> tuple[float, float]:
        cell = ga.lstm_cell(W, U, np.repeat([i, f, g, o], 2) * 1.0)
        ((h, c), _), *_ = [ga.unroll(cell, (0 * units, 0.5 * units), np.zeros((1, 1)))]
        return float(value(h)[0]), float(value(c)[0])

    assert after(-40, 40, 1, 40) == pytest.approx((np.tanh(0.5), 0.5))
    assert after(40, -40, 1, 40) == pytest.approx((np.tanh(np.tanh(1)), np.tanh(1)))
    assert after(40, 40, 40, -40) == pytest.approx((0, 1.5))


def test_the_grus_gates_are_in_keras_order_and_z_keeps_the_state() -> None:
    W, units = np.zeros((1, 6)), np.ones(2)
    U = np.concatenate([np.zeros((2, 4)), np.eye(2)], axis=1)

    def after(z: float, r: float, g: float) -> float:
        cell = ga.gru_cell(W, U, np.repeat([z, r, g], 2) * 1.0)
        return float(value(ga.unroll(cell, 0.5 * units, np.zeros((1, 1)))[0])[0])

    assert after(40, 0, 9) == pytest.approx(0.5)
    assert after(-40, -40, 0.3) == pytest.approx(np.tanh(0.3))
    assert after(-40, 40, 0.3) == pytest.approx(np.tanh(0.3 + 0.5))


def test_the_variants_of_the_gru_differ_by_where_the_reset_gate_stands() -> None:
    W, U, b = draw(3)
    after, before = (value(ga.unroll(make(W, U, b), xs=SEQUENCES, axis=1)[1]) for make in (ga.gru_cell, reset_before))
    assert np.abs(after - before).max() > 0.01
    b[UNITS : 2 * UNITS] = 50.0  # the reset gate stands open
    after, before = (value(ga.unroll(make(W, U, b), xs=SEQUENCES, axis=1)[1]) for make in (ga.gru_cell, reset_before))
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_one_row_of_biases_for_a_gru_is_that_of_the_input() -> None:
    W, U, b = draw(3)
    one, two = (
        value(ga.unroll(ga.gru_cell(W, U, bias), xs=SEQUENCES, axis=1)[1]) for bias in (b, np.stack([b, 0 * b]))
    )
    np.testing.assert_array_equal(one, two)


def test_a_memory_whose_gates_are_shut_loses_nothing_in_200_steps() -> None:
    b = np.repeat([-200.0, 200.0, 0.0, 0.0], UNITS)
    cell = ga.lstm_cell(np.zeros((1, 4 * UNITS)), np.zeros((UNITS, 4 * UNITS)), b)
    c = ga.input("c", (UNITS,), "float64")
    (_, last), _ = ga.unroll(cell, (np.zeros(UNITS), c), np.zeros((200, 1)))
    found, gradient = ga.compile([c], [last, ga.grad(ga.sum(last), c)])([1.0, -2.0, 0.5, 3.0])
    np.testing.assert_array_equal(found, [1.0, -2.0, 0.5, 3.0])
    np.testing.assert_array_equal(gradient, np.ones(UNITS))


@makers
def test_sums_of_ten_thousand_saturate_the_gates_and_nothing_overflows(make: Any, gates: int) -> None:
    weights = [1e4 * array.astype(np.float32) for array in draw(gates)]
    inputs, outputs = declare(make, weights)
    found = ga.compile(inputs, outputs)(SEQUENCES.astype(np.float32))
    assert all(np.isfinite(array).all() and array.dtype == np.float32 for array in found)
    assert np.abs(found[0]).max() <= 1


def test_the_functions_of_a_cell_may_be_others() -> None:
    def relu(x: Any) -> Any:
        return np.maximum(x, 0)

    W, U, b = draw(1)
    x = SEQUENCES[:, :1]
    found = value(ga.unroll(ga.rnn_cell(W, U, b, activation=ga.relu), xs=x, axis=1)[1])[:, 0]
    np.testing.assert_allclose(found, relu(x[:, 0] @ W + b), rtol=1e-13)
    W, U, b = draw(4)
    cell = ga.lstm_cell(W, U, b, activation=ga.relu, recurrent_activation=ga.tanh)
    i, _, g, o = np.split(x[:, 0] @ W + b, 4, axis=1)
    expected = np.tanh(o) * relu(np.tanh(i) * relu(g))
    np.testing.assert_allclose(value(ga.unroll(cell, xs=x, axis=1)[1])[:, 0], expected, rtol=1e-13)
    W, U, b = draw(3)
    cell = ga.gru_cell(W, U, b, activation=ga.relu, recurrent_activation=ga.tanh)
    z, _, g = np.split(x[:, 0] @ W + b, 3, axis=1)
    found = value(ga.unroll(cell, xs=x, axis=1)[1])[:, 0]
    np.testing.assert_allclose(found, (1 - np.tanh(z)) * relu(g), rtol=1e-12)


def test_pictures_and_listings_call_the_parts_of_a_cell_by_their_letters() -> None:
    x = ga.input("x", (STEPS, FEATURES))
    (h, _), _ = ga.unroll(ga.lstm_cell(*draw(4)), xs=x)
    nodes = Graph((x,), (h,)).nodes
    assert {"i", "f", "g", "o", "c", "h"} <= {node.name for node in nodes}
    assert {node.origin.scope.name for node in nodes if node.origin.scope is not None} == {"lstm"}


@makers
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda W, U, b: (W[:, 1:], U, b), ShapeError, r"kernel is \(features, g\).*float64\[3, \d+\]"),
        (lambda W, U, b: (W, U.T if len(U) < U.shape[1] else U[1:], b), ShapeError, "recurrent kernel"),
        (lambda W, U, b: (W, U, b[1:]), ShapeError, r"the bias \(g,\)"),
        (lambda W, U, b: (W[0], U, b), ShapeError, "kernel"),
        (lambda W, U, b: (W, ga.input("U", ("n", "m"), "float64"), b), ShapeError, r"float64\[n, m\]"),
        (lambda W, U, b: (W, 1.0, b), ShapeError, r"float32\[\]"),
        (lambda W, U, b: (W, U.astype("float32"), b), DTypeError, r"one dtype; got float64\[3.*float32\[4.*cast"),
        (lambda W, U, b: (W.astype(int), U.astype(int), None), DTypeError, "floats of one dtype"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_users_line(
    make: Any, gates: int, change: Any, error: type[GraphadError], message: str
) -> None:
    with pytest.raises(error, match=rf"(rnn|lstm|gru)_cell\(.*{message}.*\(at test_cells\.py:\d+\)"):
        make(*change(*draw(gates)))


@makers
def test_an_activation_is_a_function_and_not_its_name(make: Any, gates: int) -> None:
    with pytest.raises(ArgumentError, match=r"a function of nodes, such as ga\.tanh; got 'tanh' \(at test_cells\.py"):
        make(*draw(gates), activation="tanh")


def test_a_bias_of_two_rows_belongs_to_the_variant_that_resets_after() -> None:
    W, U, b = draw(3, 2)
    with pytest.raises(ShapeError, match=r"gru_cell\(.*the bias \(g,\), .*float64\[2, 12\]"):
        reset_before(W, U, b)


def test_a_step_function_that_knows_no_carry_needs_one() -> None:
    def echo(h: Node, x_t: Node) -> tuple[Node, Node]:
        return h, x_t

    with pytest.raises(ArgumentError, match=r"echo starts from nothing: give the first carry as init.*test_cells\.py"):
        ga.unroll(echo, xs=np.zeros((2, 3)))
    with pytest.raises(ArgumentError, match="lstm starts from nothing"):
        ga.unroll(ga.lstm_cell(*draw(4)), steps=3)


def test_a_carry_that_is_not_the_cells_is_refused() -> None:
    zeros = np.zeros((2, UNITS))
    with pytest.raises(ArgumentError, match=r"structure \* was expected, and \(\*, \*\) was given"):
        ga.unroll(ga.lstm_cell(*draw(4)), zeros, np.zeros((2, 6, FEATURES)), axis=1)
    with pytest.raises(GraphadError, match=r"test_cells\.py"):
        ga.unroll(ga.gru_cell(*draw(3)), np.zeros((2, UNITS + 1)), np.zeros((2, 6, FEATURES)), axis=1)


def test_second_derivatives_of_a_cell_are_finite_and_symmetric() -> None:
    w = ga.input("w", (2,), "float64")
    W, U, b = draw(3, 2)
    cell = ga.gru_cell(W * w[0], U * w[1], b)
    loss = ga.sum(ga.unroll(cell, xs=SEQUENCES[:, :4], axis=1)[0])
    slopes = ga.grad(loss, w)
    hessian = np.stack(values([ga.grad(slopes[i], w) for i in range(2)], {w: np.array([1.0, 0.5])}))
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10)
    assert np.abs(hessian).min() > 1e-6
