from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError, UnreachedError
from tests.autodiff.differences import central_gradient_of, float32, value, values

INF, NAN = math.inf, math.nan
backends = pytest.mark.parametrize("backend", ["numpy", "reference"])
CUBE = np.random.default_rng(0).integers(0, 6, (5, 3, 2)) / 2


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("name", ["sort", "argsort"])
def test_the_order_is_numpys_stable_one(name: str, axis: int | None) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    node, expected = getattr(np, name)(x, axis=axis), getattr(np, name)(CUBE, axis=axis, kind="stable")
    np.testing.assert_array_equal(ga.compile([x], node)(CUBE), expected, strict=True)
    assert (node.shape, node.dtype) == (expected.shape, expected.dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "float32"])
@pytest.mark.parametrize("descending", [False, True])
def test_every_dtype_is_sorted_both_ways_down_to_its_least_number(dtype: str, descending: bool) -> None:
    least = 0 if dtype in ("bool", "float32") else np.iinfo(dtype).min
    array = np.array([1, least, 0, 1, least, 0]).astype(dtype)
    x = ga.input("x", (6,), dtype)
    found, places = values([ga.sort(x, descending=descending), ga.argsort(x, descending=descending)], {x: array})
    expected = sorted(range(6), key=lambda i: -int(array[i]) if descending else int(array[i]))
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(found, array[expected], strict=True)


def test_nan_counts_as_the_greatest_even_beside_infinity() -> None:
    x = ga.constant([NAN, 1.0, INF, -INF, NAN])
    np.testing.assert_array_equal(value(ga.sort(x)), [-INF, 1, INF, NAN, NAN])
    np.testing.assert_array_equal(value(ga.argsort(x)), [3, 1, 2, 0, 4])
    np.testing.assert_array_equal(value(ga.argsort(x, descending=True)), [0, 4, 2, 1, 3])


@backends
def test_cotangents_go_back_to_the_places_of_their_elements_and_ties_keep_their_order(backend: str) -> None:
    x = ga.input("x", (5,), "float64")
    weights = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    gradient = ga.grad(ga.sum(ga.sort(x) * weights), x)
    function = ga.compile([x], gradient, backend=backend)
    np.testing.assert_array_equal(function(np.array([3.0, 1.0, 2.0, 5.0, 4.0])), [100, 1, 10, 10000, 1000])
    np.testing.assert_array_equal(function(np.array([2.0, 1.0, 2.0, 1.0, 2.0])), [100, 1, 1000, 10, 10000])


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_a_sort_is_differentiated_twice_along_any_axis(axis: int | None) -> None:
    x = ga.input("x", (4, 3), "float64")
    given = {x: np.random.default_rng(1).permutation(12).reshape(4, 3) / 4}
    ordered = ga.sort(x, axis)
    loss = ga.sum(ga.sin(ordered) * np.random.default_rng(2).standard_normal(ordered.type.static_shape))
    slope = ga.sum(ga.square(ga.grad(loss, x)))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-9)
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_axis_may_have_a_named_size(count: int) -> None:
    x = ga.input("x", ("batch", 2))
    array = np.random.default_rng(3).standard_normal((count, 2)).astype(np.float32)
    ordered = ga.sort(x, axis=0)
    found, gradient = ga.compile([x], [ordered, ga.grad(ga.sum(ordered), x)])(array)
    np.testing.assert_array_equal(found, np.sort(array, axis=0))
    np.testing.assert_array_equal(gradient, np.ones((count, 2)))


@backends
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_the_greatest_are_the_end_of_the_sorted_operand_the_greatest_first(axis: int, k: int, backend: str) -> None:
    x = ga.input("x", (4, 3), "float64")
    array = np.random.default_rng(4).standard_normal((4, 3))
    found, places = ga.compile([x], list(ga.topk(x, k, axis)), backend=backend)(array)
    expected = np.flip(np.sort(array, axis), axis).take(range(k), axis)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.take_along_axis(array, places, axis), expected)
    assert places.dtype == np.int64


def test_of_equal_elements_the_first_are_the_greatest_and_get_the_gradient() -> None:
    x = ga.input("x", (5,))
    given = {x: float32([1, 7, 7, 0, 7])}
    found, places = ga.topk(x, 2)
    np.testing.assert_array_equal(value(places, given), [1, 2])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(found * float32([1, 5])), x), given), [0, 1, 5, 0, 0])


@pytest.mark.parametrize("k", [-1, 1.0, True, "all", None])
def test_a_number_of_greatest_that_is_no_count_is_an_error(k: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"topk\(x: float32\[3\].*k is an integer >= 0; got .*\(at test_order\.py:\d+\)"
    ):
        ga.topk(ga.input("x", (3,)), k)


def test_more_of_the_greatest_than_there_are_is_an_error_as_soon_as_the_size_is_known() -> None:
    with pytest.raises(ShapeError, match=r"topk\(x: float32\[2, 3\], 4\): there are no 4 .*\(at test_order\.py:\d+\)"):
        ga.topk(ga.input("x", (2, 3)), 4)
    x = ga.input("x", ("batch",))
    function = ga.compile([x], ga.topk(x, 4)[0])
    np.testing.assert_array_equal(function([1, 2, 3, 4, 5]), [5, 4, 3, 2])
    with pytest.raises(ShapeError, match=r"outside axis 0 of size 3.*\(at test_order\.py:\d+\)"):
        function([1, 2, 3])


@pytest.mark.parametrize("build", [ga.argsort, lambda x: ga.topk(x, 2)[1], lambda x: ga.searchsorted(x, x)])
def test_places_carry_no_gradient(build: Any) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(UnreachedError):
        ga.grad(ga.sum(ga.cast(build(x), "float32")), x)


@pytest.mark.parametrize("build", [ga.sort, ga.argsort])
def test_a_value_without_axes_has_no_axis_to_sort(build: Any) -> None:
    x = ga.input("x", ())
    with pytest.raises(ShapeError, match=rf"{build.__name__}\(x: float32\[\]\).*has none.*\(at test_order\.py:\d+\)"):
        build(x)
    assert build(x, axis=None).shape == (1,)


@backends
@pytest.mark.parametrize("side", ["left", "right"])
def test_values_are_searched_as_in_numpy_in_lines_of_any_length(side: Any, backend: str) -> None:
    line, x = ga.input("line", ("count",)), ga.input("x", (2, 3))
    function = ga.compile([line, x], np.searchsorted(line, x, side=side), backend=backend)
    wanted = float32([[-5, 0, 1], [2, INF, NAN]])
    for known in ([], [1.0], [0.0, 1.0, 1.0, 2.0]):
        expected = np.searchsorted(float32(known), wanted, side)
        np.testing.assert_array_equal(function(float32(known), wanted), expected, strict=True)


def test_lines_and_values_of_two_dtypes_are_compared_as_the_wider() -> None:
    np.testing.assert_array_equal(value(ga.searchsorted([1, 2, 3], ga.constant([1.5, 3.5]))), [1, 3])
    assert value(ga.searchsorted([1.0, 2.0], 1.5)) == 1


def test_what_cannot_be_searched_is_an_error_that_says_where() -> None:
    x, table = ga.input("x", (3,)), ga.input("t", (2, 3))
    with pytest.raises(ShapeError, match=r"searchsorted\(t: float32\[2, 3\].*one axis, not of 2.*test_order\.py:\d+"):
        ga.searchsorted(table, x)
    with pytest.raises(ArgumentError, match=r'side is "left" or "right"; got \'middle\' \(at test_order'):
        ga.searchsorted(x, x, side="middle")  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match=r"sort\(x: .*an axis is an integer; got 'last'"):
        ga.sort(x, axis="last")  # type: ignore[arg-type]
