"""Rows of the loop over time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import graphad as ga
from graphad.ir.graph import Graph
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT64, TensorType
from graphad.ops.loop import Earlier, Element, Loop, Read, Record, Whole
from tests.rows.sample import Sample, normal


def _loop(steps: int, lags: tuple[int, ...], *, reverse: bool) -> Loop:
    """h = tanh(h, some steps ago, times w, plus x); and, if there is a second lag, g = h + g, some steps ago."""
    vector = TensorType.of((3,), FLOAT64)
    names = ("w", "x_t", "h_before", "g_before")[: 2 + len(lags)]
    inputs = tuple(ga.input(name, vector.shape, vector.dtype) for name in names)
    w, x_t, *before = inputs
    h = ga.tanh(before[0] * w + x_t)
    outputs = (h, *(h + g for g in before[1:]))
    reads: tuple[Read, ...] = (Whole(0), Element(1), *(Earlier(number, lag) for number, lag in enumerate(lags)))
    starts, records, offset = iter(range(2, 9)), [], 0
    for lag in lags:
        records.append(Record(vector, tuple((before, next(starts)) for before in range(1, lag + 1)), offset))
        offset += 3 * (steps + lag)
    return Loop(Graph(inputs, outputs), steps, reverse, reads, tuple(records))


def _walked(lags: tuple[int, ...], *, reverse: bool) -> Callable[..., Array]:
    """What such a loop records, in Python lists."""

    def walk(w: Array, xs: Array, *starts: Array) -> Array:
        given = iter(starts)
        series = [[next(given) for _ in range(lag)][::-1] for lag in lags]
        for x in xs[::-1] if reverse else xs:
            h = np.tanh(series[0][-lags[0]] * w + x)
            values = [h, *(h + record[-lag] for record, lag in zip(series[1:], lags[1:], strict=True))]
            for record, new in zip(series, values, strict=True):
                record.append(new)
        return np.concatenate([number for record in series for number in (record[::-1] if reverse else record)])

    return walk


OPERATIONS = (
    Sample(
        _loop(5, (1,), reverse=False),
        (normal(3), normal(5, 3), normal(3)),
        _walked((1,), reverse=False),
        smooth=False,
        fixed=True,
    ),
    Sample(
        _loop(4, (1, 2), reverse=True),
        (normal(3), normal(4, 3), normal(3), normal(3), normal(3)),
        _walked((1, 2), reverse=True),
        smooth=False,
        fixed=True,
    ),
)
