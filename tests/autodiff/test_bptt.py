"""The proof: the gradient of an unrolled recurrent net is back-propagation through time as the book writes it.

Goodfellow, Bengio and Courville, Deep Learning, section 10.2: equations 10.8 to 10.11 forward, 10.17 to 10.28
backward, in the book's notation (column vectors), written by hand in plain numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pytest

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import central_gradient

HIDDEN, INPUTS, CLASSES = 5, 3, 4
SHAPES = {
    "U": (HIDDEN, INPUTS),
    "W": (HIDDEN, HIDDEN),
    "b": (HIDDEN,),
    "V": (CLASSES, HIDDEN),
    "c": (CLASSES,),
    "h_before": (HIDDEN,),
}
Arrays: TypeAlias = dict[str, Array]
cases = pytest.mark.parametrize(("steps", "seed"), [(1, 0), (2, 1), (3, 2), (7, 3), (20, 4)])


@dataclass(frozen=True)
class Book:
    """The book's equations. Two of them can be written down wrongly, as people do."""

    forgets_the_transposed_recurrent_weight: bool = False
    forgets_the_bias: bool = False

    def forward(self, p: Arrays, x: Array, y: Array) -> tuple[float, list[Array], list[Array]]:
        """The loss, h(0) to h(T) and yhat(1) to yhat(T): equations 10.8 to 10.11."""
        h, yhat, loss = [p["h_before"]], [], 0.0
        for t in range(len(x)):
            a = p["b"] + p["W"] @ h[t] + p["U"] @ x[t]
            h.append(np.tanh(a))
            o = p["c"] + p["V"] @ h[-1]
            powers = np.exp(o - o.max())
            yhat.append(powers / powers.sum())
            loss -= float(np.log(yhat[t][y[t]]))
        return loss, h, yhat

    def gradient(self, p: Arrays, x: Array, y: Array) -> Arrays:
        """Equations 10.18 to 10.28; h[t + 1] is the book's h(t) at the step that reads x[t]."""
        _, h, yhat = self.forward(p, x, y)
        d = {name: np.zeros_like(array) for name, array in p.items()}
        grad_h = np.zeros(HIDDEN)
        for t in reversed(range(len(x))):
            grad_o = yhat[t] - np.eye(CLASSES)[y[t]]
            grad_h = grad_h + p["V"].T @ grad_o
            grad_a = (1 - h[t + 1] ** 2) * grad_h
            d["c"] += grad_o
            d["V"] += np.outer(grad_o, h[t + 1])
            d["b"] += 0.0 if self.forgets_the_bias else grad_a
            d["W"] += np.outer(grad_a, h[t])
            d["U"] += np.outer(grad_a, x[t])
            grad_h = grad_a if self.forgets_the_transposed_recurrent_weight else p["W"].T @ grad_a
        d["h_before"] = grad_h
        return d


@dataclass(frozen=True)
class Net:
    """The same net declared in graphad, with its loss and the loss's gradient by everything."""

    inputs: dict[str, Node]
    loss: Node
    hidden: Node

    @staticmethod
    def declare(steps: int) -> Net:
        """Unroll the net; parameters are inputs here, so that the same function serves central differences."""
        n = {name: ga.input(name, shape, "float64") for name, shape in SHAPES.items()}
        n |= {"x": ga.input("x", (steps, INPUTS), "float64"), "y": ga.input("y", (steps,), "int64")}

        def step(h: Node, at: dict[str, Node]) -> tuple[Node, dict[str, Node]]:
            h = ga.tanh(n["b"] + n["W"] @ h + n["U"] @ at["x"])
            o = n["c"] + n["V"] @ h
            return h, {"loss": ga.softmax_cross_entropy(o, at["y"]), "h": h}

        _, outputs = ga.unroll(step, n["h_before"], {"x": n["x"], "y": n["y"]})
        return Net(n, ga.sum(outputs["loss"]), outputs["h"])

    def function(self, backend: str = "numpy") -> ga.Function:
        """(parameters, x, y) -> the loss and its gradient by each parameter."""
        gradient = ga.grad(self.loss, {name: self.inputs[name] for name in SHAPES})
        return ga.compile(list(self.inputs.values()), (self.loss, gradient), backend=backend, verify=True)


def problem(steps: int, seed: int) -> tuple[Arrays, Array, Array]:
    generator = np.random.default_rng(seed)
    parameters = {name: 0.7 * generator.standard_normal(shape) for name, shape in SHAPES.items()}
    return parameters, generator.standard_normal((steps, INPUTS)), generator.integers(0, CLASSES, steps)


def worst(found: Arrays, expected: Arrays) -> float:
    """The largest difference, relative to the largest element of the gradient it is in."""
    return max(float(np.abs(found[name] - g).max() / np.abs(g).max()) for name, g in expected.items())


@cases
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_the_gradient_is_the_books(steps: int, seed: int, backend: str) -> None:
    parameters, x, y = problem(steps, seed)
    loss, gradient = Net.declare(steps).function(backend)(*parameters.values(), x, y)
    assert loss == pytest.approx(Book().forward(parameters, x, y)[0], rel=1e-13)
    assert worst(gradient, Book().gradient(parameters, x, y)) < 1e-12


@cases
def test_the_gradient_agrees_with_central_differences(steps: int, seed: int) -> None:
    parameters, x, y = problem(steps, seed)
    _, gradient = Net.declare(steps).function()(*parameters.values(), x, y)
    for name in SHAPES:

        def loss_of(array: Array, name: str = name) -> float:
            return Book().forward({**parameters, name: array}, x, y)[0]

        np.testing.assert_allclose(gradient[name], central_gradient(loss_of, parameters[name]), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("book", "wrong"),
    [
        (replace(Book(), forgets_the_transposed_recurrent_weight=True), {"U", "W", "b", "h_before"}),
        (replace(Book(), forgets_the_bias=True), {"b"}),
    ],
)
def test_a_forgotten_factor_is_seen_where_it_was_forgotten(book: Book, wrong: set[str]) -> None:
    parameters, x, y = problem(steps=7, seed=3)
    _, gradient = Net.declare(7).function()(*parameters.values(), x, y)
    mistaken = book.gradient(parameters, x, y)
    assert {name for name in SHAPES if np.abs(gradient[name] - mistaken[name]).max() > 1e-3} == wrong


def test_the_gradient_by_each_hidden_state_is_the_books() -> None:
    parameters, x, y = problem(steps=7, seed=5)
    net = Net.declare(7)
    states = list(net.hidden.operands)
    assert len(states) == 7
    found = ga.compile(list(net.inputs.values()), ga.grad(net.loss, states))(*parameters.values(), x, y)
    _, h, yhat = Book().forward(parameters, x, y)
    expected = np.zeros(HIDDEN)
    for t in reversed(range(7)):
        expected = expected + parameters["V"].T @ (yhat[t] - np.eye(CLASSES)[y[t]])
        np.testing.assert_allclose(found[t], expected, rtol=1e-12)
        expected = parameters["W"].T @ ((1 - h[t + 1] ** 2) * expected)


def test_the_gradient_of_a_batch_is_the_sum_over_its_sequences() -> None:
    """The same net with rows for examples, as users write it: (batch, time, features) and x @ U'."""
    steps, batch = 6, 4
    parameters, *_ = problem(steps, seed=6)
    generator = np.random.default_rng(7)
    xs, ys = generator.standard_normal((batch, steps, INPUTS)), generator.integers(0, CLASSES, (batch, steps))
    p = {name: ga.parameter(array, name) for name, array in parameters.items()}
    x_node, y_node = ga.input("x", ("batch", steps, INPUTS), "float64"), ga.input("y", ("batch", steps), "int64")

    def step(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(x_t @ p["U"].T + h @ p["W"].T + p["b"])
        return h, h @ p["V"].T + p["c"]

    start = ga.broadcast_to(p["h_before"], ("batch", HIDDEN))
    _, logits = ga.unroll(step, start, x_node, axis=1)
    loss = ga.sum(ga.softmax_cross_entropy(logits, y_node))
    found = ga.compile([x_node, y_node], ga.grad(loss, p))(xs, ys)
    parts = [Book().gradient(parameters, xs[i], ys[i]) for i in range(batch)]
    assert worst(found, {name: np.sum([part[name] for part in parts], axis=0) for name in SHAPES}) < 1e-12
