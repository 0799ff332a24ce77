"""Special functions and their derivatives against scipy's, far into the tails.

float32 is held against scipy in float64 at the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, FLOAT64

special: Any = pytest.importorskip("scipy.special", reason="special functions have no oracle: pip install scipy")

floats = pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)


@dataclass(frozen=True)
class Known:
    """A function of numbers, as scipy has it, and its derivative.

    ``error`` and ``slope_error`` are the relative errors that value and derivative may have, in units of the dtype's
    precision. ``cancels``: the derivative is a difference of numbers about 1, so its error is relative to these.
    """

    name: str
    scipy: Callable[[Array], Any]
    slope: Callable[[Array], Any]
    error: float = 4
    slope_error: float = 4
    cancels: bool = False


def _bell(x: Array) -> Any:
    return 2 / np.sqrt(np.pi) * np.exp(-x * x)


def _gelu_slope(x: Array) -> Any:
    return special.ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


# In the tail of erfc scipy itself is wrong by 250 units; an exponential magnifies the rounding of a square,
# and silu the error of sigmoid's slope by up to 37, beyond which that is 0.
KNOWN = (
    Known("erf", special.erf, _bell, slope_error=50),
    Known("erfc", special.erfc, lambda x: -_bell(x), error=300, slope_error=50),
    Known("gelu", lambda x: x * special.ndtr(x), _gelu_slope, 1500, 1500, cancels=True),
    Known("sigmoid", special.expit, lambda x: special.expit(x) * special.expit(-x), cancels=True),
    Known("log_sigmoid", special.log_expit, lambda x: special.expit(-x)),
    Known("softplus", lambda x: -special.log_expit(-x), special.expit),
    Known(
        "silu",
        lambda x: x * special.expit(x),
        lambda x: special.expit(x) * (1 + x * special.expit(-x)),
        slope_error=40,
        cancels=True,
    ),
    Known("log1p", special.log1p, lambda x: 1 / (1 + x)),
    Known("expm1", special.expm1, np.exp, cancels=True),
    Known("cbrt", special.cbrt, lambda x: 1 / (3 * special.cbrt(x) ** 2)),
)


def numbers(dtype: np.dtype[Any]) -> Array:
    """Of either sign: of every magnitude that is not next to underflow or overflow, many up to 40, and infinite."""
    limits = np.finfo(dtype)
    whole = np.logspace(np.log10(limits.tiny) + 1, np.log10(limits.max) - 1, 2001)
    sizes = np.concatenate([whole, np.linspace(0, 40, 4001), [1e4, np.inf]])
    return np.concatenate([-sizes, sizes]).astype(dtype)


def assert_near(found: Array, expected: Any, error: float, cancels: bool = False) -> None:
    """Near in units of the precision; next to underflow numbers are as good as 0."""
    limits = np.finfo(found.dtype)
    unit = float(limits.eps)
    with np.errstate(over="ignore"):
        rounded = np.asarray(expected).astype(found.dtype)
    np.testing.assert_allclose(found, rounded, rtol=error * unit, atol=4 * unit if cancels else limits.tiny / unit)


def value_and_slope(function: Callable[..., Any], *arrays: Array) -> tuple[Array, Array]:
    """Of a compiled program; the slope is that of the sum by the first of the arrays."""
    inputs = [ga.input(f"x{i}", array.shape, array.dtype) for i, array in enumerate(arrays)]
    node = function(*inputs)
    slope = ga.grad(ga.sum(node), inputs[:1])
    value, (first,) = ga.compile(inputs, (node, slope))(*arrays)
    return value, first


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
@floats
def test_functions_of_numbers_are_scipys(known: Known, dtype: np.dtype[Any]) -> None:
    x = numbers(dtype)
    value, slope = value_and_slope(getattr(ga, known.name), x)
    with np.errstate(all="ignore"):
        wide = x.astype(FLOAT64)
        expected, expected_slope = known.scipy(wide), known.slope(wide)
    assert_near(value, expected, known.error)
    assert_near(slope, expected_slope, known.slope_error, known.cancels)


def lines(dtype: np.dtype[Any]) -> Array:
    """Lines of five numbers, about 1e-4 to 1e4; in some, numbers are equal, or -inf."""
    generator = np.random.default_rng(4)
    drawn = generator.standard_normal((60, 5)) * np.logspace(-4, 4, 60)[:, None]
    special_ones = [[1e4] * 5, [-1e4] * 5, [0.0, -np.inf, 3.0, -np.inf, 2.0], [1e4, -1e4, 0.0, 1e4, 9999.0]]
    return np.concatenate([drawn, special_ones]).astype(dtype)


LINE_ERROR = 1000  # an exponential magnifies the rounding of what it is taken of, which is up to 700


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
@floats
def test_functions_of_lines_are_scipys(name: str, dtype: np.dtype[Any]) -> None:
    x = lines(dtype)
    found = value_and_slope(lambda node: getattr(ga, name)(node, axis=1), x)[0]
    assert_near(found, getattr(special, name)(x.astype(FLOAT64), axis=1), LINE_ERROR, name == "log_softmax")


@floats
def test_the_gradient_of_logsumexp_is_scipys_softmax(dtype: np.dtype[Any]) -> None:
    x = lines(dtype)
    _, slope = value_and_slope(lambda node: ga.logsumexp(node, axis=1), x)
    assert_near(slope, special.softmax(x.astype(FLOAT64), axis=1), LINE_ERROR)


@floats
def test_logaddexp_is_scipys_logsumexp_of_pairs(dtype: np.dtype[Any]) -> None:
    x, y = lines(dtype)[:, 0], lines(dtype)[:, 4]
    value, slope = value_and_slope(ga.logaddexp, x, y)
    pairs = np.stack([x, y]).astype(FLOAT64)
    assert_near(value, special.logsumexp(pairs, axis=0), LINE_ERROR)
    assert_near(slope, special.softmax(pairs, axis=0)[0], LINE_ERROR)


@floats
def test_cross_entropies_are_scipys_logarithms_of_probabilities(dtype: np.dtype[Any]) -> None:
    logits, label = lines(dtype)[:, :4], np.arange(len(lines(dtype))) % 2
    of_classes, _ = value_and_slope(ga.softmax_cross_entropy, logits, label)
    wide = logits.astype(FLOAT64)
    assert_near(of_classes, -np.take_along_axis(special.log_softmax(wide, axis=1), label[:, None], 1)[:, 0], LINE_ERROR)


@floats
def test_the_cross_entropy_of_a_yes_is_scipys_logarithm_of_its_probability(dtype: np.dtype[Any]) -> None:
    logits = numbers(dtype)[np.isfinite(numbers(dtype))]
    found, slope = value_and_slope(lambda node: ga.sigmoid_cross_entropy(node, 1), logits)
    wide = logits.astype(FLOAT64)
    assert_near(found, -special.log_expit(wide), 4)
    assert_near(slope, -special.expit(-wide), 4)


@floats
def test_the_divergence_is_scipys_relative_entropy(dtype: np.dtype[Any]) -> None:
    logits = lines(dtype)[:40]
    target = special.softmax(logits[::-1], axis=1).astype(dtype)
    target[target < 1e-30] = 0.0
    found, slope = value_and_slope(lambda q, x: ga.kl_divergence(x, q), target, logits)
    q, p = target.astype(FLOAT64), special.softmax(logits.astype(FLOAT64), axis=1)
    assert_near(found, np.sum(special.rel_entr(q, p), axis=1), LINE_ERROR, cancels=True)
    positive = np.where(q > 0, q, 1 / np.e)  # where its logarithm is -1
    assert_near(slope, np.log(positive) + 1 - np.log(p), LINE_ERROR, cancels=True)


@floats
def test_the_huber_loss_is_scipys(dtype: np.dtype[Any]) -> None:
    x = lines(dtype)[:50]
    found, slope = value_and_slope(lambda node: ga.huber(node, ga.zeros_like(node), delta=0.75), x)
    wide = x.astype(FLOAT64)
    assert_near(found, np.mean(special.huber(0.75, wide)), 100)
    assert_near(slope, np.clip(wide, -0.75, 0.75) / x.size, 100)
