"""check_gradients passes right derivatives, and finds wrong ones and says where."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import (
    ArgumentError,
    DTypeError,
    GradientError,
    GradientMismatchError,
    GraphadError,
    ShapeError,
    UnreachedError,
)
from graphad.ir.node import Node, apply
from graphad.ops.elementwise import DirectionMap
from graphad.ops.transcendental import Tanh


@dataclass(frozen=True)
class WrongTanh(Tanh):
    """A tanh whose rule forgets a square."""

    name = "wrong_tanh"

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        return (lambda d: d * (1.0 - result),)


@dataclass(frozen=True)
class WrongSecond(Tanh):
    """A tanh whose rule is right, and whose rule's rule is not."""

    name = "wrong_second"

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        return (lambda d: d * (1.0 - ga.square(ga.stop_gradient(result))),)


def weights(*shape: int) -> Node:
    return ga.parameter(np.random.default_rng(1).normal(size=shape).astype("float32"), name="W")


def test_a_right_gradient_passes_to_second_order_and_says_what_was_checked() -> None:
    W, x = weights(3, 2), ga.input("x", shape=("batch", 3))
    check = ga.check_gradients(ga.sum(ga.tanh(x @ W)), [W, x], order=2)
    assert check.entries == 2 * (3 * 2 + 3 * 3)
    assert check.worst < 1e-8


def test_a_wrong_rule_is_found_and_the_worst_entry_is_named() -> None:
    W = weights(2, 5)
    with pytest.raises(GradientMismatchError, match=r"gradient of W at \[[01], [0-4]\]: .* by the graph, .* by diff"):
        ga.check_gradients(ga.sum(apply(WrongTanh(), W)), W)


def test_a_wrong_second_derivative_passes_at_order_1_and_is_found_at_order_2() -> None:
    W = weights(2, 5)
    loss = ga.sum(apply(WrongSecond(), W))
    ga.check_gradients(loss, W)
    with pytest.raises(GradientMismatchError, match="second derivative of W"):
        ga.check_gradients(loss, W, order=2)


def test_parameters_and_inputs_are_not_changed() -> None:
    W, x = weights(4), ga.input("x", shape=(4,))
    before, given = W.value, np.arange(4, dtype="float32")
    ga.check_gradients(ga.sum(W * W * x), [W, x], inputs={x: given})
    np.testing.assert_array_equal(W.value, before)
    np.testing.assert_array_equal(given, np.arange(4))


def test_intermediate_nodes_can_be_checked() -> None:
    x = ga.input("x", shape=(3,))
    h = ga.tanh(x)
    assert ga.check_gradients(ga.sum(h * h * h), h).entries == 3


def test_labels_can_be_given_and_named_sizes_follow_from_them() -> None:
    x, y = ga.input("x", shape=("batch", 3)), ga.input("y", shape=("batch",), dtype="int64")
    loss = ga.mean(ga.softmax_cross_entropy(x, y))
    assert ga.check_gradients(loss, x, inputs={y: [2, 0, 1, 2, 2]}).entries == 15


@pytest.mark.parametrize(
    ("mode", "small", "large"),
    [("auto", (6, 0), (50, 4)), ("entries", (6, 0), (930, 0)), ("projection", (0, 4), (0, 4))],
)
def test_a_mode_says_how_many_entries_and_directions_are_moved(
    mode: str, small: tuple[int, int], large: tuple[int, int]
) -> None:
    for W, expected in [(weights(3, 2), small), (weights(30, 31), large)]:
        check = ga.check_gradients(ga.sum(ga.tanh(W)), W, mode=mode)
        assert (check.entries, check.directions) == expected
        assert check.worst < 1e-8


@pytest.mark.parametrize("mode", ["auto", "entries", "projection"])
@pytest.mark.parametrize("order", [1, 2])
def test_every_mode_finds_a_wrong_rule_at_both_orders(mode: str, order: int) -> None:
    W = weights(16, 17)
    wrong = apply(WrongTanh() if order == 1 else WrongSecond(), W)
    with pytest.raises(GradientMismatchError, match=r"of W at \[\d+, \d+\]: .* by the graph, .* by differences"):
        ga.check_gradients(ga.sum(wrong), W, order=order, mode=mode)


def test_the_scale_of_a_loss_does_not_matter() -> None:
    W = weights(2, 3)
    for scale in (1e-12, 1.0, 1e12):
        assert ga.check_gradients(scale * ga.sum(ga.tanh(W)), W).worst < 1e-8
        with pytest.raises(GradientMismatchError):
            ga.check_gradients(scale * ga.sum(apply(WrongTanh(), W)), W)


def test_a_gradient_that_is_zero_by_cancellation_passes() -> None:
    logits, shift = ga.input("logits", (5, 3)), ga.parameter([[0.5]], name="shift")
    assert ga.check_gradients(ga.sum(ga.square(ga.softmax(logits + shift))), shift).right


def test_a_node_can_be_checked_together_with_what_it_is_computed_from() -> None:
    W = weights(3, 2)
    h = ga.tanh(W).named("h")
    check = ga.check_gradients(ga.sum(h * h * h), {"W": W, "h": h}, order=2)
    assert [(row.name, row.entries, row.right) for row in check.variables] == [
        ("W", 6, True), ("h", 6, True), ("W", 6, True), ("h", 6, True)
    ]  # fmt: skip
    with pytest.raises(GradientMismatchError, match=r"gradient of W.*right: wrong_tanh"):
        ga.check_gradients(ga.sum(ga.square(h := apply(WrongTanh(), W))), [W, h])


def test_nodes_without_names_are_told_apart() -> None:
    first, second = ga.parameter([1.0, 2.0]), ga.parameter([3.0, 4.0, 5.0])
    check = ga.check_gradients(ga.sum(first) * ga.sum(ga.square(second)), [first, second])
    assert [row.name for row in check.variables] == ["parameter", "parameter_2"]


def test_inputs_are_given_as_arrays_or_as_functions_of_the_shape() -> None:
    x, y = ga.input("x", shape=("batch", 3)), ga.input("y", shape=("batch",), dtype="int64")
    loss = ga.mean(ga.softmax_cross_entropy(x, y))
    shapes = []

    def labels(shape: tuple[int, ...]) -> np.ndarray:
        shapes.append(shape)
        return np.arange(shape[0]) % 3

    assert ga.check_gradients(loss, x, inputs={y: labels, x: np.ones((5, 3), "float32")}).entries == 15
    assert shapes == [(5,)]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (lambda x, W: {W: np.ones(3)}, ArgumentError, "gives values to inputs; <W"),
        (lambda x, W: {x: np.ones((5, 4), "float32")}, ShapeError, "'x'"),
        (lambda x, W: {x: lambda shape: np.ones((5, 4), "float32")}, ShapeError, "'x'"),
        (lambda x, W: {x: np.ones((5, 3), "complex64")}, DTypeError, "'x'"),
    ],
)
def test_values_that_do_not_fit_an_input_are_refused(given: Any, error: type[GraphadError], says: str) -> None:
    x, W = ga.input("x", shape=("batch", 3)), weights(3)
    with pytest.raises(error, match=says):
        ga.check_gradients(ga.sum(x * W), W, inputs=given(x, W))


def test_a_place_on_a_kink_is_reported_and_the_others_are_checked() -> None:
    x = ga.parameter([0.0, 1.0, -2.0], name="x")
    check = ga.check_gradients(ga.sum(ga.relu(3.0 * x)), x)
    (row,) = check.variables
    assert row.rough == ("x at [0]: 0 by the graph, slopes 0 and 3 on either side",)
    assert row.right
    assert "not smooth, so not told: x at [0]" in str(check)


def test_a_convention_between_the_slopes_of_a_kink_is_no_mistake() -> None:
    x = ga.parameter([0.0, 1.0], name="x")
    assert ga.check_gradients(ga.sum(ga.absolute(x)), x).right
    assert ga.check_gradients(ga.sum(ga.maximum(x, x)), x).right


def test_a_gradient_beyond_the_slopes_of_a_kink_is_wrong() -> None:
    x = ga.parameter([0.0, 1.0], name="x")
    with pytest.raises(GradientMismatchError, match=r"gradient of x at \[0\]"):
        ga.check_gradients(ga.sum(ga.relu(x)), x, gradients=np.array([1.5, 1.0]))


def test_where_nothing_is_smooth_nothing_is_called_right() -> None:
    x = ga.parameter([0.0, 0.0], name="x")
    with pytest.raises(GradientError, match="not smooth where x is, in any of the 2 places"):
        ga.check_gradients(ga.sum(ga.relu(x)), x)


def test_a_loss_that_is_no_number_cannot_be_checked() -> None:
    x = ga.parameter([0.0, 1.0], name="x")
    with pytest.raises(GradientError, match="the loss is -inf here"):
        ga.check_gradients(ga.sum(ga.log(x)), x)


def test_a_check_prints_as_a_table_with_the_worst_difference() -> None:
    W, b = weights(3, 2), ga.parameter([0.25, 0.5], name="b")
    text = str(ga.check_gradients(ga.sum(ga.tanh(W + b)), [W, b], order=2))
    lines = text.splitlines()
    assert lines[0].split() == ["parameter", "order", "shape", "entries", "directions", "worst"]
    assert [line.split()[:2] for line in lines[1:5]] == [["W", "1"], ["b", "1"], ["W", "2"], ["b", "2"]]
    assert all(line.endswith("  ok") for line in lines[1:5])
    assert lines[5].startswith(
        "the gradient is right: 16 entries compared with central differences; the worst is off by"
    )


def test_what_is_drawn_at_random_stays_as_it_is_during_a_check() -> None:
    W = weights(5, 7)
    loss = ga.sum(ga.square(ga.dropout(ga.tanh(W), 0.5) + ga.normal((5, 7), std=W)))
    first = ga.check_gradients(loss, W, order=2)
    assert first.worst < 1e-8
    assert ga.check_gradients(loss, W, order=2) == first
    assert ga.check_gradients(loss, W, order=2, seed=1).worst != first.worst
    with pytest.raises(GradientMismatchError, match=r"rule of wrong_tanh\("):
        ga.check_gradients(ga.sum(ga.dropout(apply(WrongTanh(), W), 0.5)), W)


def test_a_check_is_the_same_each_time() -> None:
    W = weights(20, 21)
    first, second = (ga.check_gradients(ga.sum(ga.tanh(W)), W, seed=3) for _ in range(2))
    assert first == second


def test_an_unreached_parameter_and_unknown_settings_are_errors() -> None:
    W = weights(2)
    with pytest.raises(UnreachedError, match="W"):
        ga.check_gradients(ga.sum(weights(3)), W)
    with pytest.raises(ArgumentError, match="order 1 or 2"):
        ga.check_gradients(ga.sum(W), W, order=3)
    with pytest.raises(ArgumentError, match="entries, projection"):
        ga.check_gradients(ga.sum(W), W, mode="all")
    with pytest.raises(ArgumentError, match="tolerance"):
        ga.check_gradients(ga.sum(W), W, tolerance=0.0)
