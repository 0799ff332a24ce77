"""Rows of numpy's indexing by arrays and nodes."""

from __future__ import annotations

import numpy as np

from tests.rows.sample import FunctionSample, below, normal

_MASK = np.array([[True, False, True], [False, True, True]])

FUNCTIONS = (
    FunctionSample(
        "getitem",
        lambda x, i: x[:, i],
        (normal(7, 5, 2), below(5, 3)),
        lambda x, i: [[rows[j] for j in i] for rows in x],
        case="one index",
    ),
    FunctionSample(
        "getitem",
        lambda x, i, j: x[:, i, j],
        (normal(7, 5, 3, 2), below(5, 4, 1), below(3, 4)),
        lambda x, i, j: [[[rows[a][b] for b in j] for (a,) in i] for rows in x],
        case="neighbours",
    ),
    FunctionSample(
        "getitem",
        lambda x, i, j: x[i, ..., j],
        (normal(5, 7, 3), below(5, 4), below(3, 4)),
        lambda x, i, j: [x[a, :, b] for a, b in zip(i, j, strict=True)],
        case="apart",
    ),
    FunctionSample(
        "getitem",
        lambda x: x[:, [2, 0, 2, -1], ::-2],
        (normal(7, 3, 5),),
        lambda x: x[:, (2, 0, 2, 2)][..., (4, 2, 0)],
        case="known",
    ),
    FunctionSample(
        "getitem",
        lambda x: x[:, _MASK],
        (normal(7, 2, 3),),
        lambda x: [[m[0, 0], m[0, 2], m[1, 1], m[1, 2]] for m in x],
        case="mask",
    ),
    FunctionSample(
        "getitem",
        lambda x: x[::-1, None, -1],
        (normal(7, 3),),
        lambda x: [[row[2]] for row in [*x][::-1]],
        case="last",
    ),
)
