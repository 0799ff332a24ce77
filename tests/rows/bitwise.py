"""Rows of what is done to bits and to truth values."""

from __future__ import annotations

import operator

from graphad.ops.bitwise import BitwiseAnd, BitwiseOr, BitwiseXor, Invert
from tests.rows.sample import Sample, below, each, truth

OPERATIONS = (
    Sample(BitwiseAnd(), (below(16, 7, 3), below(16, 7, 3)), each(operator.and_), smooth=False),
    Sample(BitwiseAnd(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x and y), smooth=False),
    Sample(BitwiseOr(), (below(16, 7, 3), below(16, 7, 3)), each(operator.or_), smooth=False),
    Sample(BitwiseOr(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x or y), smooth=False),
    Sample(BitwiseXor(), (below(16, 7, 3), below(16, 7, 3)), each(operator.xor), smooth=False),
    Sample(BitwiseXor(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x != y), smooth=False),
    Sample(Invert(), (below(16, 7, 3),), each(lambda x: -x - 1), smooth=False),
    Sample(Invert(), (truth(7, 3),), each(lambda x: not x), smooth=False),
)
