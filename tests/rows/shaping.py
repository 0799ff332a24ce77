"""Rows of shapes by convenience."""

from __future__ import annotations

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, einsum, normal

FUNCTIONS = (
    FunctionSample("expand_dims", lambda x: ga.expand_dims(x, -2), (normal(7, 3),), lambda x: [[row] for row in x]),
    FunctionSample("squeeze", lambda x: ga.squeeze(x, 1), (normal(7, 1, 3),), einsum("bij->bj")),
    FunctionSample("zeros_like", ga.zeros_like, (normal(7, 3),), lambda x: np.zeros(x.shape), smooth=False),
)
