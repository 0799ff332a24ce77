import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ExecutionError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.transcendental import Log
from tests.autodiff.differences import value, values

INF = math.inf
TAILS = np.array([-1e4, -750.0, -90.0, 0.0, 90.0, 750.0, 1e4])
floats = pytest.mark.parametrize("dtype", ["float32", "float64"])


def and_gradient(build: Callable[[Node], Node], x: Any, dtype: str = "float64") -> tuple[Any, Any]:
    node = ga.input("x", np.shape(x), dtype)
    result = build(node)
    compiled = ga.compile([node], [result, ga.grad(ga.sum(result), node)])
    found: tuple[Any, Any] = tuple(compiled(np.asarray(x, dtype)))
    return found


@floats
def test_the_sigmoid_and_its_derivative_are_right_in_both_tails(dtype: str) -> None:
    y, slope = and_gradient(ga.sigmoid, TAILS, dtype)
    expected = [0.5 * (1 + math.tanh(x / 2)) for x in TAILS]
    np.testing.assert_allclose(y, expected, atol=1e-30 if dtype == "float64" else 1e-7)
    np.testing.assert_allclose(slope, [p * (1 - p) for p in expected], atol=1e-7)


def test_the_sigmoid_keeps_its_digits_in_the_left_tail() -> None:
    y, slope = and_gradient(ga.sigmoid, [-700.0, -40.0])
    np.testing.assert_allclose(y, np.exp([-700.0, -40.0]), rtol=1e-13)
    np.testing.assert_allclose(slope, np.exp([-700.0, -40.0]), rtol=1e-13)


@floats
def test_softplus_and_its_derivative_are_right_in_both_tails(dtype: str) -> None:
    y, slope = and_gradient(ga.softplus, TAILS, dtype)
    np.testing.assert_allclose(y, [max(x, 0) + math.log1p(math.exp(-abs(x))) for x in TAILS], rtol=1e-6, atol=1e-37)
    np.testing.assert_allclose(slope, [0.5 * (1 + math.tanh(x / 2)) for x in TAILS], atol=1e-7)


@floats
def test_tanh_and_its_derivative_are_right_in_both_tails(dtype: str) -> None:
    y, slope = and_gradient(ga.tanh, TAILS, dtype)
    np.testing.assert_array_equal(y, np.sign(TAILS))
    np.testing.assert_array_equal(slope, TAILS == 0)


@floats
def test_log_sigmoid_and_its_derivative_are_right_in_both_tails(dtype: str) -> None:
    y, slope = and_gradient(ga.log_sigmoid, TAILS, dtype)
    np.testing.assert_allclose(y, [min(x, 0) - math.log1p(math.exp(-abs(x))) for x in TAILS], rtol=1e-6, atol=1e-37)
    np.testing.assert_allclose(slope, [0.5 * (1 - math.tanh(x / 2)) for x in TAILS], atol=1e-7)


@floats
@pytest.mark.parametrize(
    ("build", "rate", "logarithm"), [(ga.logaddexp, 1.0, math.log1p), (ga.logaddexp2, math.log(2.0), math.log1p)]
)
def test_the_logarithm_of_a_sum_of_powers_is_right_in_both_tails(
    build: Callable[[Any, Any], Node], rate: float, logarithm: Callable[[float], float], dtype: str
) -> None:
    y, slope = and_gradient(lambda x: build(x, 1.0), TAILS, dtype)
    expected = [max(x, 1) + logarithm(math.exp(-rate * abs(x - 1))) / rate for x in TAILS]
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_allclose(slope, [0.5 * (1 + math.tanh(rate * (x - 1) / 2)) for x in TAILS], atol=1e-7)


@pytest.mark.parametrize("build", [ga.logaddexp, ga.logaddexp2])
def test_the_same_infinity_twice_has_gradient_zero_and_no_nan(build: Callable[[Node, Node], Node]) -> None:
    x, y = ga.input("x", (4,), "float64"), ga.input("y", (4,), "float64")
    given = {x: np.array([-INF, INF, -INF, 2.0]), y: np.array([-INF, INF, 2.0, -INF])}
    total = build(x, y)
    first = ga.grad(ga.sum(total), [x, y])
    second = ga.grad(ga.sum(first[0] + 2.0 * first[1]), [x, y])
    np.testing.assert_array_equal(value(total, given), [-INF, INF, 2, 2])
    for found, expected in zip(values(first, given), ([0, 0, 0, 1], [0, 0, 1, 0]), strict=True):
        np.testing.assert_array_equal(found, expected)
    for found in values(second, given):
        np.testing.assert_array_equal(found, [0, 0, 0, 0])


def test_equal_numbers_share_the_gradient_of_the_logarithm_of_a_sum_and_have_its_curvature() -> None:
    x, y = ga.input("x", (), "float64"), ga.input("y", (), "float64")
    slopes = ga.grad(ga.logaddexp(x, y), [x, y])
    curvature = ga.grad(slopes[0], [x, y])
    found = values([*slopes, *curvature], {x: np.array(3.0), y: np.array(3.0)})
    np.testing.assert_array_equal(found, [0.5, 0.5, 0.25, -0.25])


def test_log1p_and_expm1_are_exact_for_small_numbers() -> None:
    x = ga.input("x", (), "float64")
    assert value(ga.log1p(x), {x: np.array(1e-20)}) == 1e-20
    assert value(ga.expm1(x), {x: np.array(1e-20)}) == 1e-20


def test_functions_of_reals_make_float32_of_integers_and_truth_values() -> None:
    for operand in (ga.constant([1, 0]), ga.constant([True, False])):
        assert ga.exp(operand).dtype == np.float32
        np.testing.assert_allclose(value(ga.exp(operand)), [math.e, 1], rtol=1e-6)


@pytest.mark.parametrize(
    ("exponent", "expected"), [(0.0, 0.0), (1.0, 1.0), (2.0, 0.0), (3.0, 0.0), (0.5, math.inf), (-1.0, -math.inf)]
)
def test_a_power_of_zero_has_this_derivative_by_its_base(exponent: float, expected: float) -> None:
    assert and_gradient(lambda x: x**exponent, [0.0])[1] == [expected]


def test_a_power_of_zero_has_a_second_derivative() -> None:
    x = ga.input("x", (), "float64")
    for exponent, expected in ((2.0, 2.0), (3.0, 0.0), (1.0, 0.0)):
        slope = ga.grad(x**exponent, x)
        assert value(ga.grad(slope, x), {x: np.array(0.0)}) == expected


def test_a_power_of_zero_has_no_slope_along_its_exponent() -> None:
    y = ga.input("y", (3,), "float64")
    exponents = np.array([0.0, 0.5, 2.0])
    power = ga.power(0.0, y)
    np.testing.assert_array_equal(value(power, {y: exponents}), [1, 0, 0])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(power), y), {y: exponents}), [0, 0, 0])


def test_a_power_of_a_negative_base_has_its_derivative_by_the_base() -> None:
    result, slope = and_gradient(lambda x: x**3.0, [-2.0, -0.5])
    np.testing.assert_array_equal(result, [-8, -0.125])
    np.testing.assert_array_equal(slope, [12, 0.75])


def test_a_constant_exponent_gets_no_cotangent() -> None:
    x = ga.input("x", (3,))
    gradient = ga.grad(ga.sum(x**2.5), x)
    assert not [node for node in Graph((x,), (gradient,)).nodes if isinstance(node.op, Log)]


@pytest.mark.parametrize("exponent", [-3, -2, -1, 0, 1, 2, 3, 4])
@pytest.mark.parametrize("base", [-2.0, -0.5, 0.5, 3.0])
def test_integer_powers_have_two_derivatives_whatever_the_sign_of_the_base(exponent: int, base: float) -> None:
    _check_two_derivatives(base, exponent)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4])
def test_integer_powers_have_two_derivatives_at_zero(exponent: int) -> None:
    _check_two_derivatives(0.0, exponent)


def _check_two_derivatives(base: float, exponent: int) -> None:
    x = ga.input("x", (), "float64")
    slope = ga.grad(x**exponent, x)
    curvature = ga.grad(slope, x)
    n = exponent
    expected = [n * base ** (n - 1) if n else 0.0, n * (n - 1) * base ** (n - 2) if n not in (0, 1) else 0.0]
    np.testing.assert_allclose(values([slope, curvature], {x: np.array(base)}), expected, rtol=1e-15)


def test_a_power_of_zero_to_the_zero_is_one_with_no_slope_at_all() -> None:
    x, y = ga.input("x", (), "float64"), ga.input("y", (), "float64")
    power = x**y
    found = values([power, *ga.grad(power, [x, y])], {x: np.array(0.0), y: np.array(0.0)})
    np.testing.assert_array_equal(found, [1, 0, 0])


def test_an_integer_to_a_negative_integer_is_refused_when_it_is_built_or_when_it_is_called() -> None:
    n, e = ga.input("n", (2,), "int64"), ga.input("e", (2,), "int64")
    with pytest.raises(DTypeError, match=r"power\(n: int64\[2\], -1\).*cast the base.*\(at test_transcendental\.py:"):
        _ = n**-1
    with pytest.raises(DTypeError, match="no negative integer powers"):
        _ = n ** np.array([2, -2])
    for backend in ("numpy", "reference"):
        with pytest.raises(ExecutionError, match=r"power.*negative integer powers.*test_transcendental\.py"):
            ga.compile([n, e], n**e, backend=backend)([2, 3], [1, -1])
    assert (n**-1.0).dtype == np.float32
    assert (2.0**-n).dtype == np.float32


def test_a_power_of_integers_is_an_integer_and_of_an_integer_to_a_float_a_float() -> None:
    n = ga.constant([2, 3])
    assert (n**2).dtype == np.int64
    assert (n**0.5).dtype == np.float32
    np.testing.assert_array_equal(value(n**2), [4, 9])
    np.testing.assert_allclose(value(n**0.5), np.sqrt([2, 3]), rtol=1e-6)
