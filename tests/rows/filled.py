"""Rows of values that need no operand, of the shape or the dtype of one."""

from __future__ import annotations

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, normal

FUNCTIONS = (
    FunctionSample("full", lambda v: ga.full((4, *v.shape), v), (normal(7, 3),), lambda v: [v, v, v, v]),
    FunctionSample("full_like", lambda x, v: x * ga.full_like(x, v), (normal(7, 3), normal()), lambda x, v: v * x),
    FunctionSample("zeros", lambda x: ga.zeros(x.shape), (normal(7, 3),), lambda x: x - x, smooth=False),
    FunctionSample("ones", lambda x: ga.ones((2, *x.shape)), (normal(7),), lambda x: [x / x, x / x], smooth=False),
    FunctionSample("ones_like", ga.ones_like, (normal(7, 3),), lambda x: x / x, smooth=False),
    FunctionSample("eye", lambda x: ga.eye(x.shape[0]), (normal(7, 3),), lambda x: np.eye(len(x)), smooth=False),
    FunctionSample(
        "eye",
        lambda x: ga.eye(3, 5, -1),
        (normal(7),),
        lambda x: [[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0]],
        smooth=False,
        case="offset",
    ),
    FunctionSample("arange", lambda x: ga.arange(3, 0, -1) * x, (normal(7, 3),), lambda x: x * [3, 2, 1]),
    FunctionSample(
        "meshgrid",
        lambda x, y: ga.stack(ga.meshgrid(x, y)),
        (normal(3), normal(7)),
        lambda x, y: [[x for _ in y], [[b for _ in x] for b in y]],
    ),
)
