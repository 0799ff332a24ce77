from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.op import Array
from tests.autodiff.differences import central_gradient_of, float32, value, values

INF, NAN = math.inf, math.nan
EXTREME = float32([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [0.0, 1e-4, 1e4], [3.0, 3.0, 3.0]])
LABELS = np.array([1, 2, 0, 0])


def softmax_of(x: Array) -> Array:
    powers = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), (-1,), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_is_the_logarithm_of_the_sum_of_exponentials(axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (2, 3), "float64")
    given = {x: np.random.default_rng(0).standard_normal((2, 3))}
    exponentials: Any = np.exp(given[x])
    expected = np.log(exponentials.sum(axis, keepdims=keepdims))
    found = ga.logsumexp(x, axis, keepdims)
    assert found.shape == expected.shape
    np.testing.assert_allclose(value(found, given), expected, rtol=1e-13)
    loss = ga.sum(ga.sin(found))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("build", [lambda x: ga.logsumexp(x, -1), lambda x: ga.logsumexp(x, 1, keepdims=True)[..., 0]])
def test_logsumexp_of_nothing_but_minus_infinity_is_that_with_zero_gradient(backend: str, build: Any) -> None:
    x = ga.input("x", (3, 2))
    result = build(x)
    rows = float32([[-INF, -INF], [-INF, 5], [1e4, 1e4]])
    found, gradient = ga.compile([x], [result, ga.grad(ga.sum(result), x)], backend=backend)(rows)
    np.testing.assert_allclose(found, [-INF, 5, 1e4 + math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.0, 1.0], [0.5, 0.5]])


def test_logsumexp_of_everything_is_minus_infinity_with_zero_gradients_of_both_orders() -> None:
    x = ga.input("x", (3, 2))
    given = {x: np.full((3, 2), -INF, np.float32)}
    total = ga.logsumexp(x)
    gradient = ga.grad(total, x)
    assert value(total, given) == -INF
    np.testing.assert_array_equal(value(gradient, given), np.zeros((3, 2)))
    bend = ga.grad(ga.sum(gradient * np.arange(6, dtype=np.float32).reshape(3, 2)), x)
    np.testing.assert_array_equal(value(bend, given), np.zeros((3, 2)))


def test_logsumexp_over_a_named_size_is_of_the_size_of_the_call() -> None:
    x = ga.input("x", ("batch", 2))
    function = ga.compile([x], ga.logsumexp(x, axis=0))
    np.testing.assert_allclose(function(np.full((4, 2), 1e4)), [1e4 + math.log(4)] * 2, rtol=1e-6)
    with pytest.raises(ShapeError, match="no value"):
        function(np.zeros((0, 2)))


def test_logsumexp_of_a_value_without_axes_is_that_value_and_of_integers_float32() -> None:
    assert value(ga.logsumexp(2.5)) == 2.5
    found = value(ga.logsumexp(ga.constant([0, 0, 0])))
    assert found == float32(math.log(3))
    assert found.dtype == np.float32


def test_logsumexp_with_nan_is_nan_and_with_infinity_infinite() -> None:
    assert np.isnan(value(ga.logsumexp(ga.constant([1.0, NAN, 2.0]))))
    assert value(ga.logsumexp(ga.constant([1.0, INF, 2.0]))) == INF


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_and_its_logarithm_are_right_in_both_tails(axis: int) -> None:
    x = ga.input("x", (4, 3))
    array = EXTREME
    expected = np.moveaxis(softmax_of(np.moveaxis(array, axis, -1)), -1, axis)
    probabilities, logarithms = values([ga.softmax(x, axis), ga.log_softmax(x, axis)], {x: array})
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    np.testing.assert_allclose(logarithms[expected > 0], np.log(expected[expected > 0]), atol=1e-6)
    assert np.isfinite(logarithms).all()


@pytest.mark.parametrize("build", [ga.softmax, ga.log_softmax])
def test_softmax_is_differentiated_twice(build: Any) -> None:
    x = ga.input("x", (2, 3), "float64")
    given = {x: np.random.default_rng(0).standard_normal((2, 3))}
    loss = ga.sum(ga.square(build(x)) * np.arange(6.0).reshape(2, 3))
    slope = ga.sum(ga.sin(ga.grad(loss, x)))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-9)
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


@pytest.mark.parametrize("build", [ga.logsumexp, ga.softmax, ga.log_softmax])
def test_errors_of_what_is_built_from_others_name_the_line(build: Any) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ShapeError, match=r"x: float32\[3\].*axis 1 is out of range.*\(at test_softmax\.py:\d+\)"):
        build(x, axis=1)
    with pytest.raises((DTypeError, ArgumentError)):
        build(x, axis="last")
