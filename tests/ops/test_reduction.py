import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ShapeError
from graphad.ir.node import Node
from tests.autodiff.differences import central_gradient_of, float32, value, values

CUBE = np.random.default_rng(0).permutation(30).reshape(5, 3, 2) / 7
AXES = [None, 0, -1, (0, 2), (-2,), (2, 1, 0), ()]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_axes_mean_what_they_mean_in_numpy(name: str, axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    reduced = getattr(ga, name)(x, axis=axis, keepdims=keepdims)
    expected = getattr(np, name)(CUBE, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(value(reduced, {x: CUBE}), expected, rtol=1e-14)
    assert reduced.shape == expected.shape


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("reduce", [ga.sum, ga.mean, ga.max, ga.min])
def test_gradients_agree_with_central_differences(reduce: Callable[..., Node], axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    reduced = reduce(x, axis, keepdims)
    weights = np.random.default_rng(1).standard_normal(reduced.type.static_shape)
    loss = ga.sum(weights * ga.square(reduced))
    expected = central_gradient_of(loss, x, {x: CUBE})
    np.testing.assert_allclose(value(ga.grad(loss, x), {x: CUBE}), expected, atol=1e-8)


@pytest.mark.parametrize("axis", [0, -1, None])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_place_of_the_extreme_is_numpys(name: str, axis: int | None) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    found = value(getattr(ga, name)(x, axis), {x: CUBE})
    np.testing.assert_array_equal(found, getattr(np, name)(CUBE, axis))
    assert found.dtype == np.int64


def test_of_equal_elements_the_first_place_is_found() -> None:
    x = ga.constant([[1, 7, 7], [7, 7, 0]])
    np.testing.assert_array_equal(value(ga.argmax(x, axis=1)), [1, 0])
    np.testing.assert_array_equal(value(ga.argmin(-x, axis=1)), [1, 0])


def test_extremes_that_tie_share_the_gradient_equally() -> None:
    x = ga.input("x", (2, 3))
    given = {x: float32([[7, 1, 7], [2, 2, 2]])}
    gradient = ga.grad(ga.sum(ga.max(x, axis=1)), x)
    np.testing.assert_allclose(value(gradient, given), [[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
    gradient = ga.grad(ga.min(x), x)
    np.testing.assert_array_equal(value(gradient, given), [[0, 1, 0], [0, 0, 0]])


def test_the_tangent_of_extremes_that_tie_is_the_mean_of_theirs() -> None:
    x, v = ga.input("x", (4,)), ga.input("v", (4,))
    given = {x: float32([7, 1, 7, 0]), v: float32([1, 5, 4, 9])}
    assert value(ga.jvp(ga.max(x), x, v), given) == 2.5


def test_infinite_extremes_tie_and_a_nan_is_the_extreme() -> None:
    x = ga.input("x", (3,))
    gradient = ga.grad(ga.max(x), x)
    np.testing.assert_array_equal(value(gradient, {x: float32([math.inf, 0, math.inf])}), [0.5, 0, 0.5])
    assert np.isnan(value(ga.max(x), {x: float32([1, math.nan, 2])}))


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_small_integers_do_not_wrap_in_a_sum(dtype: str, backend: str) -> None:
    x = ga.input("x", ("batch",), dtype)
    total = ga.sum(x)
    full = np.full(300, np.iinfo(dtype).max, dtype)
    found = ga.compile([x], total, backend=backend)(full)
    assert found == 300 * int(np.iinfo(dtype).max)
    assert found.dtype == total.dtype == np.sum(full).dtype


def test_a_sum_of_truth_is_a_count() -> None:
    mask = ga.constant([[True, False, True], [True, True, True]])
    assert ga.sum(mask).dtype == np.int64
    np.testing.assert_array_equal(value(ga.sum(mask, axis=1)), [2, 3])
    assert ga.sum(mask[0, 0]).dtype == np.int64


def test_a_mean_of_integers_is_float32() -> None:
    mean = ga.mean(ga.constant(np.array([200, 201], np.uint8)))
    assert mean.dtype == np.float32
    assert value(mean) == 200.5


def test_a_mean_over_a_named_size_divides_by_the_size_of_the_call() -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], ga.mean(x))
    assert function(np.ones((3, 2))) == function(np.ones((5, 2))) == 1


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_of_nothing_the_sum_is_zero_and_the_mean_is_nan(backend: str) -> None:
    x = ga.input("x", (0, 3))
    total, mean = ga.compile([x], [ga.sum(x, axis=0), ga.mean(x)], backend=backend)(np.zeros((0, 3)))
    np.testing.assert_array_equal(total, [0, 0, 0])
    assert np.isnan(mean)


@pytest.mark.parametrize("reduce", [ga.max, ga.min, ga.argmax, ga.argmin])
def test_an_extreme_of_nothing_is_an_error_when_it_is_built(reduce: Callable[..., Node]) -> None:
    x = ga.input("x", (3, 0))
    assert reduce(x, axis=0).shape == (0,)
    with pytest.raises(ShapeError, match=r"\(x: float32\[3, 0\]\).*no value \(at test_reduction\.py:\d+\)"):
        reduce(x, axis=1)


@pytest.mark.parametrize("reduce", [ga.max, ga.argmax])
def test_an_extreme_of_a_named_size_of_zero_is_an_error_at_the_call(reduce: Callable[..., Node]) -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], reduce(x, axis=0))
    assert function(np.ones((1, 2))).shape == (2,)
    with pytest.raises(ShapeError, match="no value"):
        function(np.ones((0, 2)))


@pytest.mark.parametrize("reduce", [ga.sum, ga.mean, ga.max, ga.min, ga.argmax])
@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_out_of_range_is_an_error_that_says_where(reduce: Callable[..., Node], axis: int) -> None:
    x = ga.input("x", ("batch", 3))
    with pytest.raises(
        ShapeError, match=rf"{reduce.__name__}\(x: float32\[batch, 3\].*axis {axis} is.*\(at test_reduction\.py:\d+\)"
    ):
        reduce(x, axis)


def test_an_axis_is_given_once_and_is_an_integer() -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(ShapeError, match="twice"):
        ga.sum(x, axis=(0, -2))
    for axis in (1.0, True, "batch"):
        with pytest.raises(DTypeError, match=f"an axis is an integer; got {axis!r}"):
            ga.sum(x, axis=axis)


def test_a_value_without_axes_has_none_to_search() -> None:
    x = ga.input("x", ())
    assert value(ga.argmax(x), {x: float32(3)}) == 0
    with pytest.raises(ShapeError, match="has none"):
        ga.argmax(x, axis=0)


def test_sums_over_time_of_float32_gradients_stay_float32() -> None:
    x = ga.input("x", (4, 3))
    for loss in (ga.sum(x), ga.mean(x), ga.max(x)):
        assert ga.grad(loss, x).type == x.type
    assert [found.dtype for found in values([ga.mean(x)], {x: np.ones((4, 3), np.float32)})] == [np.float32]
