import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from tests.autodiff.differences import float32, value, values

INF = math.inf


@pytest.mark.parametrize(
    "function",
    [
        np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh,
        np.arctanh,
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore:.*(invalid value|overflow|divide by zero)")
def test_numpys_functions_of_nodes_are_numpys_also_at_the_ends(function: Callable[[Any], Any], dtype: str) -> None:
    numbers = np.array([-INF, -1e4, -1.0, -0.25, -0.0, 0.25, 1.0, 1e4, INF, math.nan], dtype)
    x = ga.input("x", numbers.shape, dtype)
    np.testing.assert_array_equal(value(function(x), {x: numbers}), function(numbers))


@pytest.mark.parametrize("function", [np.arctan2, np.hypot])
def test_numpys_functions_of_two_nodes_are_numpys(function: Callable[[Any, Any], Any]) -> None:
    a, b = np.array([[-1.0, -0.0, 0.0, 2.0, INF]]), np.array([[-3.0], [-0.0], [0.0], [INF]])
    x, y = ga.input("x", a.shape, "float64"), ga.input("y", b.shape, "float64")
    np.testing.assert_array_equal(value(function(x, y), {x: a, y: b}), function(a, b))


@pytest.mark.parametrize("build", [ga.hypot, ga.arctan2])
def test_at_the_origin_the_derivatives_of_radius_and_angle_are_zero(build: Callable[[Any, Any], ga.Node]) -> None:
    x, y = ga.input("x", (2,), "float64"), ga.input("y", (2,), "float64")
    slopes = ga.grad(ga.sum(build(x, y)), [x, y])
    curvatures = ga.grad(ga.sum(slopes[0] + slopes[1]), [x, y])
    for found in values([*slopes, *curvatures], {x: np.array([0.0, -0.0]), y: np.zeros(2)}):
        np.testing.assert_array_equal(found, [0, 0])


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_radius_and_angle_do_not_overflow_where_their_squares_would(scale: float) -> None:
    x, y = ga.input("x", ()), ga.input("y", ())
    given = {x: float32(3 * scale), y: float32(4 * scale)}
    radius, angle = ga.hypot(x, y), ga.arctan2(y, x)
    np.testing.assert_allclose(values([radius, *ga.grad(radius, [x, y])], given), [5 * scale, 0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(
        values(ga.grad(angle, [x, y]), given), [-4 / 25 / scale, 3 / 25 / scale], rtol=1e-6, atol=1e-37
    )
    np.testing.assert_allclose(value(ga.grad(ga.arcsinh(x), x), given), 1 / math.hypot(1, 3 * scale), rtol=1e-6)


def test_inverse_functions_have_infinite_slopes_at_the_ends_of_their_domains() -> None:
    x = ga.input("x", (2,), "float64")
    given = {x: np.array([-1.0, 1.0])}
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.arcsin(x)), x), given), [INF, INF])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.arccos(x)), x), given), [-INF, -INF])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.arctanh(x)), x), given), [INF, INF])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.arccosh(x)), x), given), [math.nan, INF])


def test_slopes_near_the_ends_of_the_domain_keep_their_digits() -> None:
    x, small = ga.input("x", (), "float64"), 2.0**-40
    for build, expected in (
        (ga.arcsin, 1 / math.sqrt(small * (2 - small))),
        (ga.arccos, -1 / math.sqrt(small * (2 - small))),
        (ga.arctanh, 1 / (small * (2 - small))),
    ):
        assert value(ga.grad(build(x), x), {x: np.array(1 - small)}) == pytest.approx(expected, rel=1e-14)
