"""Gradients made by hand: which one is wrong, by how much, and what the mistake looks like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, GradientMismatchError, GraphadError, ShapeError
from graphad.ir.node import Node

HIDDEN, INPUTS, CLASSES, STEPS = 5, 3, 4, 7
SHAPES = {"U": (HIDDEN, INPUTS), "W": (HIDDEN, HIDDEN), "b": (HIDDEN,), "V": (CLASSES, HIDDEN), "c": (CLASSES,)}


class Book:
    """The recurrent net of Goodfellow, Bengio and Courville, Deep Learning, section 10.2, and its gradient by hand.

    Equations 10.8 to 10.11 forward and 10.18 to 10.28 backward, in graphad's own operations; two factors of the
    latter can be forgotten, as people do.
    """

    def __init__(self) -> None:
        generator = np.random.default_rng(3)
        self.p = {name: ga.parameter(0.7 * generator.standard_normal(shape), name) for name, shape in SHAPES.items()}
        self.x, self.y = ga.input("x", (STEPS, INPUTS), "float64"), ga.input("y", (STEPS,), "int64")
        self.start = ga.constant(np.zeros(HIDDEN))
        _, self.at = ga.unroll(self._forward, self.start, {"x": self.x, "y": self.y})
        self.loss = ga.sum(self.at["loss"])

    def _forward(self, h: Node, at: dict[str, Node]) -> tuple[Node, dict[str, Node]]:
        p = self.p
        h = ga.tanh(p["b"] + p["W"] @ h + p["U"] @ at["x"]).named("h")
        o = p["c"] + p["V"] @ h
        return h, {"h": h, "o": o, "loss": ga.softmax_cross_entropy(o, at["y"])}

    def gradient(self, without_transposed_weight: bool = False) -> dict[str, Node]:
        p = self.p

        def backward(grad_h: Node, at: dict[str, Node]) -> tuple[Node, dict[str, Node]]:
            grad_o = ga.softmax(at["o"]) - ga.one_hot(at["y"], CLASSES, "float64")
            grad_h = grad_h + p["V"].T @ grad_o
            grad_a = (1.0 - at["h"] * at["h"]) * grad_h
            return grad_a if without_transposed_weight else p["W"].T @ grad_a, {"a": grad_a, "o": grad_o}

        xs = {"h": self.at["h"], "o": self.at["o"], "y": self.y}
        _, grads = ga.unroll(backward, ga.zeros_like(self.start), xs, reverse=True)
        before = ga.concatenate([ga.expand_dims(self.start, 0), self.at["h"][:-1]], axis=0)
        return {
            "U": grads["a"].T @ self.x,
            "W": grads["a"].T @ before,
            "b": ga.sum(grads["a"], axis=0),
            "V": grads["o"].T @ self.at["h"],
            "c": ga.sum(grads["o"], axis=0),
        }

    def check(self, gradients: Any) -> str:
        """What the check says of gradients that are wrong."""
        with pytest.raises(GradientMismatchError) as caught:
            ga.check_gradients(self.loss, self.p, gradients=gradients)
        return str(caught.value)


def test_the_books_gradient_passes() -> None:
    book = Book()
    check = ga.check_gradients(book.loss, book.p, gradients=book.gradient())
    assert check.entries == sum(int(np.prod(shape)) for shape in SHAPES.values())
    assert check.worst < 1e-8


def test_a_dropped_transpose_of_the_recurrent_weight_is_told_with_the_step_from_which_on_it_is_missing() -> None:
    book = Book()
    message = book.check(book.gradient(without_transposed_weight=True))
    assert "also wrong: " in message
    assert message.endswith("right: V, c")
    assert "the cotangent of h (at step 6 test_by_hand.py:" in message
    assert "is found by hand, and no more at step 5 (off by " in message
    assert "look at what carries it" in message


def test_a_forgotten_bias_is_zero_everywhere() -> None:
    book = Book()
    message = book.check(book.gradient() | {"b": ga.zeros_like(book.p["b"])})
    assert message.startswith("gradient of b at [")
    assert "it is zero everywhere, where differences say up to " in message
    assert message.endswith("was it forgotten?; right: U, V, W, c")


def test_a_transposed_gradient_a_turned_sign_and_a_factor_are_recognised() -> None:
    book, right = Book(), Book.gradient
    assert "it is the transpose of what it should be" in book.check(right(book) | {"W": right(book)["W"].T})
    assert "its sign is turned" in book.check(right(book) | {"U": -right(book)["U"]})
    twice = book.check(right(book) | {"V": 7.0 * right(book)["V"], "c": right(book)["c"] / 7.0})
    assert "every entry is 7 times what it should be" in twice
    assert "every entry is 0.142857 times what it should be" in twice


def test_gradients_can_be_arrays_for_given_inputs() -> None:
    x, W = ga.input("x", ("batch", 3)), ga.parameter(np.arange(6.0).reshape(3, 2) / 4, name="W")
    data = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    by_hand = 2.0 * data.astype("float64").T @ (data @ W.value)
    loss = ga.sum(ga.square(x @ W))
    assert ga.check_gradients(loss, [W], gradients=[by_hand], inputs={x: data}).worst < 1e-8
    with pytest.raises(GradientMismatchError, match=r"every entry is 0\.5 times"):
        ga.check_gradients(loss, W, gradients=by_hand / 2, inputs={x: data})


@pytest.mark.parametrize(
    ("gradients", "error", "says"),
    [
        ({"W": None}, ArgumentError, "W.* is None"),
        ({"W": np.zeros((2, 3))}, ShapeError, "same shape"),
        ({"W": np.zeros((3, 2), "int64")}, ShapeError, "floats"),
        ({"V": np.zeros((3, 2))}, ArgumentError, "structure"),
        (np.zeros((3, 2)), ArgumentError, "structure"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(gradients: Any, error: type[GraphadError], says: str) -> None:
    W = ga.parameter(np.ones((3, 2)), name="W")
    with pytest.raises(error, match=says):
        ga.check_gradients(ga.sum(W * W), {"W": W}, gradients=gradients)


def test_gradients_made_by_hand_have_no_second_order() -> None:
    W = ga.parameter(np.ones((3, 2)), name="W")
    with pytest.raises(ArgumentError, match="order 1"):
        ga.check_gradients(ga.sum(W * W), W, order=2, gradients=2.0 * W)
