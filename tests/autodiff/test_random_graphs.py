"""Graphs that nobody wrote: what holds of every rule must hold of every graph made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.verify import verify
from tests.autodiff.differences import STEP, value, values

ROWS, COLUMNS = 3, 2
MOST_NODES = 25

# Smooth functions whose values stay about 1, so that central differences keep their digits whatever is composed.
UNARY: dict[str, Callable[[Node], Node]] = {
    "tanh": ga.tanh,
    "sigmoid": ga.sigmoid,
    "sin": ga.sin,
    "cos": ga.cos,
    "negative": ga.negative,
    "softplus of tanh": lambda x: ga.softplus(ga.tanh(x)),
    "exp of sin": lambda x: ga.exp(ga.sin(x)),
    "log1p of a square": lambda x: ga.log1p(ga.square(x)),
    "sqrt of a sum": lambda x: ga.sqrt(2.0 + ga.cos(x)),
    "reciprocal of a sum": lambda x: ga.reciprocal(2.0 + ga.sin(x)),
    "power": lambda x: (1.5 + ga.tanh(x)) ** 1.7,
    "softmax": ga.softmax,
    "log_softmax": lambda x: ga.log_softmax(x, axis=0),
    "less its mean": lambda x: x - ga.mean(x, axis=0, keepdims=True),
    "less its sum": lambda x: x - 0.3 * ga.sum(x, axis=1, keepdims=True),
    "backwards": lambda x: x[::-1],
    "rolled": lambda x: ga.concatenate([x[1:], x[:1]]),
    "restacked": lambda x: ga.stack([x[:, 1], x[:, 0]], axis=1),
    "reshaped and back": lambda x: ga.tanh(ga.transpose(x)).reshape(ROWS, COLUMNS),
    "gram": lambda x: 0.2 * (x @ (x.T @ x)),
    "taken": lambda x: ga.take_along_axis(x, [[0, 0], [1, 0], [1, 1]], axis=1),
    "one of three": lambda x: ga.broadcast_to(ga.expand_dims(x[1], 0), (ROWS, COLUMNS)),
}
BINARY: dict[str, Callable[[Node, Node], Node]] = {
    "add": ga.add,
    "subtract": ga.subtract,
    "multiply": ga.multiply,
    "divide": lambda x, y: x / (1.5 + ga.square(y)),
    "power": lambda x, y: (1.5 + ga.sin(x)) ** ga.tanh(y),
    "matmul": lambda x, y: 0.3 * (x @ (y.T @ ga.tanh(x))),
    "outer": lambda x, y: ga.matmul(x, ga.stack([y[0], ga.sin(y[2])])),
    "where": lambda x, y: ga.where(np.array([[True], [False], [True]]), x, y),
}


@st.composite
def functions(draw: st.DrawFn) -> tuple[list[Node], Node]:
    """Two inputs of ROWS by COLUMNS, and a node of that shape that is made of them in 1 to MOST_NODES steps."""
    inputs = [ga.input(name, (ROWS, COLUMNS), "float64") for name in "xy"]
    nodes = list(inputs)
    for _ in range(draw(st.integers(1, MOST_NODES))):
        if draw(st.booleans()):
            nodes.append(UNARY[draw(st.sampled_from(sorted(UNARY)))](draw(st.sampled_from(nodes))))
        else:
            pair = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
            nodes.append(BINARY[draw(st.sampled_from(sorted(BINARY)))](*pair))
        nodes.append(ga.tanh(nodes.pop()) if draw(st.integers(0, 2)) == 0 else nodes.pop())
    return inputs, ga.tanh(nodes[-1])


def points(seed: int) -> tuple[Array, Array, Array, Array, Array]:
    """Two operands, two tangents, a cotangent."""
    generator = np.random.default_rng(seed)
    a, b, v, w, c = (generator.standard_normal((ROWS, COLUMNS)) for _ in range(5))
    return a, b, v, w, c


@given(functions(), st.integers(0, 99))
def test_the_numpy_backend_computes_what_the_reference_computes(function: tuple[list[Node], Node], seed: int) -> None:
    inputs, result = function
    a, b, _, _, c = points(seed)
    outputs = [result, *ga.vjp(result, inputs, c, disconnected="zero")]
    found = ga.compile(inputs, outputs, verify=True)(a, b)
    for array, expected in zip(found, values(outputs, dict(zip(inputs, (a, b), strict=True))), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-11)


@given(functions(), st.integers(0, 99))
def test_the_gradient_agrees_with_differences_and_with_forward_mode(
    function: tuple[list[Node], Node], seed: int
) -> None:
    inputs, result = function
    a, b, v, w, c = points(seed)
    given = dict(zip(inputs, (a, b), strict=True))
    backward = values(ga.vjp(result, inputs, c, disconnected="zero"), given)
    forward = float(np.sum(c * value(ga.jvp(result, inputs, [v, w]), given)))
    over_here = float(np.sum(backward[0] * v) + np.sum(backward[1] * w))
    np.testing.assert_allclose(over_here, forward, rtol=1e-9, atol=1e-10)
    ahead, behind = (value(result, dict(zip(inputs, (a + s * v, b + s * w), strict=True))) for s in (STEP, -STEP))
    scale = max(1.0, float(np.abs(backward[0]).max()), float(np.abs(backward[1]).max()))
    np.testing.assert_allclose(forward, np.sum(c * (ahead - behind)) / (2 * STEP), atol=1e-7 * scale**3)


@given(functions())
def test_the_graphs_of_derivatives_are_valid(function: tuple[list[Node], Node]) -> None:
    inputs, result = function
    gradient = ga.vjp(result, inputs, np.ones((ROWS, COLUMNS)), disconnected="zero")
    tangent = ga.jvp(result, inputs, inputs)
    verify(Graph(tuple(inputs), (result, *gradient, tangent)))
