"""Rows of what orders elements anew or repeats them."""

from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.arranging import Roll
from tests.rows.sample import FunctionSample, Sample, each, normal


def _rolled(x: Array) -> list[list[float]]:
    """Rows moved on by one, columns moved back by nine."""
    rows, columns = x.shape
    return [[x[(i - 1) % rows, (j + 9) % columns] for j in range(columns)] for i in range(rows)]


OPERATIONS = (
    Sample(Roll((2,), (1,)), (normal(7, 5),), lambda x: np.hstack([x[:, 3:], x[:, :3]])),
    Sample(Roll((-9, 1), (1, 0)), (normal(7, 4),), _rolled),
    Sample(Roll((), ()), (normal(),), each(lambda x: x)),
)
FUNCTIONS = (
    FunctionSample(
        "roll", lambda x: ga.roll(x, 4), (normal(7, 3),), lambda x: np.roll(x.ravel(), 4).reshape(x.shape), case="flat"
    ),
    FunctionSample("flip", ga.flip, (normal(7, 3),), lambda x: [row[::-1] for row in x.tolist()[::-1]]),
    FunctionSample("flip", lambda x: ga.flip(x, (0, -1)), (normal(7, 3, 2),), lambda x: x[::-1, :, ::-1], case="axes"),
    FunctionSample(
        "rot90", ga.rot90, (normal(7, 3),), lambda x: [[row[2 - i] for row in x.tolist()] for i in range(3)]
    ),
    FunctionSample("repeat", lambda x: ga.repeat(x, 2), (normal(7, 3),), lambda x: [n for n in x.flat for _ in "12"]),
    FunctionSample(
        "repeat",
        lambda x: ga.repeat(x, 4, axis=1),
        (normal(7, 3, 2),),
        lambda x: np.kron(x, np.ones((1, 4, 1))),
        case="axis",
    ),
    FunctionSample(
        "repeat", lambda x: ga.repeat(x, [2, 0, 1], 1), (normal(7, 3),), lambda x: x[:, [0, 0, 2]], case="each"
    ),
    FunctionSample("tile", lambda x: ga.tile(x, (2, 1, 4)), (normal(7, 3),), lambda x: np.tile(x, (2, 1, 4))),
)
