"""Rows of the functions of angles and of hyperbolas."""

from __future__ import annotations

import math

from graphad.ops.trigonometry import (
    Arccos,
    Arccosh,
    Arcsin,
    Arcsinh,
    Arctan,
    Arctan2,
    Arctanh,
    Cos,
    Cosh,
    Hypot,
    Sin,
    Sinh,
    Tan,
)
from tests.rows.sample import Sample, each, nonzero, normal, within

OPERATIONS = (
    Sample(Sin(), (normal(7, 3),), each(math.sin)),
    Sample(Cos(), (normal(7, 3),), each(math.cos)),
    Sample(Tan(), (within(-1.0, 1.0, 7, 3),), each(math.tan)),
    Sample(Arcsin(), (within(-0.8, 0.8, 7, 3),), each(math.asin)),
    Sample(Arccos(), (within(-0.8, 0.8, 7, 3),), each(math.acos)),
    Sample(Arctan(), (normal(7, 3),), each(math.atan)),
    Sample(Arctan2(), (nonzero(7, 3), nonzero(7, 3)), each(math.atan2)),
    Sample(Hypot(), (nonzero(7, 3), nonzero(7, 3)), each(math.hypot)),
    Sample(Sinh(), (normal(7, 3),), each(math.sinh)),
    Sample(Cosh(), (normal(7, 3),), each(math.cosh)),
    Sample(Arcsinh(), (normal(7, 3),), each(math.asinh)),
    Sample(Arccosh(), (within(1.5, 4.0, 7, 3),), each(math.acosh)),
    Sample(Arctanh(), (within(-0.8, 0.8, 7, 3),), each(math.atanh)),
)
