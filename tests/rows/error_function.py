"""Rows of the error function."""

from __future__ import annotations

import math

from graphad.ops.error_function import Erf, Erfc
from tests.rows.sample import Sample, each, normal

OPERATIONS = (
    Sample(Erf(), (normal(7, 3),), each(math.erf)),
    Sample(Erfc(), (normal(7, 3),), each(math.erfc)),
)
