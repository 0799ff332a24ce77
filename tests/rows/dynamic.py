"""Rows of windows whose place is known when the graph runs."""

from __future__ import annotations

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from tests.rows.sample import FunctionSample, Operand, Sample, below, normal


def _starts(limits: list[int], *shape: int) -> Operand:
    """Places, for each axis from 0 to below its limit."""
    return Operand(shape, lambda generator, size: generator.integers(0, limits, size))


def _read(x: Array, starts: Array, rows: int, columns: int) -> list[list[float]]:
    i, j = starts.tolist()
    return [[x[i + k, j + m] for m in range(columns)] for k in range(rows)]


def _written(x: Array, update: Array, starts: Array) -> Array:
    result, (i, j) = x.copy(), starts.tolist()
    for k, row in enumerate(update):
        for m, number in enumerate(row):
            result[i + k, j + m] = number
    return result


OPERATIONS = (
    Sample(DynamicSlice((2, 7)), (normal(5, 7), _starts([4, 1], 2)), lambda x, i: _read(x, i, 2, x.shape[1])),
    Sample(
        DynamicSlice((2, 3)),
        (normal(7, 4, 5), _starts([3, 3], 7, 2)),
        lambda x, i: [_read(*pair, 2, 3) for pair in zip(x, i, strict=True)],
    ),
    Sample(DynamicUpdateSlice(), (normal(5, 7), normal(2, 7), _starts([4, 1], 2)), _written),
    Sample(
        DynamicUpdateSlice(),
        (normal(7, 4, 5), normal(7, 2, 3), _starts([3, 3], 7, 2)),
        lambda x, update, i: [_written(*one) for one in zip(x, update, i, strict=True)],
    ),
)
FUNCTIONS = (
    FunctionSample(
        "dynamic_slice",
        lambda x, t: ga.dynamic_slice(x, (0, t), (x.shape[0], 2)),
        (normal(7, 5), below(4)),
        lambda x, t: [[row[t], row[t + 1]] for row in x],
    ),
    FunctionSample(
        "dynamic_update_slice",
        lambda x, update, t: ga.dynamic_update_slice(x, update, (0, t)),
        (normal(7, 5), normal(7, 2), below(4)),
        lambda x, update, t: [[*a[:t], *b, *a[t + 2 :]] for a, b in zip(x, update, strict=True)],
    ),
)
