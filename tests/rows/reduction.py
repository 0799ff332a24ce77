"""Rows of the reductions."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.reduction import ArgMax, ArgMin, Exists, ForAll, Max, Min, Prod
from graphad.ops.structure import Sum
from tests.rows.sample import FunctionSample, Sample, along, apart, einsum, few, normal, truth

OPERATIONS = (
    Sample(Sum((1,)), (normal(7, 3),), einsum("bi->b")),
    Sample(Sum((0, 2), keepdims=True), (normal(7, 3, 2),), lambda x: einsum("bij->i")(x)[None, :, None]),
    Sample(Sum((0, 1)), (normal(7, 3),), lambda x: math.fsum(x.ravel())),
    Sample(Prod(1), (normal(7, 3),), along(1, math.prod)),
    Sample(Prod(1, keepdims=True), (few(7, 4, 2),), lambda x: along(1, math.prod)(x)[:, None]),
    Sample(Prod(0), (few(3, 7),), along(0, math.prod)),
    Sample(Max((1,)), (apart(7, 3),), along(1, max)),
    Sample(Max((0, 2), keepdims=True), (apart(7, 3, 2),), lambda x: [[[max(x[:, i].ravel())] for i in range(3)]]),
    Sample(Min((0,)), (apart(7, 3),), along(0, min)),
    Sample(Min((0, 1)), (apart(7, 3),), lambda x: min(x.ravel())),
    Sample(ArgMax(1), (apart(7, 3, 2),), along(1, lambda line: line.index(max(line))), smooth=False),
    Sample(ArgMin(2), (apart(7, 2, 3),), along(2, lambda line: line.index(min(line))), smooth=False),
    Sample(ArgMin(1, keepdims=True), (few(7, 3),), along(1, lambda line: [line.index(min(line))]), smooth=False),
    Sample(Exists((1,)), (few(7, 2),), along(1, any), smooth=False),
    Sample(
        Exists((0, 2), keepdims=True), (truth(7, 3, 2),), lambda x: einsum("bij->i")(x)[None, :, None], smooth=False
    ),
    Sample(ForAll((1,)), (few(7, 2),), along(1, all), smooth=False),
    Sample(ForAll((0, 1)), (truth(7, 3),), lambda x: all(x.ravel().tolist()), smooth=False),
)

FUNCTIONS = (
    FunctionSample("mean", lambda x: ga.mean(x, axis=1), (normal(7, 3),), along(1, lambda line: math.fsum(line) / 3)),
    FunctionSample(
        "prod",
        lambda x: ga.prod(x, axis=(0, -1)),
        (few(3, 7, 2),),
        lambda x: [math.prod(x[:, i].ravel()) for i in range(x.shape[1])],
        case="two axes",
    ),
    FunctionSample("ptp", lambda x: ga.ptp(x, axis=1), (apart(7, 3),), along(1, lambda line: max(line) - min(line))),
    FunctionSample(
        "count_nonzero",
        lambda x: ga.count_nonzero(x, axis=1),
        (few(7, 3),),
        along(1, lambda line: len([x for x in line if x != 0])),
        smooth=False,
    ),
)
