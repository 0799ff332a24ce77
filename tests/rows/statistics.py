"""Rows of the measures of spread, size and middle."""

from __future__ import annotations

import math
from statistics import fmean, median, pvariance, stdev, variance

import numpy as np

import graphad as ga
from graphad.ops.statistics import Norm
from tests.rows.sample import FunctionSample, Operand, Sample, along, apart, nonzero, normal, positive


def _holes(*shape: int) -> Operand:
    """Numbers and NaN."""
    return Operand(shape, lambda generator, size: generator.choice([-1.5, 0.5, 2.5, math.nan], size))


def _numbers(line: list[float]) -> list[float]:
    return [x for x in line if not math.isnan(x)]


OPERATIONS = (
    Sample(Norm((1,)), (normal(7, 3),), along(1, lambda line: math.hypot(*line))),
    Sample(
        Norm((0, 2), keepdims=True),
        (normal(3, 7, 2),),
        lambda x: np.reshape([math.hypot(*x[:, i].ravel()) for i in range(x.shape[1])], (1, -1, 1)),
    ),
)

FUNCTIONS = (
    FunctionSample(
        "norm",
        lambda x: ga.norm(x, ord=1, axis=1),
        (nonzero(7, 3),),
        along(1, lambda line: math.fsum(map(abs, line))),
        case="1",
    ),
    FunctionSample(
        "norm",
        lambda x: ga.norm(x, ord=math.inf, axis=1),
        (apart(7, 3, offset=1 / 32),),
        along(1, lambda line: max(map(abs, line))),
        case="inf",
    ),
    FunctionSample("var", lambda x: ga.var(x, axis=1), (normal(7, 3),), along(1, pvariance)),
    FunctionSample("var", lambda x: ga.var(x, axis=1, ddof=1), (normal(7, 3),), along(1, variance), case="ddof=1"),
    FunctionSample("var", ga.var, (normal(7, 3),), lambda x: pvariance(x.ravel().tolist()), case="all"),
    FunctionSample("std", lambda x: ga.std(x, axis=1, ddof=1), (normal(7, 3),), along(1, stdev)),
    FunctionSample("average", lambda x: ga.average(x, axis=1), (normal(7, 3),), along(1, fmean)),
    FunctionSample(
        "average",
        lambda x, w: ga.average(x, axis=1, weights=w),
        (normal(7, 3), positive(3)),
        lambda x, w: [fmean(line, w) for line in x.tolist()],
        case="weights",
    ),
    FunctionSample("median", lambda x: ga.median(x, axis=1), (apart(7, 5),), along(1, median), case="odd"),
    FunctionSample(
        "median",
        lambda x: ga.median(x, axis=(0, 2)),
        (apart(3, 7, 2),),
        lambda x: [median(x[:, i].ravel()) for i in range(x.shape[1])],
        case="even",
    ),
    FunctionSample(
        "nansum", lambda x: ga.nansum(x, axis=1), (_holes(7, 3),), along(1, lambda line: math.fsum(_numbers(line)))
    ),
    FunctionSample(
        "nanmean", lambda x: ga.nanmean(x, axis=1), (_holes(7, 5),), along(1, lambda line: fmean(_numbers(line)))
    ),
)
