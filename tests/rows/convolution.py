"""Rows of convolutions; the oracle adds up one product after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, normal

Pair = tuple[int, int]


def convolved(
    x: Any, w: Any, stride: Pair = (1, 1), padding: tuple[Pair, Pair] = ((0, 0), (0, 0)), dilation: Pair = (1, 1)
) -> Any:
    """The convolution of images, from its definition; as many groups as the weights leave room for."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    (_, height, width, channels), (rows, columns, seen, filters) = padded.shape, w.shape
    counts = [
        (size - (reach - 1) * apart - 1) // step + 1
        for size, reach, apart, step in zip((height, width), (rows, columns), dilation, stride, strict=True)
    ]
    result = np.zeros((len(x), *counts, filters))
    for y, z, o, i, j, c in np.ndindex(*counts, filters, rows, columns, seen):
        first = o // (filters // (channels // seen)) * seen
        place = padded[:, y * stride[0] + i * dilation[0], z * stride[1] + j * dilation[1], first + c]
        result[:, y, z, o] += place * w[i, j, c, o]
    return result


def _along_one(stride: int = 1, padding: Pair = (0, 0), dilation: int = 1) -> Callable[[Any, Any], Any]:
    """The convolution of signals: of images one column wide."""
    both = partial(convolved, stride=(stride, 1), padding=(padding, (0, 0)), dilation=(dilation, 1))
    return lambda x, w: both(x[:, :, None], w[:, None])[:, :, 0]


FUNCTIONS = (
    FunctionSample("conv1d", ga.conv1d, (normal(7, 5, 2), normal(3, 2, 4)), _along_one(), case="valid"),
    FunctionSample("conv1d", ga.conv1d, (normal(7, 9, 1), normal(3, 1, 2)), _along_one(), case="one channel"),
    FunctionSample(
        "conv1d",
        partial(ga.conv1d, stride=2, padding="same"),
        (normal(7, 6, 2), normal(3, 2, 4)),
        _along_one(stride=2, padding=(0, 1)),
        case="same, stride 2",
    ),
    FunctionSample(
        "conv1d",
        partial(ga.conv1d, padding="causal", dilation=2),
        (normal(7, 5, 2), normal(3, 2, 4)),
        _along_one(padding=(4, 0), dilation=2),
        case="causal, dilation 2",
    ),
    FunctionSample(
        "conv1d",
        partial(ga.conv1d, padding=2, groups=3),
        (normal(7, 4, 6), normal(5, 2, 9)),
        _along_one(padding=(2, 2)),
        case="3 groups",
    ),
    FunctionSample("conv2d", ga.conv2d, (normal(7, 4, 5, 1), normal(3, 2, 1, 6)), convolved, case="valid"),
    FunctionSample("conv2d", ga.conv2d, (normal(7, 3, 8, 1), normal(2, 1, 1, 4)), convolved, case="one channel"),
    FunctionSample("conv2d", ga.conv2d, (normal(7, 4, 3, 2), normal(1, 1, 2, 5)), convolved, case="one place"),
    FunctionSample(
        "conv2d",
        partial(ga.conv2d, stride=(2, 1), padding=((1, 2), (0, 1)), dilation=(1, 2)),
        (normal(7, 4, 5, 2), normal(1, 3, 2, 6)),
        partial(convolved, stride=(2, 1), padding=((1, 2), (0, 1)), dilation=(1, 2)),
        case="stride, padding, dilation",
    ),
    FunctionSample(
        "conv2d",
        partial(ga.conv2d, padding="same", groups=2),
        (normal(7, 3, 4, 2), normal(2, 3, 1, 6)),
        partial(convolved, padding=((0, 1), (1, 1))),
        case="same, 2 groups",
    ),
)
