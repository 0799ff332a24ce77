import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, GraphadError
from graphad.ir.node import Node
from tests.autodiff.differences import float32, value, values

X, Y = np.array([[1.5, -2.0, 0.25]]), np.array([[3.0], [0.5]])


@pytest.mark.parametrize(
    "function", [operator.add, operator.sub, operator.mul, operator.truediv, lambda a, b: np.abs(a) ** b]
)
def test_operators_mean_what_they_mean_on_arrays(function: Callable[[Any, Any], Any]) -> None:
    x, y = ga.input("x", (1, 3), "float64"), ga.input("y", (2, 1), "float64")
    np.testing.assert_allclose(value(function(x, y), {x: X, y: Y}), function(X, Y))
    np.testing.assert_allclose(value(function(x, 0.5), {x: X}), function(X, 0.5))
    np.testing.assert_allclose(value(function(2.5, y), {y: Y}), function(2.5, Y))
    np.testing.assert_allclose(value(function(X, y), {y: Y}), function(X, Y))


def test_signs_mean_what_they_mean_on_arrays() -> None:
    x = ga.input("x", (1, 3), "float64")
    for found, expected in zip(values([-x, +x, abs(x)], {x: X}), [-X, +X, np.abs(X)], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_numpy_functions_of_nodes_build_nodes() -> None:
    x = ga.input("x", (1, 3), "float64")
    built = [np.square(x), np.reciprocal(x), np.subtract(X, x), np.divide(x, np.float64(4)), np.negative(x)]
    expected = [X**2, 1 / X, 0 * X, X / 4, -X]
    for found, array in zip(values(built, {x: X}), expected, strict=True):
        np.testing.assert_allclose(found, array)


def test_a_quotient_of_integers_is_float32() -> None:
    quotient = ga.constant([7, -8]) / ga.constant([2, 3])
    assert quotient.dtype == np.float32
    np.testing.assert_allclose(value(quotient), [3.5, -8 / 3], rtol=1e-7)


def test_the_square_root_has_an_infinite_derivative_at_zero() -> None:
    x = ga.input("x", (2,))
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.sqrt(x)), x), {x: float32([0, 4])}), [np.inf, 0.25])


@pytest.mark.parametrize("build", [operator.sub, operator.pow])
def test_truth_values_are_added_and_multiplied_but_have_no(build: Callable[[Node, Node], Node]) -> None:
    mask = ga.input("mask", (3,), "bool")
    truth = {mask: np.array([True, False, True])}
    np.testing.assert_array_equal(value(mask + mask, truth), truth[mask])
    np.testing.assert_array_equal(value(mask * mask, truth), truth[mask])
    with pytest.raises(DTypeError, match=r"mask: bool\[3\].*cast.*\(at test_arithmetic\.py:\d+\)"):
        build(mask, mask)


@pytest.mark.parametrize(
    "name", ["negative", "positive", "square", "sign", "relu", "floor", "ceil", "trunc", "round", "clip"]
)
def test_functions_of_numbers_refuse_truth_values_and_say_what_to_do(name: str) -> None:
    mask = ga.input("mask", (3,), "bool")
    with pytest.raises(DTypeError, match=rf"{name}\(mask: bool\[3\].*cast.*\(at test_arithmetic\.py:\d+\)"):
        getattr(ga, name)(mask)


@pytest.mark.parametrize("build", [operator.sub, operator.mod, operator.floordiv, ga.fmod])
def test_operators_of_numbers_refuse_truth_values_and_say_what_to_do(build: Callable[[Any, Any], Any]) -> None:
    mask = ga.input("mask", (3,), "bool")
    with pytest.raises(DTypeError, match=r"truth values: use ~ and \^ on them, or cast"):
        build(mask, mask)


def test_roots_of_zero_have_infinite_derivatives() -> None:
    x = ga.input("x", (), "float64")
    for build, value_at_0, slope_at_0 in ((ga.sqrt, 0, np.inf), (ga.cbrt, 0, np.inf), (ga.rsqrt, np.inf, -np.inf)):
        y = build(x)
        np.testing.assert_array_equal(values([y, ga.grad(y, x)], {x: np.array(0.0)}), [value_at_0, slope_at_0])


def test_the_derivative_of_rsqrt_overflows_no_earlier_than_it_must() -> None:
    x = ga.input("x", ())
    assert value(ga.grad(ga.rsqrt(x), x), {x: float32(1e-25)}) == pytest.approx(-0.5 * 1e-25**-1.5, rel=1e-6)
    assert value(ga.grad(ga.rsqrt(x), x), {x: float32(1e25)}) == pytest.approx(-0.5 * 1e25**-1.5, rel=1e-6)


def test_the_cube_root_of_a_negative_number_is_negative() -> None:
    x = ga.input("x", (3,), "float64")
    y = ga.cbrt(x)
    found, slope = values([y, ga.grad(ga.sum(y), x)], {x: np.array([-8.0, 1.0, 27.0])})
    np.testing.assert_allclose(found, [-2, 1, 3], rtol=1e-15)
    np.testing.assert_allclose(slope, [1 / 12, 1 / 3, 1 / 27], rtol=1e-15)


def test_shapes_that_do_not_broadcast_are_named_with_their_nodes_and_line() -> None:
    x, y = ga.input("x", ("batch", 3)), ga.input("y", ("batch", 4))
    with pytest.raises(GraphadError, match=r"add\(x: float32\[batch, 3\], y: .*3 meets 4.*\(at test_arithmetic\.py:"):
        x + y
