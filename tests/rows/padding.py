"""Rows of padding."""

from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ops.padding import Pad
from tests.rows.sample import FunctionSample, Sample, each, normal

OPERATIONS = (
    Sample(Pad(((0, 0), (1, 2))), (normal(7, 3), normal()), lambda x, v: [[v, *row, v, v] for row in x]),
    Sample(
        Pad(((0, 0), (2, 0), (0, 1))),
        (normal(7, 3, 4), normal(7)),
        lambda x, v: [[*[[n] * 5] * 2, *([*row, n] for row in rows)] for rows, n in zip(x, v, strict=True)],
    ),
    Sample(Pad(()), (normal(), normal()), each(lambda x, _: x)),
)
FUNCTIONS = (
    FunctionSample("pad", lambda x: ga.pad(x, 1), (normal(7, 3),), lambda x: np.pad(x, 1), case="zeros"),
    FunctionSample(
        "pad",
        lambda x: ga.pad(x, (1, 2), constant_values=((0.5, -1.0), (2.0, 3.0))),
        (normal(7, 3),),
        lambda x: np.pad(x, (1, 2), constant_values=((0.5, -1.0), (2.0, 3.0))),
        case="sides",
    ),
    FunctionSample(
        "pad",
        lambda x: ga.pad(x, ((0, 0), (2, 1)), "edge"),
        (normal(7, 3),),
        lambda x: x[:, [0, 0, 0, 1, 2, 2]],
        case="edge",
    ),
    FunctionSample(
        "pad",
        lambda x: ga.pad(x, {1: 2}, "reflect"),
        (normal(7, 3),),
        lambda x: x[:, [2, 1, 0, 1, 2, 1, 0]],
        case="reflect",
    ),
)
