"""The elementwise operations whose name autograd lacks, or whose derivative it lacks or has only for other operands."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tests.oracles.peer import np, special

Function = Callable[..., Any]


def unchanged(x: Any) -> Any:
    """x, computed, so that it may be differentiated."""
    return 1.0 * x


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return np.logaddexp(x, 0.0)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x between its bounds."""
    return np.minimum(np.maximum(x, low), high)


def clip_gradient(x: Any, low: float, high: float) -> Any:
    """x: its cotangents are far from these bounds."""
    assert (low, high) == (-1e3, 1e3)
    return unchanged(x)


def fmod(x: Any, y: Any) -> Any:
    """x less the multiple of y that is next to it on the side of 0."""
    return x - y * np.trunc(x / y)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x, or alpha (e^x - 1) for negative x."""
    return np.where(x > 0, x, alpha * (np.exp(x) - 1.0))


def global_norm(*arrays: Any) -> Any:
    """The root of the sum of all squares."""
    return np.sqrt(sum(np.sum(x * x) for x in arrays))


OPERATIONS: dict[str, Function] = {
    "cbrt": lambda x: np.sign(x) * np.abs(x) ** (1 / 3),
    "rsqrt": lambda x: x**-0.5,
    "fmod": fmod,
    "copy": unchanged,
    "cast": lambda x, dtype: unchanged(x),
    "sigmoid": special.expit,
    "softplus": softplus,
    "erf": special.erf,
    "erfc": special.erfc,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "heaviside": lambda x, y: np.where(x > 0, 1.0, np.where(x < 0, 0.0, y)),
    "clip": clip,
    "clip_gradient": clip_gradient,
    "checkpoint": lambda x, **_: unchanged(x),
    "recompute": lambda x, *_: unchanged(x),
}
FUNCTIONS: dict[str, Function] = {
    "positive": unchanged,
    "divmod(quotient)": np.floor_divide,
    "divmod(remainder)": np.remainder,
    "power(a constant exponent)": lambda x: x**-2.5,
    "power(a constant base)": lambda x: 2.5**x,
    "clip(below)": lambda x: np.maximum(x, -1.0),
    "clip(above)": lambda x: np.minimum(x, 1.0),
    "clip_by_value": lambda x: clip(x, -0.53, 0.61),
    "clip_by_global_norm(scaled)": lambda x, y: x * 1.5 / global_norm(x, y),
    "clip_by_global_norm(norm)": global_norm,
    "clip_by_global_norm(short)": unchanged,
    "log_sigmoid": lambda x: np.log(special.expit(x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "leaky_relu(0.3)": lambda x: np.where(x > 0, x, 0.3 * x),
    "elu": elu,
    "elu(0.5)": lambda x: elu(x, 0.5),
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "gelu": lambda x: x * (1.0 + special.erf(x / math.sqrt(2.0))) / 2,
    "gelu(approximate)": lambda x: x / 2 * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x * special.expit(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu6": lambda x: clip(x, 0.0, 6.0),
    "hard_sigmoid": lambda x: clip((x + 3.0) / 6.0, 0.0, 1.0),
    "hard_tanh": lambda x: clip(x, -1.0, 1.0),
    "custom_gradient": lambda x, w: np.tanh(x) * w,
    "checkpoint": lambda x, w: np.tanh(x) * w,
    "uniform(of no width)": unchanged,
    "normal(of no deviation)": unchanged,
    "dropout(of none)": unchanged,
    "dropout(of all)": lambda x: 0.0 * x,
    "dropout(not)": unchanged,
    "dropout(at will)": lambda x, training: x * (1.0 - training),
}
