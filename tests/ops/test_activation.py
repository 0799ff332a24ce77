"""Activations. Their closed forms below are written for Python's floats, so that nothing overflows in either tail."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError
from graphad.ir.node import Node
from tests.autodiff.differences import float32, value, values

TAILS = [-1e4, -750.0, -90.0, -30.0, -8.0, -1.5, -0.25, 0.25, 1.5, 8.0, 30.0, 90.0, 750.0, 1e4]
floats = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-6), ("float64", 1e-14)])


def exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


def sigmoid(x: float) -> float:
    return exp(x) / (1 + exp(x)) if x < 0 else 1 / (1 + exp(-x))


def bell(x: float) -> float:
    """The derivative of the sigmoid."""
    return sigmoid(x) * sigmoid(-x)


def density(x: float) -> float:
    return exp(-x * x / 2) / math.sqrt(2 * math.pi)


def probability(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


class Curve(NamedTuple):
    """A function with its first two derivatives."""

    build: Callable[[Node], Node]
    value: Callable[[float], float]
    slope: Callable[[float], float]
    curvature: Callable[[float], float]


_SCALE, _ALPHA = 1.0507009873554805, 1.6732632423543772

CURVES = {
    "sigmoid": Curve(ga.sigmoid, sigmoid, bell, lambda x: bell(x) * (sigmoid(-x) - sigmoid(x))),
    "softplus": Curve(ga.softplus, lambda x: max(x, 0) + math.log1p(exp(-abs(x))), sigmoid, bell),
    "log_sigmoid": Curve(
        ga.log_sigmoid,
        lambda x: min(x, 0) - math.log1p(exp(-abs(x))),
        lambda x: sigmoid(-x),
        lambda x: -bell(x),
    ),
    "silu": Curve(
        ga.silu,
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) + x * bell(x),
        lambda x: bell(x) * (2 + x * (sigmoid(-x) - sigmoid(x))),
    ),
    "gelu": Curve(
        ga.gelu,
        lambda x: x * probability(x),
        lambda x: probability(x) + x * density(x),
        lambda x: density(x) * (2 - x * x),
    ),
    "elu": Curve(
        ga.elu,
        lambda x: x if x > 0 else math.expm1(x),
        lambda x: 1 if x > 0 else exp(x),
        lambda x: 0 if x > 0 else exp(x),
    ),
    "selu": Curve(
        ga.selu,
        lambda x: _SCALE * (x if x > 0 else _ALPHA * math.expm1(x)),
        lambda x: _SCALE * (1 if x > 0 else _ALPHA * exp(x)),
        lambda x: 0 if x > 0 else _SCALE * _ALPHA * exp(x),
    ),
    "leaky_relu": Curve(ga.leaky_relu, lambda x: max(x, x / 100), lambda x: 1 if x > 0 else 0.01, lambda _: 0),
    "softsign": Curve(
        ga.softsign,
        lambda x: x / (1 + abs(x)),
        lambda x: (1 + abs(x)) ** -2,
        lambda x: math.copysign(2, -x) * (1 + abs(x)) ** -3,
    ),
    "tanh": Curve(ga.tanh, math.tanh, lambda x: 4 * bell(2 * x), lambda x: -8 * bell(2 * x) * math.tanh(x)),
    "erf": Curve(
        ga.erf,
        math.erf,
        lambda x: 2 / math.sqrt(math.pi) * exp(-x * x),
        lambda x: -4 * x / math.sqrt(math.pi) * exp(-x * x),
    ),
    "erfc": Curve(
        ga.erfc,
        math.erfc,
        lambda x: -2 / math.sqrt(math.pi) * exp(-x * x),
        lambda x: 4 * x / math.sqrt(math.pi) * exp(-x * x),
    ),
    "arctan": Curve(ga.arctan, math.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "arcsinh": Curve(ga.arcsinh, math.asinh, lambda x: 1 / math.hypot(1, x), lambda x: -x / math.hypot(1, x) ** 3),
}
curves = pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)


def derivatives(build: Callable[[Node], Node], numbers: Any, dtype: str, backend: str = "numpy") -> Any:
    """Value, slope and curvature."""
    x = ga.input("x", np.shape(numbers), dtype)
    y = build(x)
    slope = ga.grad(ga.sum(y), x)
    curvature = ga.grad(ga.sum(slope), x, disconnected="zero")
    return ga.compile([x], [y, slope, curvature], backend=backend)(np.asarray(numbers, dtype))


@curves
@floats
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_value_slope_and_curvature_are_right_in_both_tails(
    curve: Curve, dtype: str, tolerance: float, backend: str
) -> None:
    found = derivatives(curve.build, TAILS, dtype, backend)
    for numbers, exact in zip(found, curve[1:], strict=True):
        assert np.isfinite(numbers).all()
        np.testing.assert_allclose(numbers, [exact(x) for x in TAILS], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "build",
    [
        ga.mish,
        ga.relu6,
        ga.hard_sigmoid,
        ga.hard_tanh,
        lambda x: ga.gelu(x, approximate=True),
        lambda x: ga.logaddexp(x, -x),
        lambda x: ga.logaddexp(x, x),
        lambda x: ga.hypot(x, 1.0),
        lambda x: ga.arctan2(x, 1.0),
        lambda x: ga.arctan2(1.0, x),
        lambda x: ga.clip(x, -90.0, 1e3),
    ],
)
@floats
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_nothing_overflows_in_either_tail(
    build: Callable[[Node], Node], dtype: str, tolerance: float, backend: str
) -> None:
    for numbers in derivatives(build, [*TAILS, 0.0], dtype, backend):
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize(
    ("build", "slopes"),
    [
        (ga.relu, {0.0: 0}),
        (ga.leaky_relu, {0.0: 0.01}),
        (ga.elu, {0.0: 1}),
        (ga.relu6, {0.0: 0, 6.0: 0}),
        (ga.hard_sigmoid, {-3.0: 0, 0.0: 1 / 6, 3.0: 0}),
        (ga.hard_tanh, {-1.0: 1, 1.0: 1}),
        (ga.softsign, {0.0: 1}),
    ],
)
def test_the_slope_at_a_kink_is_this(build: Callable[[Node], Node], slopes: dict[float, float]) -> None:
    _, slope, curvature = derivatives(build, list(slopes), "float64")
    np.testing.assert_allclose(slope, list(slopes.values()), rtol=1e-15)
    assert np.isfinite(curvature).all()


@pytest.mark.parametrize("build", [ga.gelu, lambda x: ga.gelu(x, approximate=True), ga.silu, ga.mish])
def test_the_left_tail_keeps_its_digits(build: Callable[[Node], Node]) -> None:
    y, slope, _ = derivatives(build, [-5.0, -5.0 + 1e-6], "float64")
    assert y[0] < 0
    assert y[1] - y[0] == pytest.approx(slope[0] * 1e-6, rel=1e-4)


def test_gelu_far_left_is_what_the_normal_distribution_says() -> None:
    y, _, _ = derivatives(ga.gelu, [-20.0, -10.0], "float64")
    np.testing.assert_allclose(y, [-20 * probability(-20), -10 * probability(-10)], rtol=2e-13)


def test_the_approximate_gelu_is_within_what_it_says_of_the_exact_one() -> None:
    x = ga.input("x", (4001,), "float64")
    given = {x: np.linspace(-10, 10, 4001)}
    exact, approximate = values([ga.gelu(x), ga.gelu(x, approximate=True)], given)
    assert 4e-4 < np.max(np.abs(exact - approximate)) < 5e-4


def test_nan_stays_nan() -> None:
    x = ga.input("x", (1,))
    builds = (ga.leaky_relu, ga.elu, ga.selu, ga.gelu, ga.silu, ga.mish, ga.softsign, ga.relu6, ga.hard_tanh, ga.erf)
    for found in values([build(x) for build in builds], {x: float32([math.nan])}):
        assert np.isnan(found).all()


def test_a_learned_slope_has_a_gradient() -> None:
    x, slope = ga.input("x", (3,)), ga.parameter(np.float32(0.25), "slope")
    gradient = ga.grad(ga.sum(ga.leaky_relu(x, slope)), slope)
    assert value(gradient, {x: float32([-2, 1, -3])}) == -5


@pytest.mark.parametrize("approximate", ["tanh", 1, None])
def test_gelu_takes_true_or_false(approximate: Any) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ArgumentError, match=r"gelu\(x: float32\[3\].*approximate.*\(at test_activation\.py:\d+\)"):
        ga.gelu(x, approximate=approximate)


def test_what_is_no_number_is_refused_with_the_users_line() -> None:
    for build in (ga.leaky_relu, ga.gelu, ga.softsign, ga.hard_sigmoid):
        with pytest.raises(DTypeError, match=r"not supported.*\(at test_activation\.py:\d+\)"):
            build("text")
