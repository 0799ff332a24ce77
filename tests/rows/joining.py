"""Rows of arrays side by side and apart again."""

from __future__ import annotations

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, normal

FUNCTIONS = (
    FunctionSample("vstack", lambda x, y: ga.vstack([x, y]), (normal(3), normal(7, 3)), lambda x, y: [x, *y]),
    FunctionSample(
        "hstack",
        lambda x, y: ga.hstack([x, y]),
        (normal(7, 2), normal(7, 3)),
        lambda x, y: [[*a, *b] for a, b in zip(x, y, strict=True)],
    ),
    FunctionSample(
        "hstack", lambda x, y: ga.hstack([x, y]), (normal(7), normal()), lambda x, y: [*x, y], case="vectors"
    ),
    FunctionSample(
        "dstack",
        lambda x, y: ga.dstack([x, y]),
        (normal(7, 3), normal(7, 3, 2)),
        lambda x, y: np.concatenate([x[..., None], y], -1),
    ),
    FunctionSample(
        "column_stack",
        lambda x, y: ga.column_stack([x, y]),
        (normal(7), normal(7, 3)),
        lambda x, y: [[a, *b] for a, b in zip(x, y, strict=True)],
    ),
    FunctionSample(
        "split",
        lambda x: ga.stack(ga.split(x, 3, axis=1)),
        (normal(7, 6),),
        lambda x: [[row[k : k + 2] for row in x] for k in (0, 2, 4)],
    ),
    FunctionSample(
        "split",
        lambda x: ga.concatenate(ga.split(x, [4, 1], axis=-1)[::-1], axis=-1),
        (normal(7, 6),),
        lambda x: [[*row[1:], *row[:4]] for row in x],
        case="places",
    ),
    FunctionSample(
        "split",
        lambda x, y: ga.split(ga.concatenate([x, y], 1), sizes=(2, y.shape[1] + 1), axis=1)[1],
        (normal(5, 3), normal(5, 7)),
        lambda x, y: np.hstack([x[:, 2:], y]),
        case="sizes",
    ),
    FunctionSample(
        "array_split",
        lambda x: ga.concatenate(ga.array_split(x, 3, axis=1)[::-1], axis=1),
        (normal(7, 5),),
        lambda x: x[:, [4, 2, 3, 0, 1]],
    ),
    FunctionSample(
        "unstack",
        lambda x: ga.stack(ga.unstack(x, axis=1)[::-1]),
        (normal(7, 3),),
        lambda x: [x[:, 2], x[:, 1], x[:, 0]],
    ),
)
