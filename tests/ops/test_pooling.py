import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from tests.autodiff.differences import float32, value


def line(*numbers: float) -> Any:
    """A signal of one channel, alone in its batch."""
    return float32(numbers).reshape(1, -1, 1)


def test_elements_that_tie_share_the_gradient_equally() -> None:
    x = ga.input("x", (1, 6, 1))
    gradient = ga.grad(ga.sum(ga.max_pool1d(x, 3)), x)
    np.testing.assert_allclose(value(gradient, {x: line(2, 2, 2, 1, 5, 5)}).ravel(), [1 / 3] * 3 + [0, 0.5, 0.5])


def test_an_element_that_wins_in_many_windows_gets_the_gradient_of_each() -> None:
    x = ga.input("x", (1, 5, 1))
    gradient = ga.grad(ga.sum(ga.max_pool1d(x, 3, stride=1)), x)
    np.testing.assert_array_equal(value(gradient, {x: line(0, 1, 9, 2, 3)}).ravel(), [0, 0, 3, 0, 0])


@pytest.mark.parametrize("padding", ["same", "causal", 1])
def test_padding_never_wins(padding: Any) -> None:
    x = ga.input("x", (1, 4, 1))
    pooled = ga.max_pool1d(x, 2, stride=1, padding=padding)
    given = {x: line(-4, -3, -2, -5)}
    assert value(pooled, given).max() == -2
    assert value(ga.grad(ga.sum(pooled), x), given).sum() == pooled.shape[1]


def test_a_padded_maximum_of_integers_is_exact() -> None:
    lowest = np.iinfo(np.int8).min
    x = ga.constant(np.array([lowest, -5, 3], np.int8).reshape(1, 3, 1))
    found = value(ga.max_pool1d(x, 3, stride=1, padding="same"))
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found.ravel(), [-5, 3, 3])


def test_a_mean_does_not_count_padding() -> None:
    x = ga.constant(np.ones((1, 5, 4, 2), np.float32))
    np.testing.assert_array_equal(value(ga.avg_pool2d(x, 3, stride=1, padding="same")), np.ones((1, 5, 4, 2)))
    np.testing.assert_array_equal(value(ga.avg_pool2d(x, 3, padding=((2, 0), (1, 1)))), np.ones((1, 2, 2, 2)))


def test_windows_lie_side_by_side_unless_told_otherwise() -> None:
    x = ga.constant(line(*range(1, 8)))
    np.testing.assert_array_equal(value(ga.max_pool1d(x, 3)).ravel(), [3, 6])
    np.testing.assert_array_equal(value(ga.avg_pool1d(x, 3)).ravel(), [2, 5])
    np.testing.assert_array_equal(value(ga.max_pool1d(x, 3, stride=2)).ravel(), [3, 5, 7])


def test_a_nan_is_the_greatest_and_an_infinity_the_mean_of_its_window_only() -> None:
    x = ga.constant(line(1, math.nan, 2, 3, math.inf, 0))
    np.testing.assert_array_equal(value(ga.max_pool1d(x, 2)).ravel(), [math.nan, 3, math.inf])
    np.testing.assert_array_equal(value(ga.avg_pool1d(x, 2)).ravel(), [math.nan, 2.5, math.inf])


def test_means_of_integers_are_float32_and_maxima_integers() -> None:
    x = ga.constant(np.array([1, 2, 3, 4], np.uint8).reshape(1, 4, 1))
    found = value(ga.avg_pool1d(x, 2))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.ravel(), [1.5, 3.5])
    assert ga.max_pool1d(x, 2).dtype == np.uint8


@pytest.mark.parametrize("pool", [ga.max_pool2d, ga.avg_pool2d])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_the_batch_may_be_named(pool: Callable[..., Any], padding: str, batch: int) -> None:
    x = ga.input("x", ("batch", 5, 4, 2))
    y = pool(x, 2, padding=padding)
    f = ga.compile([x], [y, ga.grad(ga.sum(y), x)])
    found, gradient = f(np.ones((batch, 5, 4, 2), np.float32))
    np.testing.assert_array_equal(found, np.ones((batch, 2 if padding == "valid" else 3, 2, 2)))
    assert gradient.shape == (batch, 5, 4, 2)


def test_the_length_may_be_named_where_the_stride_is_one() -> None:
    x = ga.input("x", ("batch", "time", 1))
    f = ga.compile([x], [ga.max_pool1d(x, 2, 1, "same"), ga.avg_pool1d(x, 2, 1)])
    greatest, mean = f(line(1, 3, 2))
    assert (greatest.ravel().tolist(), mean.ravel().tolist()) == ([3, 3, 2], [2, 2.5])


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "message"),
    [
        ((2, 5), {"size": 2}, ShapeError, "the operand has 3 axes, channels last; this one has 2"),
        ((2, 5, 3), {"size": 6}, ShapeError, "reaches over 6 elements does not fit into an axis of 5"),
        ((2, "time", 3), {"size": 2}, ShapeError, "a stride of 2 needs an axis of integer size: declare time"),
        ((2, 5, 3), {"size": 2, "padding": 2}, ShapeError, "padding 2 is not less than the size 2"),
        ((2, 5, 3), {"size": 0}, ArgumentError, "size is a positive integer"),
        ((2, 5, 3), {"size": (2, 2)}, ArgumentError, "size is a positive integer"),
        ((2, 5, 3), {"size": 2, "stride": -1}, ArgumentError, "stride is a positive integer"),
        ((2, 5, 3), {"size": 2, "padding": "full"}, ArgumentError, "padding is 'valid'"),
    ],
)
@pytest.mark.parametrize("pool", [ga.max_pool1d, ga.avg_pool1d])
def test_what_does_not_fit_is_named(
    pool: Callable[..., Any], shape: Any, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"{pool.__name__}\(x: float32\[.*{message}.*\(at test_pooling\.py:\d+\)"):
        pool(ga.input("x", shape), **arguments)


def test_a_padded_mean_needs_a_size_that_is_known() -> None:
    with pytest.raises(
        ShapeError, match=r"avg_pool1d\(x: .*a mean with padding needs axes of integer size: declare time"
    ):
        ga.avg_pool1d(ga.input("x", (2, "time", 3)), 2, 1, "same")


def test_truth_values_have_no_greatest() -> None:
    with pytest.raises(DTypeError, match=r"max_pool1d\(mask: .*cast them to numbers"):
        ga.max_pool1d(ga.input("mask", (2, 5, 3), "bool"), 2)
