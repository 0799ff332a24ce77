"""Rows of pooling; the oracle reduces one window after another, and leaves out what lies outside the array."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import graphad as ga
from graphad.ops.pooling import WindowMax
from tests.rows.sample import FunctionSample, Sample, apart, normal

Pair = tuple[int, int]


def pooled(reduce: Callable[..., Any], size: Pair, stride: Pair, counts: Pair, first: Pair = (0, 0)) -> Any:
    """The reduction of ``counts`` windows of an image, of which the first begins at ``first``."""

    def rows(x: Any) -> Any:
        result = np.empty((len(x), *counts, x.shape[-1]))
        for i, j in np.ndindex(*counts):
            top, left = first[0] + i * stride[0], first[1] + j * stride[1]
            window = x[:, max(top, 0) : top + size[0], max(left, 0) : left + size[1]]
            result[:, i, j] = reduce(window, axis=(1, 2))
        return result

    return rows


def _along_one(oracle: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: oracle(x[:, :, None])[:, :, 0]


OPERATIONS = (
    Sample(WindowMax((1, 3)), (apart(7, 2, 3, 4),), lambda x: x.max(axis=3).max(axis=1)),
    Sample(WindowMax((1,), keepdims=True), (apart(7, 2, 3),), lambda x: x.max(axis=1)[:, None]),
)
FUNCTIONS = (
    FunctionSample(
        "max_pool1d",
        partial(ga.max_pool1d, size=2),
        (apart(7, 5, 3),),
        _along_one(pooled(np.max, (2, 1), (2, 1), (2, 1))),
    ),
    FunctionSample(
        "max_pool1d",
        partial(ga.max_pool1d, size=3, stride=1, padding="causal"),
        (apart(7, 5, 2),),
        _along_one(pooled(np.max, (3, 1), (1, 1), (5, 1), first=(-2, 0))),
        case="causal",
    ),
    FunctionSample(
        "max_pool2d",
        partial(ga.max_pool2d, size=(3, 2)),
        (apart(7, 6, 5, 2),),
        pooled(np.max, (3, 2), (3, 2), (2, 2)),
    ),
    FunctionSample(
        "max_pool2d",
        partial(ga.max_pool2d, size=3, stride=2, padding="same"),
        (apart(7, 4, 5, 2),),
        pooled(np.max, (3, 3), (2, 2), (2, 3), first=(0, -1)),
        case="same",
    ),
    FunctionSample(
        "avg_pool1d",
        partial(ga.avg_pool1d, size=3, stride=1, padding=1),
        (normal(7, 5, 2),),
        _along_one(pooled(np.mean, (3, 1), (1, 1), (5, 1), first=(-1, 0))),
    ),
    FunctionSample(
        "avg_pool2d",
        partial(ga.avg_pool2d, size=(3, 2)),
        (normal(7, 6, 5, 2),),
        pooled(np.mean, (3, 2), (3, 2), (2, 2)),
    ),
    FunctionSample(
        "avg_pool2d",
        partial(ga.avg_pool2d, size=3, stride=2, padding="same"),
        (normal(7, 4, 5, 2),),
        pooled(np.mean, (3, 3), (2, 2), (2, 3), first=(0, -1)),
        case="same",
    ),
)
