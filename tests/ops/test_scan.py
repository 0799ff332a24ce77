from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.node import apply
from graphad.ir.op import Array
from graphad.ops.scan import LinearRecurrence
from tests.autodiff.differences import central_gradient_of, float32, value

backends = pytest.mark.parametrize("backend", ["numpy", "reference"])
both = pytest.mark.parametrize("name", ["cumsum", "cumprod"])
CUBE = np.random.default_rng(0).standard_normal((5, 3, 2))


@both
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_axes_mean_what_they_mean_in_numpy(name: str, axis: int | None) -> None:
    x = ga.input("x", (5, 3, 2), "float64")
    node, expected = getattr(np, name)(x, axis=axis), getattr(np, name)(CUBE, axis=axis)
    np.testing.assert_allclose(value(node, {x: CUBE}), expected, rtol=1e-14)
    assert node.shape == expected.shape


@both
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("zeros", [0, 1, 7])
def test_gradients_agree_with_central_differences_wherever_zeros_are(name: str, axis: int | None, zeros: int) -> None:
    x = ga.input("x", (4, 3), "float64")
    generator = np.random.default_rng(zeros)
    array = generator.standard_normal((4, 3))
    array.flat[generator.permutation(12)[:zeros]] = 0
    scanned = getattr(ga, name)(x, axis)
    loss = ga.sum(ga.sin(scanned) * generator.standard_normal(scanned.type.static_shape))
    slope = ga.sum(ga.cos(ga.grad(loss, x)))
    given = {x: array}
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-8)
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-7)


@backends
@pytest.mark.parametrize("factors", [[2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
def test_the_jacobian_of_a_running_product_is_made_of_the_products_of_the_others(
    factors: list[float], backend: str
) -> None:
    x = ga.input("x", (3,), "float64")
    products = ga.cumprod(x)
    jacobian = ga.stack([ga.grad(products[i], x) for i in range(3)])
    expected = [[math.prod(factors[k] for k in range(i + 1) if k != j) * (j <= i) for j in range(3)] for i in range(3)]
    np.testing.assert_array_equal(ga.compile([x], jacobian, backend=backend)(np.array(factors)), expected)


@both
@backends
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32"])
def test_small_integers_do_not_wrap(name: str, backend: str, dtype: str) -> None:
    x = ga.input("x", ("batch",), dtype)
    array = np.array([1, 100, 1, 100, 2]).astype(dtype)
    node = getattr(ga, name)(x)
    found, expected = ga.compile([x], node, backend=backend)(array), getattr(np, name)(array)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == node.dtype == expected.dtype


@both
@backends
@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_axis_may_have_a_named_size(name: str, backend: str, count: int) -> None:
    x = ga.input("x", ("time", 2))
    node = getattr(ga, name)(x, axis=0)
    array = np.random.default_rng(1).standard_normal((count, 2)).astype(np.float32)
    found, gradient = ga.compile([x], [node, ga.grad(ga.sum(node), x)], backend=backend)(array)
    np.testing.assert_allclose(found, getattr(np, name)(array, axis=0), rtol=1e-6)
    np.testing.assert_allclose(gradient, _gradient_of_the_sum(name, array.astype(np.float64)), rtol=1e-5, atol=1e-6)


def _gradient_of_the_sum(name: str, array: Array) -> Any:
    """By the definition: element j appears in every y[i] from i = j on."""
    count = len(array)
    if name == "cumsum":
        return np.repeat(np.arange(count, 0.0, -1.0)[:, np.newaxis], 2, axis=1)
    others = [np.prod(np.delete(array[: i + 1], j, axis=0), axis=0) for j in range(count) for i in range(j, count)]
    owners = [j for j in range(count) for _ in range(j, count)]
    total = np.zeros_like(array)
    for j, product in zip(owners, others, strict=True):
        total[j] += product
    return total


@both
def test_a_value_without_axes_is_flattened_to_one_element(name: str) -> None:
    node = getattr(ga, name)(ga.constant(3.0))
    np.testing.assert_array_equal(value(node), [3.0])
    with pytest.raises(ShapeError, match="has none"):
        getattr(ga, name)(ga.constant(3.0), axis=0)


def test_infinity_and_nan_stay_from_their_place_on() -> None:
    x = ga.constant([1.0, math.inf, 2.0, -math.inf, 3.0])
    np.testing.assert_array_equal(value(ga.cumsum(x)), [1, math.inf, math.inf, math.nan, math.nan])
    np.testing.assert_array_equal(value(ga.cumprod(x)), [1, math.inf, math.inf, -math.inf, -math.inf])


def test_great_factors_have_gradients_of_their_size() -> None:
    x = ga.input("x", (3,))
    gradient = value(ga.grad(ga.sum(ga.cumprod(x)), x), {x: float32([1e4, -1e4, 1e4])})
    np.testing.assert_allclose(gradient, [1 - 1e4 - 1e8, 1e4 + 1e8, -1e8], rtol=1e-6)


def test_the_first_coefficient_of_a_recurrence_multiplies_nothing() -> None:
    a, b = ga.constant([math.nan, 2.0, 3.0]), ga.constant([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(value(apply(LinearRecurrence(0), a, b)), [1, 3, 10])
    np.testing.assert_array_equal(value(apply(LinearRecurrence(0, reverse=True), a[::-1], b)), [10, 3, 1])


def test_a_recurrence_is_of_floats_of_one_type() -> None:
    x, whole, wide = ga.input("x", (3,)), ga.input("i", (3,), "int64"), ga.input("w", (2, 3))
    for a, b in ((x, whole), (whole, whole)):
        with pytest.raises(DTypeError, match=r"linear_recurrence\(.*must be floats.*test_scan\.py:\d+"):
            apply(LinearRecurrence(0), a, b)
    with pytest.raises(ShapeError, match=r"linear_recurrence\(.*must have one shape"):
        apply(LinearRecurrence(0), x, wide)


@both
def test_bad_axes_and_options_are_errors_that_say_where(name: str) -> None:
    x = ga.input("x", (3, 2))
    with pytest.raises(
        ShapeError, match=rf"{name}\(x: float32\[3, 2\].*axis 2 is out of range.*\(at test_scan\.py:\d+\)"
    ):
        getattr(ga, name)(x, axis=2)
    with pytest.raises(DTypeError, match=rf"{name}\(x: .*an axis is an integer; got \(0, 1\)"):
        getattr(ga, name)(x, axis=(0, 1))
    with pytest.raises(ArgumentError, match=rf"{name}\(x: .*dtype= is not supported: cast.*\(at test_scan\.py:\d+\)"):
        getattr(np, name)(x, dtype="float64")
