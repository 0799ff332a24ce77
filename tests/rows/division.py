"""Rows of division with a remainder."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.division import FloorDivide, Fmod, Remainder
from tests.rows.sample import FunctionSample, Operand, Sample, each, fractional

_NUMBERS = (
    fractional(7, 3, unit=2.0),
    Operand((7, 3), lambda generator, size: generator.choice([-1.0, 1.0], size) * generator.uniform(1.9, 2.1, size)),
)

OPERATIONS = (
    Sample(FloorDivide(), _NUMBERS, each(lambda x, y: math.floor(x / y))),
    Sample(Remainder(), _NUMBERS, each(lambda x, y: x - y * math.floor(x / y))),
    Sample(Fmod(), _NUMBERS, each(math.fmod)),
)

FUNCTIONS = (
    FunctionSample(
        "divmod", lambda x, y: ga.divmod(x, y)[0], _NUMBERS, each(lambda x, y: divmod(x, y)[0]), case="quotient"
    ),
    FunctionSample(
        "divmod", lambda x, y: ga.divmod(x, y)[1], _NUMBERS, each(lambda x, y: divmod(x, y)[1]), case="remainder"
    ),
)
