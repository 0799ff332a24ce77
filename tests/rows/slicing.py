"""Rows of what takes apart and puts together."""

from __future__ import annotations

import numpy as np

from graphad.ir.op import Array
from graphad.ops.slicing import Assemble, Concatenate, Slice, Span, Stack
from tests.rows.sample import BATCH, Sample, normal

_ALL = Span(0, BATCH)


def _overlapped(top: Array, bottom: Array) -> Array:
    """Columns 0 to 2, and columns 4, 2, 0 in this order, added into five."""
    result = np.zeros((len(top), 5))
    for column, into in enumerate([0, 1, 2]):
        result[:, into] += top[:, column]
    for column, into in enumerate([4, 2, 0]):
        result[:, into] += bottom[:, column]
    return result


OPERATIONS = (
    Sample(Slice((_ALL, 1, Span(4, 3, -2))), (normal(7, 3, 6),), lambda x: x[:, 1, [4, 2, 0]]),
    Sample(Slice((2, Span(1, 2))), (normal(5, 4),), lambda x: [x[2][1], x[2][2]]),
    Sample(Slice((2, 1)), (normal(5, 4),), lambda x: x.tolist()[2][1]),
    Sample(Assemble((7, 5), ((_ALL, Span(0, 3)), (_ALL, Span(4, 3, -2)))), (normal(7, 3), normal(7, 3)), _overlapped),
    Sample(Assemble((3, 7), ((1, _ALL),)), (normal(7),), lambda x: np.outer([0, 1, 0], x)),
    Sample(Concatenate(1), (normal(7, 2), normal(7, 3), normal(7, 1)), lambda *parts: np.hstack(parts)),
    Sample(Concatenate(0), (normal(7, 2), normal(3, 2)), lambda x, y: [*x.tolist(), *y.tolist()]),
    Sample(Stack(1), (normal(7, 3), normal(7, 3)), lambda x, y: [[a, b] for a, b in zip(x, y, strict=True)]),
    Sample(Stack(0), (normal(), normal(), normal()), lambda *numbers: [float(number) for number in numbers]),
)
