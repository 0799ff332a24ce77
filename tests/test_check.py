"""check_gradients passes right derivatives, and finds wrong ones and says where."""

from dataclasses import dataclass

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, GradientMismatchError, UnreachedError
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


def test_of_a_large_node_200_entries_are_moved() -> None:
    W = weights(30, 31)
    assert ga.check_gradients(ga.sum(ga.square(W)), W).entries == 200


def test_an_unreached_parameter_and_an_unknown_order_are_errors() -> None:
    W = weights(2)
    with pytest.raises(UnreachedError, match="W"):
        ga.check_gradients(ga.sum(weights(3)), W)
    with pytest.raises(ArgumentError, match="order 1 or 2"):
        ga.check_gradients(ga.sum(W), W, order=3)
