"""Rows of exponentials, logarithms and their kin."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.transcendental import (
    Exp,
    Exp2,
    Expm1,
    Log,
    Log1p,
    Log2,
    Log10,
    LogAddExp,
    LogAddExp2,
    Power,
    Sigmoid,
    Softplus,
    Tanh,
)
from tests.rows.sample import FunctionSample, Sample, each, normal, positive

OPERATIONS = (
    Sample(Exp(), (normal(7, 3),), each(math.exp)),
    Sample(Exp2(), (normal(7, 3),), each(lambda x: 2.0**x)),
    Sample(Log(), (positive(7, 3),), each(math.log)),
    Sample(Log2(), (positive(7, 3),), each(math.log2)),
    Sample(Log10(), (positive(7, 3),), each(math.log10)),
    Sample(Log1p(), (positive(7, 3),), each(math.log1p)),
    Sample(Expm1(), (normal(7, 3),), each(math.expm1)),
    Sample(Tanh(), (normal(7, 3),), each(math.tanh)),
    Sample(Sigmoid(), (normal(7, 3),), each(lambda x: 0.5 + 0.5 * math.tanh(x / 2))),
    Sample(Softplus(), (normal(7, 3),), each(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))),
    Sample(LogAddExp(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.log(math.exp(x) + math.exp(y)))),
    Sample(LogAddExp2(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.log2(2.0**x + 2.0**y))),
    Sample(Power(), (positive(7, 3), normal(7, 3)), each(math.pow)),
)

FUNCTIONS = (
    FunctionSample("log_sigmoid", ga.log_sigmoid, (normal(7, 3),), each(lambda x: -math.log1p(math.exp(-x)))),
    FunctionSample("power", lambda x: x**-2.5, (positive(7, 3),), each(lambda x: x**-2.5), case="a constant exponent"),
    FunctionSample("power", lambda x: 2.5**x, (normal(7, 3),), each(lambda x: 2.5**x), case="a constant base"),
)
