from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.node import apply
from graphad.ops.statistics import Norm
from tests.autodiff.differences import central_gradient_of, float32, value, values

INF, NAN = math.inf, math.nan
CUBE = np.random.default_rng(0).permutation(30).reshape(5, 3, 2) / 7
AXES = [None, 0, -1, (0, 2), (-2,), (2, 1, 0)]
backends = pytest.mark.parametrize("backend", ["numpy", "reference"])
axes = pytest.mark.parametrize("axis", AXES)
keeping = pytest.mark.parametrize("keepdims", [False, True])


@axes
@keeping
@pytest.mark.parametrize("name", ["var", "std", "average", "median", "nansum", "nanmean"])
def test_axes_mean_what_they_mean_in_numpy(name: str, axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    node = getattr(np, name)(x, axis=axis, keepdims=keepdims)
    expected = getattr(np, name)(CUBE, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(value(node, {x: CUBE}), expected, rtol=1e-13)
    assert node.shape == expected.shape


@axes
@pytest.mark.parametrize("name", ["var", "std", "median", "norm"])
def test_gradients_agree_with_central_differences(name: str, axis: Any) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    reduced = getattr(ga, name)(x, axis=axis)
    weights = np.random.default_rng(1).standard_normal(reduced.type.static_shape)
    loss = ga.sum(weights * ga.square(reduced))
    expected = central_gradient_of(loss, x, {x: CUBE})
    np.testing.assert_allclose(value(ga.grad(loss, x), {x: CUBE}), expected, atol=1e-7)


@pytest.mark.parametrize("name", ["mean", "var", "std", "average", "median", "norm", "nanmean"])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_measures_of_integers_are_float32(name: str, dtype: str) -> None:
    array = np.array([0, 1, 1, 0, 1]).astype(dtype)
    node = getattr(ga, name)(ga.constant(array))
    expected = getattr(np.linalg if name == "norm" else np, name)(array.astype(np.float64))
    assert node.dtype == value(node).dtype == np.float32
    assert value(node) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ddof", [0, 1, 2.5, 5, 6])
@pytest.mark.parametrize("name", ["var", "std"])
def test_degrees_of_freedom_are_taken_from_the_number_but_not_below_zero(name: str, ddof: float) -> None:
    x = ga.input("x", (5, 3), "float64")
    array = CUBE[:, :, 0]
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning), np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=0, ddof=ddof)
    np.testing.assert_allclose(value(getattr(np, name)(x, axis=0, ddof=ddof), {x: array}), expected, rtol=1e-13)


@backends
@pytest.mark.parametrize("name", ["var", "std"])
def test_the_number_may_be_a_named_size_even_one_or_none(name: str, backend: str) -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], [getattr(ga, name)(x, axis=0, ddof=d) for d in (0, 1)], backend=backend)
    array = np.random.default_rng(2).standard_normal((6, 2)).astype(np.float32)
    for found, ddof in zip(function(array), (0, 1), strict=True):
        np.testing.assert_allclose(found, getattr(np, name)(array, axis=0, ddof=ddof), rtol=1e-6)
    one, unknown = function(array[:1])
    np.testing.assert_array_equal([one, unknown], [[0, 0], [NAN, NAN]])
    np.testing.assert_array_equal(function(array[:0]), [[NAN, NAN], [NAN, NAN]])


def test_the_variance_of_numbers_far_from_zero_loses_no_digits() -> None:
    x = ga.input("x", (4,))
    given = {x: float32([10000.0, 10000.5, 10001.0, 10001.5])}
    variance, deviation = values([ga.var(x), ga.std(x)], given)
    np.testing.assert_allclose([variance, deviation], [0.3125, math.sqrt(0.3125)], rtol=1e-6)
    np.testing.assert_allclose(value(ga.grad(ga.var(x), x), given), [-0.375, -0.125, 0.125, 0.375], rtol=1e-5)


@backends
@pytest.mark.parametrize("build", [ga.std, lambda x: ga.norm(x - 3.0), lambda x: ga.std(x, ddof=1)])
def test_where_a_norm_or_deviation_is_zero_so_are_gradient_tangent_and_second_derivative(
    build: Any, backend: str
) -> None:
    x, v = ga.input("x", (4,)), ga.input("v", (4,))
    node = build(x)
    gradient = ga.grad(node, x)
    outputs = [node, gradient, ga.jvp(node, x, v), ga.grad(ga.sum(gradient * v), x)]
    for found in ga.compile([x, v], outputs, backend=backend)(float32([3, 3, 3, 3]), float32([1, 2, 3, 4])):
        np.testing.assert_array_equal(found, np.zeros_like(found))


def test_only_the_rows_that_are_zero_have_no_gradient() -> None:
    x = ga.input("x", (2, 2))
    gradient = value(ga.grad(ga.sum(ga.norm(x, axis=1)), x), {x: float32([[0, 0], [3, -4]])})
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.6, -0.8]], rtol=1e-6)


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e4, -1e4, 1e-44])
def test_a_norm_neither_overflows_nor_underflows(size: float) -> None:
    x = ga.input("x", (2,))
    given = {x: float32([3, -4]) * np.float32(size)}
    norm, gradient = values([ga.norm(x), ga.grad(ga.norm(x), x)], given)
    exact = given[x].astype(np.float64)
    np.testing.assert_allclose(norm, np.hypot(*exact), rtol=1e-6, atol=1.5e-45)
    np.testing.assert_allclose(gradient, exact / np.hypot(*exact), rtol=0.05 if abs(size) < 1e-38 else 1e-6)


def test_a_norm_of_infinity_is_infinite_and_of_nan_is_nan() -> None:
    assert value(ga.norm(ga.constant([1.0, -INF]))) == INF
    assert np.isnan(value(ga.norm(ga.constant([INF, NAN]))))
    x = ga.input("x", (2,))
    assert np.isnan(value(ga.grad(ga.norm(x), x), {x: float32([1, NAN])})).all()


@pytest.mark.parametrize("order", [None, 1, 2, np.int64(2), INF, -INF])
@pytest.mark.parametrize("axis", [0, -1])
@keeping
def test_norms_along_an_axis_are_numpys(order: Any, axis: int, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    node = np.linalg.norm(x, order, axis, keepdims)
    expected = np.linalg.norm(CUBE, order, axis, keepdims)
    np.testing.assert_allclose(value(node, {x: CUBE}), expected, rtol=1e-14)
    assert node.shape == expected.shape


@pytest.mark.parametrize("axis", [None, (0, 2), (1, 0)])
@keeping
def test_norms_over_several_axes_are_numpys(axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    for order in (None,) if axis is None else (None, "fro"):
        expected = np.linalg.norm(CUBE, order, axis, keepdims)
        np.testing.assert_allclose(value(np.linalg.norm(x, order, axis, keepdims), {x: CUBE}), expected, rtol=1e-14)


@pytest.mark.parametrize("order", [1, 2, INF])
def test_norms_of_matrices_are_refused_and_not_mistaken_for_those_of_vectors(order: Any) -> None:
    x = ga.input("x", (2, 3))
    for axis in (None, (0, 1)):
        with pytest.raises(
            ArgumentError, match=r"norm\(x: float32\[2, 3\].*is for one axis.*\(at test_statistics\.py:\d+\)"
        ):
            np.linalg.norm(x, order, axis)


@pytest.mark.parametrize("order", [0, 3, 0.5, True, "nuc", "fro"])
def test_orders_of_norms_that_there_are_none_of_are_refused(order: Any) -> None:
    with pytest.raises(ArgumentError, match=r"norm\(x: .*ord is None, 1, 2, inf or -inf; got .*\(at test_stat"):
        ga.norm(ga.input("x", (3,)), order)


@backends
def test_of_nothing_the_norm_is_zero_and_the_deviation_unknown(backend: str) -> None:
    x = ga.input("x", (0, 2))
    outputs = [build(x, axis=0) for build in (ga.norm, ga.var, ga.std, ga.nansum, ga.nanmean, ga.average)]
    norm, variance, deviation, total, mean, average = ga.compile([x], outputs, backend=backend)(np.zeros((0, 2)))
    np.testing.assert_array_equal([norm, total], np.zeros((2, 2)))
    assert np.isnan([variance, deviation, mean, average]).all()


@pytest.mark.parametrize("name", ["var", "std", "median", "norm", "average", "nansum"])
def test_a_value_without_axes_is_measured_like_one_element(name: str) -> None:
    x = ga.input("x", (), "float64")
    node = getattr(ga, name)(x)
    assert value(node, {x: np.array(-2.5)}) == {"var": 0, "std": 0, "norm": 2.5}.get(name, -2.5)
    assert node.shape == ()


def test_weights_of_one_axis_are_spread_over_the_others() -> None:
    x, w = ga.input("x", (5, 3, 2), "float64"), ga.input("w", (3,), "float64")
    weights = np.array([1.0, 2.0, 4.0])
    node: Any = np.average(x, axis=1, weights=w)
    np.testing.assert_allclose(
        value(node, {x: CUBE, w: weights}), np.average(CUBE, axis=1, weights=weights), rtol=1e-14
    )
    loss, given = ga.sum(ga.sin(node)), {x: CUBE, w: weights}
    np.testing.assert_allclose(value(ga.grad(loss, w), given), central_gradient_of(loss, w, given), atol=1e-8)


def test_weights_may_have_the_shape_of_the_operand() -> None:
    weights = np.random.default_rng(3).uniform(1, 2, CUBE.shape)
    found = value(ga.average(ga.constant(CUBE), axis=(0, 2), weights=weights))
    np.testing.assert_allclose(found, np.average(CUBE, axis=(0, 2), weights=weights), rtol=1e-14)


def test_other_weights_are_refused() -> None:
    x = ga.input("x", (2, 3))
    for axis, weights in ((0, [1.0, 1.0, 1.0]), (None, [1.0, 1.0]), ((0, 1), [1.0, 1.0])):
        with pytest.raises(ShapeError, match=r"average\(x: float32\[2, 3\].*need the shape of.*\(at test_statistics"):
            ga.average(x, axis=axis, weights=weights)


@pytest.mark.parametrize("count", [1, 2, 5, 6])
@backends
def test_the_median_of_a_named_size_is_numpys(count: int, backend: str) -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], ga.median(x, axis=0), backend=backend)
    array = np.random.default_rng(count).standard_normal((count, 2)).astype(np.float32)
    np.testing.assert_allclose(function(array), np.median(array, axis=0), rtol=1e-6)


def test_the_elements_in_the_middle_share_the_gradient_of_the_median() -> None:
    x = ga.input("x", (4,))
    gradient = ga.grad(ga.median(x), x)
    np.testing.assert_array_equal(value(gradient, {x: float32([9, 2, 4, 1])}), [0, 0.5, 0.5, 0])
    np.testing.assert_array_equal(value(gradient, {x: float32([2, 2, 2, 2])}), [0, 0.5, 0.5, 0])


def test_the_median_with_nan_is_nan_and_with_infinities_numpys() -> None:
    rows = float32([[1, NAN, 2, 0], [INF, 1, -INF, 3], [INF, INF, INF, 0]])
    np.testing.assert_array_equal(value(ga.median(ga.constant(rows), axis=1)), [NAN, 2, INF])


def test_the_median_of_nothing_is_an_error_when_the_size_is_known() -> None:
    with pytest.raises(ShapeError, match=r"median\(x: float32\[0, 2\].*no value \(at test_statistics\.py:\d+\)"):
        ga.median(ga.input("x", (0, 2)), axis=0)
    x = ga.input("x", ("batch",))
    function = ga.compile([x], ga.median(x))
    with pytest.raises(GraphadError, match=r"\(at test_statistics\.py:\d+\)"):
        function(np.zeros(0))


def test_what_is_not_a_number_adds_nothing_and_gets_no_gradient() -> None:
    x = ga.input("x", (2, 3))
    given = {x: float32([[1, NAN, 3], [NAN, NAN, NAN]])}
    total, mean = ga.nansum(x, axis=1), ga.nanmean(x, axis=1)
    np.testing.assert_array_equal(value(total, given), [4, 0])
    np.testing.assert_array_equal(value(mean, given), [2, NAN])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(total), x), given), [[1, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(value(ga.grad(mean[0], x), given), [[0.5, 0, 0.5], [0, 0, 0]])


def test_integers_have_no_nan_and_are_summed_as_integers() -> None:
    found = value(ga.nansum(ga.constant(np.array([200, 100], np.uint8))))
    assert found == 300
    assert found.dtype == np.uint64


@pytest.mark.parametrize("name", ["var", "std", "median", "norm", "average", "nansum", "nanmean"])
def test_an_axis_that_is_not_there_is_an_error_that_names_the_function_and_the_line(name: str) -> None:
    x = ga.input("x", ("batch", 3))
    with pytest.raises(ShapeError, match=rf"^{name}\(x: float32\[batch, 3\].*axis 2.*\(at test_statistics\.py:\d+\)"):
        getattr(ga, name)(x, axis=2)


def test_degrees_of_freedom_do_not_widen_the_result() -> None:
    numbers: list[Any] = [np.float64(1), np.int64(1), 1.0]
    for ddof in numbers:
        assert ga.std(ga.input("x", (3,)), ddof=ddof).dtype == np.float32


@pytest.mark.parametrize("ddof", [True, "one", None])
def test_degrees_of_freedom_that_are_no_number_are_refused(ddof: Any) -> None:
    with pytest.raises(ArgumentError, match=r"std\(x: .*ddof is a number known now; got .*test_statistics\.py:\d+"):
        ga.std(ga.input("x", (3,)), ddof=ddof)


def test_options_of_numpys_that_there_are_none_of_are_refused() -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(ArgumentError, match=r"median\(x: .*overwrite_input= is not supported"):
        np.median(x, overwrite_input=True)
    with pytest.raises(ArgumentError, match=r"average\(x: .*returned= is not supported"):
        np.average(x, returned=True)


def test_the_operation_is_of_floats() -> None:
    with pytest.raises(DTypeError, match=r"norm\(i: int64\[3\]\): the operand must be of floats"):
        apply(Norm((0,)), ga.input("i", (3,), "int64"))
