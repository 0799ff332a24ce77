"""Rows of the activations of neural networks."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.activation import Softsign
from tests.rows.sample import FunctionSample, Sample, each, fractional, nonzero, normal

_BENT = fractional(7, 3, unit=3.0)
"""Numbers from -6 to 6, away from -3, 0 and 3."""


def _softplus(x: float) -> float:
    return math.log(1.0 + math.exp(x))


def _gelu_tanh(x: float) -> float:
    return 0.5 * x * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def _selu(x: float) -> float:
    return 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))


OPERATIONS = (Sample(Softsign(), (nonzero(7, 3),), each(lambda x: x / (1.0 + abs(x)))),)

FUNCTIONS = (
    FunctionSample("leaky_relu", ga.leaky_relu, (nonzero(7, 3),), each(lambda x: max(x, 0.01 * x))),
    FunctionSample(
        "leaky_relu", lambda x: ga.leaky_relu(x, 0.3), (nonzero(7, 3),), each(lambda x: max(x, 0.3 * x)), case="0.3"
    ),
    FunctionSample("elu", ga.elu, (nonzero(7, 3),), each(lambda x: x if x > 0 else math.exp(x) - 1.0)),
    FunctionSample(
        "elu",
        lambda x: ga.elu(x, 0.5),
        (nonzero(7, 3),),
        each(lambda x: x if x > 0 else 0.5 * (math.exp(x) - 1.0)),
        case="0.5",
    ),
    FunctionSample("selu", ga.selu, (nonzero(7, 3),), each(_selu)),
    FunctionSample("gelu", ga.gelu, (normal(7, 3),), each(lambda x: x * (1.0 + math.erf(x / math.sqrt(2.0))) / 2)),
    FunctionSample(
        "gelu", lambda x: ga.gelu(x, approximate=True), (normal(7, 3),), each(_gelu_tanh), case="approximate"
    ),
    FunctionSample("silu", ga.silu, (normal(7, 3),), each(lambda x: x / (1.0 + math.exp(-x)))),
    FunctionSample("mish", ga.mish, (normal(7, 3),), each(lambda x: x * math.tanh(_softplus(x)))),
    FunctionSample("relu6", ga.relu6, (fractional(7, 3, unit=6.0),), each(lambda x: min(max(x, 0.0), 6.0))),
    FunctionSample("hard_sigmoid", ga.hard_sigmoid, (_BENT,), each(lambda x: min(max((x + 3) / 6, 0.0), 1.0))),
    FunctionSample("hard_tanh", ga.hard_tanh, (fractional(7, 3, unit=1.0),), each(lambda x: min(max(x, -1.0), 1.0))),
)
