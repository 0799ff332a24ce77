"""Rows of exponentials, logarithms and their kin."""

from __future__ import annotations

import math

from graphad.ops.transcendental import Cos, Exp, Expm1, Log, Log1p, Power, Sigmoid, Sin, Softplus, Tanh
from tests.rows.sample import Sample, each, normal, positive

OPERATIONS = (
    Sample(Exp(), (normal(7, 3),), each(math.exp)),
    Sample(Log(), (positive(7, 3),), each(math.log)),
    Sample(Log1p(), (positive(7, 3),), each(math.log1p)),
    Sample(Expm1(), (normal(7, 3),), each(math.expm1)),
    Sample(Tanh(), (normal(7, 3),), each(math.tanh)),
    Sample(Sigmoid(), (normal(7, 3),), each(lambda x: 0.5 + 0.5 * math.tanh(x / 2))),
    Sample(Softplus(), (normal(7, 3),), each(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))),
    Sample(Sin(), (normal(7, 3),), each(math.sin)),
    Sample(Cos(), (normal(7, 3),), each(math.cos)),
    Sample(Power(), (positive(7, 3), normal(7, 3)), each(math.pow)),
)
