"""Rows of the softmax and its kin."""

from __future__ import annotations

import math
from typing import Any

import graphad as ga
from tests.rows.sample import FunctionSample, along, normal


def _logsumexp(line: Any) -> float:
    return math.log(math.fsum(map(math.exp, line)))


FUNCTIONS = (
    FunctionSample("logsumexp", lambda x: ga.logsumexp(x, axis=1), (normal(7, 3),), along(1, _logsumexp)),
    FunctionSample(
        "softmax", ga.softmax, (normal(7, 3),), along(1, lambda line: [math.exp(x - _logsumexp(line)) for x in line])
    ),
    FunctionSample(
        "log_softmax", ga.log_softmax, (normal(7, 3),), along(1, lambda line: [x - _logsumexp(line) for x in line])
    ),
)
