"""Rows of rounding."""

from __future__ import annotations

import math

from graphad.ops.rounding import Ceil, Floor, Round, Trunc
from tests.rows.sample import Sample, each, fractional

OPERATIONS = (
    Sample(Floor(), (fractional(7, 3),), each(math.floor)),
    Sample(Ceil(), (fractional(7, 3),), each(math.ceil)),
    Sample(Trunc(), (fractional(7, 3),), each(math.trunc)),
    Sample(Round(), (fractional(7, 3, unit=2.0),), each(lambda x: 2.0 * math.floor(x / 2) + 1.0)),
    Sample(Round(1), (fractional(7, 3, unit=0.2),), each(lambda x: 0.2 * math.floor(x / 0.2) + 0.1)),
    Sample(Round(-2), (fractional(7, 3, unit=200.0),), each(lambda x: 200.0 * math.floor(x / 200) + 100.0)),
)
