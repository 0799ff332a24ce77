import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.transcendental import Log
from tests.autodiff.differences import value

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


def test_a_power_of_integers_is_an_integer_and_of_an_integer_to_a_float_a_float() -> None:
    n = ga.constant([2, 3])
    assert (n**2).dtype == np.int64
    assert (n**0.5).dtype == np.float32
    np.testing.assert_array_equal(value(n**2), [4, 9])
    np.testing.assert_allclose(value(n**0.5), np.sqrt([2, 3]), rtol=1e-6)
