import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError, UnreachedError
from graphad.ir.node import Node
from tests.autodiff.differences import central_gradient_of, float32, value, values

CUBE = np.random.default_rng(0).permutation(30).reshape(5, 3, 2) / 7
AXES = [None, 0, -1, (0, 2), (-2,), (2, 1, 0), ()]
backends = pytest.mark.parametrize("backend", ["numpy", "reference"])


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "ptp", "any", "all", "count_nonzero"])
def test_axes_mean_what_they_mean_in_numpy(name: str, axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    reduced = getattr(ga, name)(x, axis=axis, keepdims=keepdims)
    expected = getattr(np, name)(CUBE, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(value(reduced, {x: CUBE}), expected, rtol=1e-13)
    assert (reduced.shape, reduced.dtype) == (expected.shape, expected.dtype)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("reduce", [ga.sum, ga.mean, ga.prod, ga.max, ga.min, ga.ptp])
def test_gradients_agree_with_central_differences(reduce: Callable[..., Node], axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    reduced = reduce(x, axis, keepdims)
    weights = np.random.default_rng(1).standard_normal(reduced.type.static_shape)
    loss = ga.sum(weights * ga.square(reduced))
    expected = central_gradient_of(loss, x, {x: CUBE})
    np.testing.assert_allclose(value(ga.grad(loss, x), {x: CUBE}), expected, atol=1e-8)


@pytest.mark.parametrize("axis", [0, -1, None])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_place_of_the_extreme_is_numpys(name: str, axis: int | None, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    found = value(getattr(ga, name)(x, axis, keepdims=keepdims), {x: CUBE})
    np.testing.assert_array_equal(found, getattr(np, name)(CUBE, axis, keepdims=keepdims), strict=True)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_place_of_the_extreme_of_everything_may_keep_the_axes(name: str) -> None:
    x = ga.input("x", ("batch", 3))
    node = getattr(np, name)(x, keepdims=True)
    assert node.shape == (1, 1)
    assert ga.compile([x], node)(float32([[1, 1, 1], [0, 5, 1]])) == {"argmax": 4, "argmin": 3}[name]


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


@pytest.mark.parametrize("reduce", [ga.max, ga.min, ga.argmax, ga.argmin, ga.ptp])
def test_an_extreme_of_a_named_size_of_zero_is_an_error_at_the_call(reduce: Callable[..., Node]) -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], reduce(x, axis=0))
    assert function(np.ones((1, 2))).shape == (2,)
    with pytest.raises(ShapeError, match=r"\(x: float32\[0, 2\]\).*no value \(at test_reduction\.py:\d+\)"):
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


@pytest.mark.parametrize(
    "function", [np.sum, np.mean, np.prod, np.max, np.amax, np.min, np.amin, np.ptp, np.any, np.all, np.count_nonzero]
)
def test_numpys_reductions_of_nodes_are_nodes(function: Callable[..., Any]) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    node = function(x, axis=(0, -1), keepdims=True)
    np.testing.assert_allclose(value(node, {x: CUBE}), function(CUBE, axis=(0, -1), keepdims=True), rtol=1e-13)
    assert isinstance(function(x), Node)


@pytest.mark.parametrize("option", [{"out": CUBE}, {"where": CUBE > 1}, {"initial": 0.0}, {"dtype": "float64"}])
@pytest.mark.parametrize("function", [np.sum, np.prod])
def test_options_of_numpys_that_there_are_none_of_are_refused_by_name(function: Any, option: dict[str, Any]) -> None:
    x, name = ga.input("x", (5, 3, 2)), next(iter(option))
    with pytest.raises(
        ArgumentError, match=rf"{function.__name__}\(x: float32.*{name}=.*\(at test_reduction\.py:\d+\)"
    ):
        function(x, **option)


FACTORS = {
    "no zero": [2.0, -3.0, 0.5, 4.0],
    "one zero": [2.0, 0.0, 0.5, 4.0],
    "two zeros": [2.0, 0.0, 0.5, 0.0],
    "zeros only": [0.0, 0.0, 0.0, 0.0],
}


@backends
@pytest.mark.parametrize("factors", FACTORS.values(), ids=FACTORS)
def test_a_product_has_the_right_derivatives_whatever_factors_are_zero(factors: list[float], backend: str) -> None:
    x = ga.input("x", (4,), "float64")
    product = ga.prod(x)
    gradient = ga.grad(product, x)
    rows = [ga.grad(gradient[i], x, disconnected="zero") for i in range(4)]
    found, first, second = ga.compile([x], [product, gradient, ga.stack(rows)], backend=backend)(np.array(factors))
    without = [[math.prod(f for k, f in enumerate(factors) if k not in (i, j)) for j in range(4)] for i in range(4)]
    assert found == math.prod(factors)
    np.testing.assert_array_equal(first, np.diag(without))
    np.testing.assert_array_equal(second, np.array(without) * (1 - np.eye(4)))


def test_the_third_derivative_of_a_product_with_zeros_agrees_with_central_differences() -> None:
    x = ga.input("x", (2, 3), "float64")
    given = {x: np.array([[2.0, 0.0, 1.5], [0.0, 0.5, 0.0]])}
    slope = ga.grad(ga.sum(ga.sin(ga.prod(x, axis=1)) + ga.prod(x)), x)
    bend = ga.grad(ga.sum(slope * np.arange(6.0).reshape(2, 3)), x)
    loss = ga.sum(bend * np.arange(1.0, 7.0).reshape(2, 3))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-8)


@backends
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "bool"])
def test_small_integers_do_not_wrap_in_a_product(dtype: str, backend: str) -> None:
    x = ga.input("x", ("batch",), dtype)
    product = ga.prod(x)
    full = np.full(2, 1 if dtype == "bool" else np.iinfo(dtype).max, dtype)
    found = ga.compile([x], product, backend=backend)(full)
    assert found == int(full[0]) ** 2
    assert found.dtype == product.dtype == np.prod(full).dtype


@backends
@pytest.mark.parametrize("shape", [(0, 3), ("batch", 3)])
def test_of_nothing_the_product_is_one_any_is_false_all_is_true_and_none_count(shape: Any, backend: str) -> None:
    x = ga.input("x", shape)
    outputs = [reduce(x, axis=0) for reduce in (ga.prod, ga.any, ga.all, ga.count_nonzero)]
    found = ga.compile([x], outputs, backend=backend)(np.zeros((0, 3)))
    for values_found, expected in zip(found, (1, False, True, 0), strict=True):
        np.testing.assert_array_equal(values_found, [expected] * 3)


def test_the_gradient_of_a_product_of_nothing_is_nothing() -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], ga.grad(ga.sum(ga.prod(x, axis=0)), x))
    assert function(np.zeros((0, 2))).shape == (0, 2)
    np.testing.assert_array_equal(function([[2, 3], [4, 0]]), [[4, 0], [2, 3]])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
def test_whatever_is_not_zero_is_true_in_any_dtype(name: str, dtype: str) -> None:
    array = np.array([[0, 1, 0], [1, 3, 2], [0, 0, 0]]).astype(dtype)
    x = ga.input("x", array.shape, dtype)
    found = ga.compile([x], getattr(ga, name)(x, axis=1))(array)
    np.testing.assert_array_equal(found, getattr(np, name)(array, axis=1), strict=True)


def test_nan_and_infinity_are_not_zero_and_minus_zero_is() -> None:
    x = ga.constant([math.nan, math.inf, -0.0])
    assert value(ga.any(x[:1]))
    assert value(ga.all(x[:2]))
    assert not value(ga.any(x[2:]))
    assert value(ga.count_nonzero(x)) == 2


@pytest.mark.parametrize("reduce", [ga.any, ga.all, ga.count_nonzero, ga.argmax])
def test_truth_counts_and_places_carry_no_gradient(reduce: Callable[..., Node]) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(UnreachedError):
        ga.grad(ga.cast(reduce(x), "float32"), x)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "ptp", "any", "all", "count_nonzero", "argmin"])
def test_a_value_without_axes_is_reduced_to_itself(name: str) -> None:
    x = ga.input("x", (), "float64")
    node = getattr(ga, name)(x)
    found = value(node, {x: np.array(-2.5)})
    assert found == getattr(np, name)(np.array(-2.5))
    assert found.shape == node.shape == ()
    assert found.dtype == node.dtype


@pytest.mark.parametrize("name", ["prod", "max", "min", "ptp", "argmax"])
def test_integers_are_reduced_as_integers(name: str) -> None:
    array = np.array([[3, -2, 7], [1, 1, 0]], np.int32)
    found = value(getattr(ga, name)(ga.constant(array), axis=1))
    np.testing.assert_array_equal(found, getattr(np, name)(array, axis=1), strict=True)


def test_the_distance_from_peak_to_peak_shares_its_gradient_among_ties() -> None:
    x = ga.input("x", (5,))
    gradient = ga.grad(ga.ptp(x), x)
    np.testing.assert_array_equal(value(gradient, {x: float32([3, 1, 3, 1, 2])}), [0.5, -0.5, 0.5, -0.5, 0])
    np.testing.assert_array_equal(value(gradient, {x: float32([4, 4, 4, 4, 4])}), [0, 0, 0, 0, 0])


@pytest.mark.parametrize("reduce", [ga.prod, ga.ptp, ga.any, ga.all, ga.count_nonzero, ga.min, ga.argmin])
def test_an_axis_that_is_not_there_is_an_error_that_names_the_function_and_the_line(reduce: Any) -> None:
    x = ga.input("x", ("batch", 3))
    with pytest.raises(
        ShapeError, match=rf"^{reduce.__name__}\(x: float32\[batch, 3\].*axis 2.*test_reduction\.py:\d+\)"
    ):
        reduce(x, axis=2)


def test_what_numpy_takes_in_the_place_of_keepdims_is_not_taken_for_true() -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(ArgumentError, match=r"sum\(x: .*keepdims is True or False; got 'float64'"):
        np.sum(x, 0, "float64")
