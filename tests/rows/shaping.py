"""Rows of shapes by convenience."""

from __future__ import annotations

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, einsum, normal

FUNCTIONS = (
    FunctionSample("ravel", ga.ravel, (normal(7, 2, 3),), lambda x: [n for rows in x for row in rows for n in row]),
    FunctionSample("swapaxes", lambda x: ga.swapaxes(x, 0, -1), (normal(7, 2, 3),), einsum("bij->jib")),
    FunctionSample("moveaxis", lambda x: ga.moveaxis(x, 0, 1), (normal(7, 2, 3),), einsum("bij->ibj")),
    FunctionSample(
        "moveaxis", lambda x: ga.moveaxis(x, (0, 3), (-1, 0)), (normal(7, 2, 3, 4),), einsum("bijk->kijb"), case="axes"
    ),
    FunctionSample("expand_dims", lambda x: ga.expand_dims(x, -2), (normal(7, 3),), lambda x: [[row] for row in x]),
    FunctionSample(
        "expand_dims",
        lambda x: ga.expand_dims(x, (0, -1)),
        (normal(7, 3),),
        lambda x: [[[[n] for n in row] for row in x]],
        case="axes",
    ),
    FunctionSample("squeeze", lambda x: ga.squeeze(x, 1), (normal(7, 1, 3),), einsum("bij->bj")),
    FunctionSample("squeeze", lambda x: ga.squeeze(x, 1), (normal(7, 1, 3, 1),), einsum("bijk->bjk"), case="one"),
    FunctionSample("squeeze", lambda x: ga.squeeze(x[None]), (normal(3, 1, 5),), einsum("bij->bj"), case="all"),
    FunctionSample(
        "broadcast_arrays",
        lambda x, y: ga.stack(ga.broadcast_arrays(x, y)),
        (normal(3), normal(7, 1)),
        lambda x, y: [[x for _ in y], [[number] * 3 for (number,) in y]],
    ),
    FunctionSample("atleast_1d", ga.atleast_1d, (normal(),), lambda x: [float(x)]),
    FunctionSample("atleast_2d", ga.atleast_2d, (normal(7),), lambda x: [x]),
    FunctionSample(
        "concatenate",
        lambda x, y: ga.concatenate([x, y], axis=None),
        (normal(7, 3), normal(2)),
        lambda x, y: [*x.flat, *y],
        case="flat",
    ),
    FunctionSample("zeros_like", ga.zeros_like, (normal(7, 3),), lambda x: np.zeros(x.shape), smooth=False),
)
