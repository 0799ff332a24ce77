"""Rows of what rearranges or repeats elements."""

from __future__ import annotations

import numpy as np

from graphad.ir.tensor_type import FLOAT32, FLOAT64, INT64
from graphad.ops.structure import BroadcastTo, Cast, Copy, Reshape, Transpose
from tests.rows.sample import Sample, each, einsum, normal, truth

OPERATIONS = (
    Sample(Reshape((7, 6)), (normal(7, 2, 3),), lambda x: [[row[j // 3][j % 3] for j in range(6)] for row in x]),
    Sample(Transpose((2, 0, 1)), (normal(7, 2, 3),), einsum("bij->jbi")),
    Sample(BroadcastTo((5, 7, 3)), (normal(7, 1),), lambda x: np.tile(x, (5, 1, 3))),
    Sample(BroadcastTo((7, 3)), (normal(),), lambda x: np.full((7, 3), float(x))),
    Sample(Copy(), (normal(7, 3),), each(lambda x: x)),
    Sample(Cast(FLOAT64), (normal(7, 3),), each(lambda x: x)),
    Sample(Cast(INT64), (normal(7, 3),), each(int), smooth=False),
    Sample(Cast(FLOAT32), (truth(7, 3),), each(lambda x: 1.0 if x else 0.0), smooth=False),
)
