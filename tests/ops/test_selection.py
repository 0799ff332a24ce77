import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError, UnreachedError
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


def test_the_exclusive_or_of_numbers_is_of_their_truth() -> None:
    x, y = ga.constant([0, 2, 3]), ga.constant([1.5, 0.0, 1.0])
    np.testing.assert_array_equal(value(ga.logical_xor(x, y)), [True, True, False])


def test_infinities_and_nan_are_told_apart() -> None:
    x: Any = ga.input("x", (4,))
    built = [np.isnan(x), np.isinf(x), np.isfinite(x), ga.isnan(x), ga.isinf(x)]
    found = values(built, {x: float32([NAN, INF, -INF, 1])})
    expected = [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 1, 0]]
    np.testing.assert_array_equal(found, np.array(expected, bool))


@pytest.mark.parametrize(("build", "numpys"), [(ga.fmax, np.fmax), (ga.fmin, np.fmin)])
def test_the_extreme_beside_nan_is_the_other_and_gets_the_gradient(build: Any, numpys: Any) -> None:
    x, y = ga.input("x", (4,)), ga.input("y", (4,))
    given = {x: float32([NAN, 1, NAN, 2]), y: float32([3, NAN, NAN, 2])}
    for node in (build(x, y), numpys(x, y)):
        np.testing.assert_array_equal(value(node, given), [3, 1, NAN, 2])
    for_x, for_y = values(ga.grad(ga.sum(build(x, y)), [x, y]), given)
    np.testing.assert_array_equal(for_x, [0, 1, 0, 0.5])
    np.testing.assert_array_equal(for_y, [1, 0, 0, 0.5])


def test_the_step_at_zero_is_what_is_given_and_has_its_gradient() -> None:
    x, middle = ga.input("x", (4,)), ga.input("middle", ())
    given = {x: float32([-2, 0, 3, NAN]), middle: float32(0.25)}
    numpys: Any = np.heaviside
    step = numpys(x, middle)
    np.testing.assert_array_equal(value(step, given), [0, 0.25, 1, NAN])
    for_x, for_middle = values(ga.grad(ga.sum(step), [x, middle]), given)
    np.testing.assert_array_equal(for_x, [0, 0, 0, 0])
    assert for_middle == 1


def test_the_gradient_passes_at_the_bounds_of_a_clip_and_not_outside() -> None:
    x = ga.input("x", (6,))
    given = {x: float32([-3, -1, 0, 2, 5, NAN])}
    clipped = ga.clip(x, -1.0, 2.0)
    np.testing.assert_array_equal(value(clipped, given), [-1, -1, 0, 2, 2, NAN])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(clipped), x), given)[:5], [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(value(ga.jvp(clipped, x, ga.zeros_like(x) + 2.0), given)[:5], [0, 2, 2, 2, 0])


def test_a_bound_gets_the_gradient_where_it_is_the_result_and_each_element_of_a_result_comes_from_one() -> None:
    x, low, high = (ga.input(name, (6,), "float64") for name in ("x", "low", "high"))
    numbers = {x: [-3, -1, 0, 2, 5, 0], low: [-1, -1, -1, -1, -1, 4], high: [2, 2, 2, 2, 2, 3]}
    given = {node: np.array(line, float) for node, line in numbers.items()}
    clipped = ga.clip(x, low, high)
    np.testing.assert_array_equal(value(clipped, given), np.clip(*given.values()))
    gradients = values(ga.grad(ga.sum(clipped), [x, low, high]), given)
    np.testing.assert_array_equal(gradients, [[0, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint64"])
@pytest.mark.parametrize(
    "clip",
    [
        lambda x: np.clip(x, 1, 4),
        lambda x: np.clip(x, a_min=1, a_max=4),
        lambda x: np.clip(x, 1, None),
        lambda x: np.clip(x, None, 4),
        lambda x: np.clip(x, min=2),
        lambda x: np.clip(x, max=2),
        lambda x: np.clip(x, None, None),
        lambda x: np.clip(x, 4, 1),
        lambda x: x.clip(1, 4),
        lambda x: x.clip(max=3),
    ],
)
def test_values_are_clipped_as_by_numpy(clip: Callable[[Any], Any], dtype: str) -> None:
    numbers = np.arange(6).astype(dtype)
    x = ga.input("x", (6,), dtype)
    found = ga.compile([x], clip(x))(numbers)
    np.testing.assert_array_equal(found, clip(numbers))
    assert found.dtype == numbers.dtype


def test_all_three_of_a_clip_broadcast() -> None:
    x, low, high = ga.input("x", ("batch", 1, 3)), ga.input("low", (4, 1)), ga.input("high", ())
    assert ga.clip(x, low, high).shape == (x.shape[0], 4, 3)
    with pytest.raises(ShapeError, match=r"clip\(x: float32\[batch, 1, 3\], low: .*\(at test_selection\.py:\d+\)"):
        ga.clip(x, low, np.zeros(5))


def test_one_bound_under_two_names_is_refused() -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ArgumentError, match=r"clip\(x: float32\[3\], 0, min=1\): a_min and min are one bound"):
        ga.clip(x, 0, min=1)


def test_abs_is_numpys_other_name_of_absolute_and_fabs_makes_floats() -> None:
    assert ga.abs is ga.absolute
    n = ga.constant([1, -2])
    assert abs(n).dtype == np.int64
    assert np.fabs(n).dtype == np.float32
    np.testing.assert_array_equal(value(ga.fabs(n)), [1, 2])
