"""Rows of the reductions."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.reduction import ArgMax, ArgMin, Max, Min
from graphad.ops.structure import Sum
from tests.rows.sample import FunctionSample, Sample, along, apart, einsum, normal

OPERATIONS = (
    Sample(Sum((1,)), (normal(7, 3),), einsum("bi->b")),
    Sample(Sum((0, 2), keepdims=True), (normal(7, 3, 2),), lambda x: einsum("bij->i")(x)[None, :, None]),
    Sample(Sum((0, 1)), (normal(7, 3),), lambda x: math.fsum(x.ravel())),
    Sample(Max((1,)), (apart(7, 3),), along(1, max)),
    Sample(Max((0, 2), keepdims=True), (apart(7, 3, 2),), lambda x: [[[max(x[:, i].ravel())] for i in range(3)]]),
    Sample(Min((0,)), (apart(7, 3),), along(0, min)),
    Sample(Min((0, 1)), (apart(7, 3),), lambda x: min(x.ravel())),
    Sample(ArgMax(1), (apart(7, 3, 2),), along(1, lambda line: line.index(max(line))), smooth=False),
    Sample(ArgMin(2), (apart(7, 2, 3),), along(2, lambda line: line.index(min(line))), smooth=False),
)

FUNCTIONS = (
    FunctionSample("mean", lambda x: ga.mean(x, axis=1), (normal(7, 3),), along(1, lambda line: math.fsum(line) / 3)),
)
