"""Planted mistakes in gradient rules: the check names the operation, its step and its line, however deep the graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import graphad as ga
from graphad.errors import GradientMismatchError, UnreachedError
from graphad.ir.node import Node, apply
from graphad.ops.arithmetic import Add
from graphad.ops.build import broadcast
from graphad.ops.contraction import Matmul, swap_last
from graphad.ops.elementwise import DirectionMap
from graphad.ops.transcendental import Tanh

HIDDEN, INPUTS, CLASSES, STEPS = 5, 3, 4, 6


@dataclass(frozen=True)
class WithoutTranspose(Matmul):
    """Z = X W, and dX = dZ W: as wide as it should be, if W is square."""

    name = "without_transpose"

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        x, y = operands
        return cotangent @ y, swap_last(x) @ cotangent


@dataclass(frozen=True)
class WithoutBias(Add):
    """z + b, of which b hears nothing."""

    name = "without_bias"

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        return cotangent, None


@dataclass(frozen=True)
class WithoutSquare(Tanh):
    """A tanh whose rule forgets a square."""

    name = "without_square"

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        return (lambda d: d * (1.0 - result),)


@dataclass(frozen=True)
class WithoutSecond(Tanh):
    """A tanh whose rule is right, and whose rule's rule is not."""

    name = "without_second"

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        return (lambda d: d * (1.0 - ga.square(ga.stop_gradient(result))),)


Binary = Callable[[Node, Node], Node]


def line_of(text: str) -> int:
    """The line of this file that has the text, and that it is blamed."""
    lines = enumerate(Path(__file__).read_text().splitlines(), start=1)
    (found,) = (number for number, line in lines if text in line and line.endswith("# this line is blamed"))
    return found


class Net:
    """A recurrent net whose products, sums and activation can be replaced by wrong ones."""

    def __init__(self, steps: int = STEPS, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)

        def parameter(name: str, *shape: int) -> Node:
            return ga.parameter(0.6 * generator.standard_normal(shape).astype("float32"), name)

        self.x, self.y = ga.input("x", ("batch", steps, INPUTS)), ga.input("y", ("batch",), "int64")
        self.U, self.W, self.b = parameter("U", INPUTS, HIDDEN), parameter("W", HIDDEN, HIDDEN), parameter("b", HIDDEN)
        self.V = parameter("V", HIDDEN, CLASSES)

    def loss(
        self,
        product: Binary = ga.matmul,
        total: Binary = ga.add,
        activation: Callable[[Node], Node] = ga.tanh,
        strange_step: int | None = None,
    ) -> Node:
        step = iter(range(100_000))

        def cell(h: Node, x_t: Node) -> tuple[Node, None]:
            multiply = product if strange_step in (None, next(step)) else ga.matmul
            z = x_t @ self.U + multiply(h, self.W)
            biased = total(z, self.b)
            return activation(biased).named("h"), None

        h, _ = ga.unroll(cell, ga.broadcast_to(0.0, ("batch", HIDDEN)), self.x, axis=1)
        return ga.mean(ga.softmax_cross_entropy(h @ self.V, self.y))

    @property
    def parameters(self) -> list[Node]:
        return [self.U, self.W, self.b, self.V]


def without_transpose(x: Node, y: Node) -> Node:
    return apply(WithoutTranspose(), x, y)  # this line is blamed


def without_bias(x: Node, y: Node) -> Node:
    return apply(WithoutBias(), x, broadcast(y, x.shape))  # this line is blamed


def message_of(loss: Node, wrt: list[Node], **settings: object) -> str:
    with pytest.raises(GradientMismatchError) as caught:
        ga.check_gradients(loss, wrt, **settings)  # type: ignore[arg-type]
    return str(caught.value)


def test_the_net_without_a_mistake_passes_to_second_order() -> None:
    net = Net()
    check = ga.check_gradients(net.loss(), net.parameters, order=2)
    assert check.worst < 1e-8
    assert check.entries == 2 * (15 + 25 + 5 + 20)


@pytest.mark.parametrize("mode", ["auto", "entries", "projection"])
def test_a_recurrent_weight_without_its_transpose_is_blamed_at_its_last_step_and_line(mode: str) -> None:
    net = Net()
    message = message_of(net.loss(product=without_transpose), net.parameters, mode=mode)
    place = f"step 5 test_blame.py:{line_of('WithoutTranspose()')}"
    assert f"without_transpose(h: float64[3, 5], W: float64[5, 5]) (at {place})" in message
    assert "its own cotangent is right, but to its operand h (number 1)" in message
    assert re.search(r"so it does \d more times in that line", message)
    assert message.endswith("right: V")


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_mistake_at_one_step_is_blamed_at_that_step(step: int) -> None:
    net = Net()
    message = message_of(net.loss(product=without_transpose, strange_step=step), net.parameters)
    assert f"(at step {step} test_blame.py:{line_of('WithoutTranspose()')})" in message
    assert "more times" not in message


def test_a_forgotten_bias_is_named_and_the_addition_that_forgets_it_is_blamed() -> None:
    net = Net()
    message = message_of(net.loss(total=without_bias), net.parameters)
    assert message.startswith("gradient of b at [")
    assert "it is zero everywhere" in message
    assert "was it forgotten?" in message
    place = f"step 5 test_blame.py:{line_of('WithoutBias()')}"
    assert f"without_bias(add: float64[3, 5], broadcast_to: float64[3, 5]) (at {place})" in message
    assert "passes 0 on" in message
    assert message.endswith("right: U, W, V")


def test_a_wrong_rule_of_an_activation_is_blamed_and_not_the_products_around_it() -> None:
    net = Net()
    message = message_of(net.loss(activation=lambda z: apply(WithoutSquare(), z)), net.parameters)
    assert "to blame is the gradient rule of without_square(add: float64[3, 5]) (at step 5" in message


def test_of_two_mistakes_the_one_nearer_to_the_loss_is_blamed() -> None:
    W = ga.parameter(np.random.default_rng(1).normal(size=(4, 4)), name="W")
    inner = apply(WithoutTranspose(), ga.tanh(W), W)
    message = message_of(ga.sum(ga.sin(apply(WithoutSquare(), inner))), [W])
    assert "rule of without_square(" in message


def test_a_wrong_second_derivative_names_the_rule_that_made_the_wrong_node() -> None:
    W = ga.parameter(np.random.default_rng(1).normal(size=(2, 5)), name="W")
    message = message_of(ga.sum(apply(WithoutSecond(), W)), [W], order=2)
    assert message.startswith("second derivative of W at [")
    assert "stop_gradient(without_second: float64[2, 5])" in message
    assert "made by the vjp of without_second" in message


def test_a_gradient_that_is_not_a_number_is_blamed_on_the_branch_that_made_it() -> None:
    x = ga.parameter([-1.0, 0.5, 2.0], name="x")
    message = message_of(ga.sum(ga.where(x > 0, ga.sqrt(x), 0.0)), [x])
    assert message.startswith("gradient of x at [0]: nan by the graph")
    assert "rule of sqrt(x: float64[3])" in message


def test_a_stopped_gradient_is_told_as_such() -> None:
    x = ga.parameter([1.0, 2.0, 3.0], name="x")
    message = message_of(ga.sum(x * ga.stop_gradient(x)), [x])
    assert "every entry is 0.5 times what it should be" in message
    assert "stop_gradient(x: float64[3]) (at test_blame.py:" in message
    assert "on purpose" in message


def test_a_parameter_behind_a_stopped_gradient_is_unreached_and_no_mismatch() -> None:
    x, other = ga.parameter([1.0, 2.0, 3.0], name="x"), ga.parameter([1.0, 2.0, 3.0], name="other")
    with pytest.raises(UnreachedError, match="x"):
        ga.check_gradients(ga.sum(other * ga.stop_gradient(x)), [x, other])


def test_a_gradient_that_the_user_wrote_is_blamed_by_the_name_of_its_function() -> None:
    x = ga.parameter([0.5, -1.0, 2.0], name="x")

    def cube(v: Node) -> Node:
        return v * v * v

    right = ga.custom_gradient(cube, lambda c, result, v: 3.0 * c * v * v)
    assert ga.check_gradients(ga.sum(ga.sin(right(x))), x, order=2).right
    wrong = ga.custom_gradient(cube, lambda c, result, v: 2.0 * c * v * v)
    message = message_of(ga.sum(ga.sin(wrong(x))), [x])
    assert "to blame is the vjp that was written for cube, in custom_gradient(multiply: float64[3], x:" in message
    assert "test_blame.py:" in message


def test_an_operand_that_a_written_gradient_forgets_is_a_mismatch_and_not_unreached() -> None:
    x, scale = ga.parameter([0.5, -1.0, 2.0], name="x"), ga.parameter([3.0, 1.0, 2.0], name="scale")
    scaled = ga.custom_gradient(lambda v, s: v * s, lambda c, result, v, s: (c * s, None))
    message = message_of(ga.sum(ga.tanh(scaled(x, scale))), [x, scale])
    assert message.startswith("gradient of scale at [")
    assert "was it forgotten?" in message
    assert "in custom_gradient(" in message


def test_checkpoints_change_nothing_and_clipped_gradients_are_told_as_such() -> None:
    x = ga.parameter([0.5, -1.0, 2.0], name="x")
    layer = ga.checkpoint(lambda v: ga.tanh(ga.sin(v)))
    assert ga.check_gradients(ga.sum(layer(layer(x))), x, order=2).right
    message = message_of(ga.sum(ga.checkpoint(lambda v: apply(WithoutSquare(), v))(x)), [x])
    assert "rule of without_square(x: float64[3])" in message
    message = message_of(ga.sum(ga.square(ga.clip_gradient(x, -1.0, 1.0))), [x])
    assert "clip_gradient(x: float64[3]) (at test_blame.py:" in message
    assert "on purpose" in message


def test_blame_needs_no_recursion_and_little_time_on_a_long_chain() -> None:
    net = Net(steps=400)
    message = message_of(net.loss(product=without_transpose, strange_step=390), [net.V, net.b], mode="projection")
    assert f"(at step 390 test_blame.py:{line_of('WithoutTranspose()')})" in message


def test_the_largest_node_of_a_net_is_found_wrong_by_projection_and_led_to_an_entry() -> None:
    W = ga.parameter(np.random.default_rng(1).normal(size=(60, 60)) / 8, name="W")
    spoilt = ga.parameter(np.eye(60), name="spoilt")
    loss = ga.sum(ga.tanh(W[:59] @ spoilt)) + ga.sum(apply(WithoutSquare(), W[59:, :1]))
    message = message_of(loss, [W], mode="projection")
    assert message.startswith("gradient of W at [59, 0]:")
    assert "rule of without_square(" in message
