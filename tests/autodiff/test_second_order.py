"""Jacobians and Hessians against closed forms, central differences, and each other, in every nesting of the modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, GradientError, ShapeError, UnreachedError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import STEP, central_gradient_of, value, values

GENERATOR = np.random.default_rng(3)
A, B = GENERATOR.standard_normal((5, 3)), GENERATOR.standard_normal((3, 3))
POINT = np.array([0.3, -1.2, 0.7])


def vector(name: str = "x", size: int = 3) -> Node:
    return ga.input(name, (size,), "float64")


def central_jacobian(y: Node, x: Node, given: dict[Node, Array]) -> Array:
    """By central differences, column by column."""
    columns = np.empty((*y.type.static_shape, *x.type.static_shape))
    for place in np.ndindex(*x.type.static_shape):
        moved = []
        for step in (STEP, -STEP):
            array = given[x].copy()
            array[place] += step
            moved.append(value(y, {**given, x: array}))
        columns[(..., *place)] = (moved[0] - moved[1]) / (2 * STEP)
    return columns


# Jacobians.


@pytest.mark.parametrize("matrix", [A, A.T], ids=["more rows", "more columns"])
def test_the_jacobian_of_a_product_with_a_matrix_is_the_matrix(matrix: Array) -> None:
    x = vector(size=matrix.shape[1])
    found = value(ga.jacobian(ga.constant(matrix) @ x, x), {x: np.zeros(matrix.shape[1])})
    np.testing.assert_array_equal(found, matrix)


def test_the_jacobian_of_an_elementwise_function_is_diagonal() -> None:
    x = vector()
    np.testing.assert_allclose(value(ga.jacobian(ga.sin(x), x), {x: POINT}), np.diag(np.cos(POINT)))


def test_the_jacobian_of_a_node_by_itself_is_the_identity() -> None:
    x = ga.input("x", (2, 3), "float64")
    np.testing.assert_array_equal(value(ga.jacobian(x, x), {x: np.zeros((2, 3))}), np.eye(6).reshape(2, 3, 2, 3))


def test_the_shape_is_that_of_the_function_then_that_of_the_variable() -> None:
    x, W = ga.input("x", (2, 3), "float64"), ga.input("W", (3, 4), "float64")
    given = {x: GENERATOR.standard_normal((2, 3)), W: GENERATOR.standard_normal((3, 4))}
    y = ga.tanh(x @ W)
    for wrt in (x, W):
        jacobian = ga.jacobian(y, wrt)
        assert jacobian.shape == (*y.shape, *wrt.shape)
        np.testing.assert_allclose(value(jacobian, given), central_jacobian(y, wrt, given), atol=1e-8)


def test_of_a_scalar_it_is_the_gradient_and_by_a_scalar_the_derivative() -> None:
    x, s = vector(), ga.input("s", (), "float64")
    loss = ga.sum(ga.exp(x))
    np.testing.assert_allclose(value(ga.jacobian(loss, x), {x: POINT}), np.exp(POINT))
    np.testing.assert_allclose(value(ga.jacobian(ga.sin(s * POINT), s), {s: np.array(2.0)}), POINT * np.cos(2 * POINT))
    assert value(ga.jacobian(s * s, s), {s: np.array(3.0)}) == 6


def sweeps(jacobian: Node) -> int:
    """How many directions a Jacobian was made of."""
    templates = (node.origin.template for node in Graph((), (jacobian,)).nodes)
    return sum(template is not None and template[-2] == "direction" for template in templates)


def test_the_shorter_side_is_swept() -> None:
    x, W = ga.input("x", (7, 3), "float64"), ga.input("W", (3, 2), "float64")
    y = ga.tanh(x @ W)  # 14 elements
    assert sweeps(ga.jacobian(y, W)) == 6
    assert sweeps(ga.jacobian(y, x)) == 14
    assert sweeps(ga.jacobian(ga.sum(y, axis=0), x)) == 2
    assert sweeps(ga.jacobian(ga.sum(y), [x, W])[0]) == 1


def test_either_side_may_have_a_named_size_but_not_both() -> None:
    x, w = ga.input("x", ("batch", 3), "float64"), vector("w")
    down, along = ga.jacobian(ga.sum(ga.exp(x), axis=0), x), ga.jacobian(ga.tanh(x @ w), w)
    assert str(down.type) == "float64[3, batch, 3]"
    assert str(along.type) == "float64[batch, 3]"
    first, second = ga.compile([x, w], [down, along])(A, POINT)
    np.testing.assert_allclose(first, np.einsum("ij,bi->ibj", np.eye(3), np.exp(A)))
    np.testing.assert_allclose(second, (1 - np.tanh(A @ POINT) ** 2)[:, None] * A)
    with pytest.raises(ShapeError, match=r"<tanh: float64\[batch, 3\]> by .*<x: .*3\*batch.*known at the call only"):
        ga.jacobian(ga.tanh(x), x)


def test_of_several_variables_it_has_their_structure() -> None:
    x, y = vector("x"), vector("y", 2)
    found = ga.jacobian(ga.exp(x[:2]) * y, {"x": x, "rest": (y,)})
    given = {x: POINT, y: np.array([2.0, -1.0])}
    np.testing.assert_allclose(value(found["x"], given), [[2 * np.exp(0.3), 0, 0], [0, -np.exp(-1.2), 0]])
    np.testing.assert_allclose(value(found["rest"][0], given), np.diag(np.exp(POINT[:2])))


def test_the_dtype_is_that_of_the_variable_in_both_modes() -> None:
    x = ga.input("x", (3,), "float32")
    for y in (ga.sum(x.astype("float64"), keepdims=True), ga.tile(x.astype("float64"), 2)):
        assert ga.jacobian(y, x).dtype == np.float32


def test_a_variable_between_gets_its_derivative_in_both_modes() -> None:
    """Of ``h`` and the ``x`` that it depends on: each gets all that moving it alone at its place would move."""
    x = vector()
    h = ga.tanh(x)
    slope = 1 - np.tanh(POINT) ** 2
    for wide in (1, 4):  # by rows, and by columns
        y = ga.tile(h * x, wide)
        for_h, for_x = values(list(ga.jacobian(y[: 3 * wide - 1], [h, x])), {x: POINT})
        np.testing.assert_allclose(for_h, np.tile(np.diag(POINT), (wide, 1))[:-1])
        np.testing.assert_allclose(for_x, np.tile(np.diag(np.tanh(POINT) + POINT * slope), (wide, 1))[:-1])


def test_what_is_not_reached_is_an_error_or_zero_in_both_modes() -> None:
    x, other = vector(), vector("other", 4)
    for y in (ga.sum(x), ga.tile(x, 5)):
        with pytest.raises(UnreachedError, match="no gradient reaches <other: "):
            ga.jacobian(y, [x, other])
        with pytest.raises(UnreachedError, match="no gradient reaches <x: "):
            ga.jacobian(ga.stop_gradient(y), x)
        zero = ga.jacobian(y, [x, other], disconnected="zero")[1]
        assert zero.shape == (*y.shape, 4)
        assert not value(zero, {x: POINT}).any()


def test_what_is_reached_in_part_has_rows_of_zeros() -> None:
    x = vector()
    y = ga.stack([ga.sum(x), ga.constant(np.array(2.0))])
    np.testing.assert_array_equal(value(ga.jacobian(y, x), {x: POINT}), [[1, 1, 1], [0, 0, 0]])


def test_without_elements_it_has_none() -> None:
    x, nothing = vector(), ga.input("nothing", (0,), "float64")
    assert value(ga.jacobian(x[:0] * 2.0, x), {x: POINT}).shape == (0, 3)
    assert value(ga.jacobian(x + ga.sum(nothing), nothing), {x: POINT, nothing: np.zeros(0)}).shape == (3, 0)


# Hessians.


def rosenbrock(x: Any) -> Any:
    return 100.0 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1.0 - x[0]) * (1.0 - x[0])


def analytic_hessian(x: Array) -> Array:
    return np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200]])


def test_newtons_method_finds_the_minimum_of_rosenbrocks_function() -> None:
    x = vector(size=2)
    loss = rosenbrock(x)
    step = ga.compile([x], [loss, ga.grad(loss, x), ga.hessian(loss, x)])
    point, iterations = np.array([-1.2, 1.0]), 0
    while not np.allclose(point, 1.0, rtol=0, atol=1e-12):
        iterations += 1
        assert iterations <= 22
        _, gradient, hessian = step(point)
        np.testing.assert_allclose(hessian, analytic_hessian(point), rtol=1e-10, atol=1e-10)
        point = point - np.linalg.solve(hessian, gradient)
    assert step(point)[0] < 1e-20


def net(x: Node, W: Node) -> Node:
    return ga.mean(ga.square(ga.tanh(x @ W) - ga.softmax(x)))


def test_the_hessian_of_a_net_agrees_with_differences_and_is_symmetric() -> None:
    x, W = ga.input("x", (5, 3), "float64"), ga.input("W", (3, 3), "float64")
    given = {x: A, W: B}
    loss = net(x, W)
    hessian = value(ga.hessian(loss, W), given)
    assert hessian.shape == (3, 3, 3, 3)
    np.testing.assert_allclose(hessian, central_jacobian(ga.grad(loss, W), W, given), atol=1e-8)
    np.testing.assert_allclose(hessian, np.transpose(hessian, (2, 3, 0, 1)), atol=1e-15)


def test_the_hessian_by_several_variables_is_in_blocks() -> None:
    x, y = vector("x"), vector("y", 2)
    loss = ga.sum(ga.exp(x)) * ga.sum(y * y) + ga.sum(x)
    blocks = ga.hessian(loss, {"x": x, "y": [y]})
    given = {x: POINT, y: np.array([2.0, -1.0])}
    np.testing.assert_allclose(value(blocks["x"]["x"], given), np.diag(5 * np.exp(POINT)))
    np.testing.assert_allclose(value(blocks["x"]["y"][0], given), np.outer(np.exp(POINT), [4, -2]))
    np.testing.assert_allclose(value(blocks["y"][0]["x"], given), np.outer([4, -2], np.exp(POINT)))
    np.testing.assert_allclose(value(blocks["y"][0]["y"][0], given), 2 * np.exp(POINT).sum() * np.eye(2))


def test_the_hessian_of_what_is_linear_is_zero_but_of_what_is_not_reached_an_error() -> None:
    x, other = vector(), vector("other")
    np.testing.assert_array_equal(value(ga.hessian(ga.sum(2.0 * x), x), {x: POINT}), np.zeros((3, 3)))
    np.testing.assert_array_equal(value(ga.hvp(ga.sum(2.0 * x), x, x), {x: POINT}), np.zeros(3))
    with pytest.raises(UnreachedError, match="<other: "):
        ga.hessian(ga.sum(x * x), other)
    with pytest.raises(UnreachedError, match="<other: "):
        ga.hvp(ga.sum(x * x), other, other)
    assert not value(ga.hessian(ga.sum(x * x), other, disconnected="zero"), {x: POINT}).any()


def test_a_product_with_the_hessian_is_the_hessians_product() -> None:
    x, W = ga.input("x", (5, 3), "float64"), ga.input("W", (3, 3), "float64")
    given, loss = {x: A, W: B}, net(x, W)
    v = {"W": GENERATOR.standard_normal((3, 3)), "x": GENERATOR.standard_normal((5, 3))}
    product = ga.hvp(loss, {"x": x, "W": W}, v)
    blocks = ga.hessian(loss, {"x": x, "W": W})
    for name in ("x", "W"):
        parts = [np.tensordot(value(blocks[name][other], given), v[other], axes=2) for other in ("x", "W")]
        np.testing.assert_allclose(value(product[name], given), parts[0] + parts[1], rtol=1e-10, atol=1e-13)


# Nesting.


def cubic(x: Node) -> Node:
    return ga.sum(ga.sin(x) * x[::-1] * x)


NESTED: dict[str, Callable[[Node], Node]] = {
    "jacobian of gradient": lambda x: ga.jacobian(ga.grad(cubic(x), x), x),
    "hessian": lambda x: ga.hessian(cubic(x), x),
    "jacobian of jacobian": lambda x: ga.jacobian(ga.jacobian(cubic(x), x), x),
    "products": lambda x: ga.stack([ga.hvp(cubic(x), x, row) for row in np.eye(3)], axis=1),
    "gradients of tangents": lambda x: ga.stack([ga.grad(ga.jvp(cubic(x), x, row), x) for row in np.eye(3)]),
    "tangents of tangents": lambda x: ga.stack(
        [ga.stack([ga.jvp(ga.jvp(cubic(x), x, row), x, column) for column in np.eye(3)]) for row in np.eye(3)]
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_second_derivatives_are_the_same_in_every_nesting(name: str) -> None:
    x = vector()
    expected = central_jacobian(ga.grad(cubic(x), x), x, {x: POINT})
    np.testing.assert_allclose(value(NESTED[name](x), {x: POINT}), expected, atol=1e-8)


@pytest.mark.parametrize(
    "third",
    [
        lambda x: ga.jacobian(ga.hessian(cubic(x), x), x),
        lambda x: ga.hessian(ga.grad(cubic(x), x)[1], x),
        lambda x: ga.jacobian(ga.stack([ga.hvp(cubic(x), x, row) for row in np.eye(3)]), x),
    ],
)
def test_third_derivatives_agree_with_differences(third: Callable[[Node], Node]) -> None:
    x = vector()
    expected = central_jacobian(ga.hessian(cubic(x), x), x, {x: POINT})
    found = value(third(x), {x: POINT})
    np.testing.assert_allclose(found, expected if found.ndim == 3 and found.shape[0] == 3 else expected[1], atol=1e-8)


def test_the_gradient_of_a_function_of_the_hessian_agrees_with_differences() -> None:
    x = vector()
    roughness = ga.sum(ga.square(ga.hessian(cubic(x), x)))
    found = value(ga.grad(roughness, x), {x: POINT})
    np.testing.assert_allclose(found, central_gradient_of(roughness, x, {x: POINT}), rtol=1e-7)


# Over time, and compiled.


def recurrent(steps: int) -> tuple[list[Node], Node]:
    x, W, h0 = ga.input("x", (steps, 3), "float64"), ga.input("W", (3, 3), "float64"), vector("h0")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(h @ W + x_t)
        return h, h

    return [x, W, h0], ga.unroll(cell, h0, x)[0]


@pytest.mark.parametrize("wrt", [0, 1, 2])
def test_the_jacobian_through_time_agrees_with_differences(wrt: int) -> None:
    inputs, h = recurrent(4)
    given = dict(zip(inputs, (GENERATOR.standard_normal((4, 3)), B, POINT), strict=True))
    jacobian = ga.jacobian(h, inputs[wrt])
    np.testing.assert_allclose(value(jacobian, given), central_jacobian(h, inputs[wrt], given), atol=1e-8)
    compiled = ga.compile(inputs, jacobian, verify=True)(*given.values())
    np.testing.assert_allclose(compiled, value(jacobian, given), rtol=1e-10, atol=1e-14)


def test_the_hessian_through_time_is_the_same_compiled() -> None:
    inputs, h = recurrent(5)
    given = dict(zip(inputs, (GENERATOR.standard_normal((5, 3)), B, POINT), strict=True))
    hessian = ga.hessian(ga.sum(h * h), inputs[1])
    compiled = ga.compile(inputs, hessian)(*given.values())
    np.testing.assert_allclose(compiled, value(hessian, given), rtol=1e-9, atol=1e-12)


def test_a_jacobian_in_a_cell_is_one_for_each_step() -> None:
    def cell(h: Node, _: None) -> tuple[Node, Node]:
        after = ga.sin(h) * h[::-1]
        return after, ga.jacobian(after, h)

    h0 = vector("h0")
    outputs = ga.unroll(cell, h0, steps=3)[1]
    found = ga.compile([h0], outputs, verify=True)(POINT)
    h = POINT
    for jacobian in found:
        expected = np.diag(np.cos(h) * h[::-1]) + np.fliplr(np.diag(np.sin(h)))
        np.testing.assert_allclose(jacobian, expected, rtol=1e-12, atol=1e-15)
        h = np.sin(h) * h[::-1]


def test_compiled_the_sweeps_become_one_whatever_their_number() -> None:
    counts = []
    for size in (4, 24):
        x, W = ga.input("x", (5, 3), "float64"), ga.input("W", (3, size), "float64")
        loss = ga.sum(ga.square(ga.tanh(x @ W)))
        given = {x: A, W: GENERATOR.standard_normal((3, size))}
        outputs = [ga.hessian(loss, W), ga.jacobian(ga.tanh(x @ W), x)]
        function = ga.compile([x, W], outputs, verify=True)
        for found, expected in zip(function(*given.values()), values(outputs, given), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
        counts.append(function.report().statements)
    assert counts[0] == counts[1] < 40


# Forward mode beside reverse mode.


def test_forward_mode_is_the_adjoint_of_reverse_mode_even_where_one_variable_depends_on_another() -> None:
    x = vector()
    h = ga.tanh(x)
    y = h * x + ga.sum(h)
    u, v, c = (GENERATOR.standard_normal(3) for _ in range(3))
    tangent = value(ga.jvp(y, [h, x, x], [u, v, v]), {x: POINT})
    for_h, for_x = values(ga.vjp(y, [h, x], c), {x: POINT})
    assert c @ tangent == pytest.approx(for_h @ u + for_x @ (2 * v), rel=1e-12)


def test_tangents_through_what_stops_gradients_and_through_integers_are_zero() -> None:
    x = vector()
    blocked, counted = ga.jvp([ga.stop_gradient(x) * 2.0, x.astype("int64").astype("float64")], x, x)
    assert not value(blocked, {x: POINT}).any()
    assert not value(counted, {x: POINT}).any()


# Bad input.


def test_what_has_no_derivative_is_refused_by_name() -> None:
    x, labels = vector(), ga.input("labels", (3,), "int64")
    with pytest.raises(GradientError, match=r"<labels: int64\[3\]> is not differentiable"):
        ga.jacobian(x * labels, labels)
    with pytest.raises(GradientError, match="3 is no node"):
        ga.jacobian(3, x)  # type: ignore[arg-type]
    with pytest.raises(GradientError, match="a gradient is of a float scalar"):
        ga.hessian(x * x, x)
    with pytest.raises(ArgumentError, match='disconnected is "raise" or "zero"'):
        ga.jacobian(x, x, disconnected="none")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="structure"):
        ga.hvp(ga.sum(x * x), [x], x)
    with pytest.raises(GradientError, match="7 is no node: it has no tangent"):
        ga.jvp([x, 7], x, x)
