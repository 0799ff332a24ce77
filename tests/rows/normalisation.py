"""Rows of normalisation."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, along, normal, positive


def _standard(epsilon: float) -> Any:
    def normalise(line: list[float]) -> list[float]:
        mean, variance = statistics.fmean(line), statistics.pvariance(line)
        return [(x - mean) / math.sqrt(variance + epsilon) for x in line]

    return normalise


def _root_mean_square(line: list[float]) -> list[float]:
    size = math.sqrt(math.fsum(x * x for x in line) / len(line) + 1e-6)
    return [x / size for x in line]


def _over_two_axes(x: Any, scale: Any, offset: Any) -> Any:
    flat = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    normal_lines = along(1, _standard(1e-5))(flat).reshape(x.shape[1], x.shape[0], x.shape[2])
    return np.moveaxis(normal_lines * scale + offset, 0, 1)


def _batch(x: Any, scale: Any, offset: Any) -> Any:
    features = [along(0, _standard(1e-3))(x[:, i].ravel()).reshape(x[:, i].shape) for i in range(x.shape[1])]
    return np.stack([part * scale[i] + offset[i] for i, part in enumerate(features)], axis=1)


def _given(x: Any, mean: Any, variance: Any, scale: Any) -> Any:
    columns = zip(x.T, mean, variance, scale, strict=True)
    return np.stack([(column - m) / math.sqrt(v + 1e-3) * s for column, m, v, s in columns], axis=1)


FUNCTIONS = (
    FunctionSample("layer_norm", ga.layer_norm, (normal(7, 5),), along(1, _standard(1e-5))),
    FunctionSample(
        "layer_norm",
        lambda x, scale, offset: ga.layer_norm(x, scale, offset, axis=(0, -1)),
        (normal(2, 7, 3), normal(2, 3), normal(2, 3)),
        _over_two_axes,
        case="two axes, scale and offset",
    ),
    FunctionSample(
        "rms_norm",
        ga.rms_norm,
        (normal(7, 5), normal(5)),
        lambda x, scale: along(1, _root_mean_square)(x) * scale,
    ),
    FunctionSample(
        "l2_normalize",
        lambda x: ga.l2_normalize(x, axis=0),
        (normal(5, 7),),
        along(0, lambda line: [x / math.hypot(*line) for x in line]),
    ),
    FunctionSample(
        "batch_norm", ga.batch_norm, (normal(7, 3), normal(3), positive(3), normal(3)), _given, case="given statistics"
    ),
    FunctionSample(
        "batch_norm_training",
        lambda x, scale, offset: ga.batch_norm_training(x, np.zeros(3), np.ones(3), scale, offset, axis=1).output,
        (normal(7, 3, 2), normal(3), normal(3)),
        _batch,
    ),
)
