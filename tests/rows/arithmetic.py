"""Rows of arithmetic."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.arithmetic import Add, Cbrt, Divide, Multiply, Negative, Reciprocal, Rsqrt, Sqrt, Square, Subtract
from tests.rows.sample import FunctionSample, Sample, each, nonzero, normal, positive

OPERATIONS = (
    Sample(Add(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, y)))),
    Sample(Subtract(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, -y)))),
    Sample(Multiply(), (normal(7, 3), normal(7, 3)), each(lambda x, y: x * y)),
    Sample(Divide(), (normal(7, 3), nonzero(7, 3)), each(lambda x, y: x / y)),
    Sample(Negative(), (normal(7, 3),), each(lambda x: 0.0 - x)),
    Sample(Square(), (normal(7, 3),), each(lambda x: x * x)),
    Sample(Sqrt(), (positive(7, 3),), each(math.sqrt)),
    Sample(Cbrt(), (nonzero(7, 3),), each(math.cbrt)),
    Sample(Rsqrt(), (positive(7, 3),), each(lambda x: x**-0.5)),
    Sample(Reciprocal(), (nonzero(7, 3),), each(lambda x: 1.0 / x)),
)

FUNCTIONS = (FunctionSample("positive", ga.positive, (normal(7, 3),), each(lambda x: x)),)
