import math
from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ShapeError, UnreachedError
from graphad.ir.node import Node
from tests.autodiff.differences import float32, value, values

NAN, INF = math.nan, math.inf


def test_the_absolute_value_has_slope_zero_at_zero() -> None:
    x = ga.input("x", (3,))
    gradient = ga.grad(ga.sum(abs(x)), x)
    np.testing.assert_array_equal(value(gradient, {x: float32([-2, 0, 3])}), [-1, 0, 1])


def test_relu_has_slope_zero_at_zero_and_keeps_nan() -> None:
    x = ga.input("x", (4,))
    given = {x: float32([-2, 0, 3, NAN])}
    np.testing.assert_array_equal(value(ga.relu(x), given), [0, 0, 3, NAN])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.relu(x)), x), given)[:3], [0, 0, 1])


def test_the_sign_has_gradient_zero_which_is_not_disconnected() -> None:
    x = ga.input("x", (3,))
    given = {x: float32([-2, 0, 3])}
    np.testing.assert_array_equal(value(ga.sign(x), given), [-1, 0, 1])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.sign(x)), x), given), [0, 0, 0])
    np.testing.assert_array_equal(value(ga.jvp(ga.sign(x), x, x), given), [0, 0, 0])


def test_the_second_derivative_of_the_absolute_value_is_zero() -> None:
    x = ga.input("x", (3,))
    slope = ga.grad(ga.sum(abs(x)), x)
    np.testing.assert_array_equal(value(ga.grad(ga.sum(slope), x), {x: float32([-2, 1, 3])}), [0, 0, 0])


@pytest.mark.parametrize(("build", "first"), [(ga.maximum, [0, 0.5, 1]), (ga.minimum, [1, 0.5, 0])])
def test_the_one_that_is_chosen_gets_the_gradient_and_two_that_tie_get_half(
    build: Callable[[Node, Node], Node], first: list[float]
) -> None:
    x, y = ga.input("x", (3,)), ga.input("y", (3,))
    given = {x: float32([1, 2, 4]), y: float32([3, 2, 3])}
    for_x, for_y = values(ga.grad(ga.sum(build(x, y)), [x, y]), given)
    np.testing.assert_array_equal(for_x, first)
    np.testing.assert_array_equal(for_x + for_y, [1, 1, 1])


def test_infinities_tie_too() -> None:
    x, y = ga.input("x", (2,)), ga.input("y", (2,))
    both = float32([INF, -INF])
    for gradient in values(ga.grad(ga.sum(ga.maximum(x, y)), [x, y]), {x: both, y: both}):
        np.testing.assert_array_equal(gradient, [0.5, 0.5])


def test_the_maximum_of_a_value_with_itself_has_slope_one() -> None:
    x = ga.input("x", (2,))
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.maximum(x, x)), x), {x: float32([1, -1])}), [1, 1])


def test_the_maximum_with_nan_is_nan() -> None:
    x = ga.input("x", (2,))
    np.testing.assert_array_equal(value(ga.maximum(x, 0.0), {x: float32([NAN, -1])}), [NAN, 0])


@pytest.mark.parametrize("poison", [NAN, INF])
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_what_where_does_not_take_does_not_leak(poison: float, backend: str) -> None:
    x, other = ga.input("x", (2,)), ga.input("other", (2,))
    chosen = ga.where(x > 0, x * x, other)
    gradients = ga.grad(ga.sum(chosen), [x, other])
    function = ga.compile([x, other], [chosen, *gradients], backend=backend)
    found, for_x, for_other = function(float32([3, 2]), float32([poison, poison]))
    np.testing.assert_array_equal(found, [9, 4])
    np.testing.assert_array_equal(for_x, [6, 4])
    np.testing.assert_array_equal(for_other, [0, 0])


@pytest.mark.parametrize("poison", [NAN, INF])
def test_a_cotangent_of_nan_does_not_leak_into_the_choice_not_taken(poison: float) -> None:
    x, y, cotangent = ga.input("x", (2,)), ga.input("y", (2,)), ga.input("cotangent", (2,))
    given = {x: float32([1, 1]), y: float32([1, 1]), cotangent: float32([poison, 5])}
    mask = np.array([True, False])
    for_x, for_y = values(ga.vjp(ga.where(mask, x, y), [x, y], cotangent), given)
    np.testing.assert_array_equal(for_x, [poison, 0])
    np.testing.assert_array_equal(for_y, [0, 5])
    larger = ga.vjp(ga.maximum(x, 0.0 * y), y, cotangent)
    np.testing.assert_array_equal(value(larger, given), [0, 0])


def test_where_gives_each_choice_the_cotangent_of_what_it_gave() -> None:
    c, x, y = ga.input("c", (3,), "bool"), ga.input("x", ()), ga.input("y", (2, 3))
    given = {c: np.array([True, False, True]), x: float32(5), y: np.ones((2, 3), np.float32)}
    for_x, for_y = values(ga.grad(ga.sum(ga.where(c, x, y)), [x, y]), given)
    assert for_x == 4
    np.testing.assert_array_equal(for_y, [[0, 1, 0], [0, 1, 0]])


def test_choices_may_be_python_numbers() -> None:
    c = ga.input("c", (2,), "bool")
    assert ga.where(c, 1.0, 0.0).dtype == np.float32
    assert ga.where(c, 1, 0).dtype == np.int64
    np.testing.assert_array_equal(value(ga.where(c, 1, 0), {c: np.array([True, False])}), [1, 0])


def test_a_condition_that_is_not_bool_is_refused_by_name() -> None:
    x = ga.input("x", (3,))
    with pytest.raises(DTypeError, match=r"where\(x: float32\[3\].*must be bool.*\(at test_selection\.py:\d+\)"):
        ga.where(x, x, 0.0)


def test_a_condition_of_another_shape_is_refused_by_name() -> None:
    c, x = ga.input("c", (4,), "bool"), ga.input("x", (3,))
    with pytest.raises(ShapeError, match=r"where\(c: bool\[4\], x: float32\[3\].*\(at test_selection\.py:\d+\)"):
        ga.where(c, x, 0.0)


def test_comparisons_carry_no_gradient() -> None:
    x = ga.input("x", (3,))
    mask = ga.cast(x > 0, "float32")
    np.testing.assert_array_equal(value(ga.grad(ga.sum(mask * x), x), {x: float32([1, -1, 2])}), [1, 0, 1])
    with pytest.raises(UnreachedError, match="x"):
        ga.grad(ga.sum(mask), x)


def test_comparisons_with_nan_are_false_but_for_not_equal() -> None:
    x = ga.input("x", (1,))
    built = [ga.equal(x, x), ga.less(x, x), ga.greater_equal(x, x), ga.not_equal(x, x), ga.isfinite(x)]
    assert [bool(found[0]) for found in values(built, {x: float32([NAN])})] == [False, False, False, True, False]


def test_logical_functions_take_numbers_as_truth() -> None:
    x = ga.constant([0, 2, 0])
    y = ga.constant([1.5, 0.0, 0.0])
    np.testing.assert_array_equal(value(ga.logical_or(x, y)), [True, True, False])
    np.testing.assert_array_equal(value(ga.logical_and(x, y)), [False, False, False])
    np.testing.assert_array_equal(value(ga.logical_not(y)), [False, True, True])
