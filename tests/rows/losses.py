"""Rows of losses and measures."""

from __future__ import annotations

import math
from typing import Any

import graphad as ga
from tests.rows.sample import FunctionSample, below, normal


def _logsumexp(line: Any) -> float:
    return math.log(math.fsum(map(math.exp, line)))


def _cross_entropy(logits: Any, labels: Any) -> list[float]:
    return [_logsumexp(line) - line[label] for line, label in zip(logits, labels, strict=True)]


FUNCTIONS = (
    FunctionSample(
        "softmax_cross_entropy", ga.softmax_cross_entropy, (normal(7, 3), below(3, 7)), _cross_entropy, case="labels"
    ),
    FunctionSample(
        "softmax_cross_entropy",
        ga.softmax_cross_entropy,
        (normal(7, 3), normal(7, 3)),
        lambda x, p: [-float(q @ (line - _logsumexp(line))) for line, q in zip(x, p, strict=True)],
        case="distribution",
    ),
    FunctionSample("mse", ga.mse, (normal(4, 3), normal(4, 3)), lambda x, y: math.fsum(((x - y) ** 2).ravel()) / 12),
    FunctionSample(
        "accuracy",
        ga.accuracy,
        (normal(5, 3), below(3, 5)),
        lambda x, y: sum(line.tolist().index(max(line)) == label for line, label in zip(x, y, strict=True)) / 5,
        smooth=False,
    ),
)
