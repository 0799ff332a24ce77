"""Rows of arithmetic."""

from __future__ import annotations

import math

from graphad.ops.arithmetic import Add, Divide, Multiply, Negative, Reciprocal, Sqrt, Square, Subtract
from tests.rows.sample import Sample, each, nonzero, normal, positive

OPERATIONS = (
    Sample(Add(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, y)))),
    Sample(Subtract(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, -y)))),
    Sample(Multiply(), (normal(7, 3), normal(7, 3)), each(lambda x, y: x * y)),
    Sample(Divide(), (normal(7, 3), nonzero(7, 3)), each(lambda x, y: x / y)),
    Sample(Negative(), (normal(7, 3),), each(lambda x: 0.0 - x)),
    Sample(Square(), (normal(7, 3),), each(lambda x: x * x)),
    Sample(Sqrt(), (positive(7, 3),), each(math.sqrt)),
    Sample(Reciprocal(), (nonzero(7, 3),), each(lambda x: 1.0 / x)),
)
