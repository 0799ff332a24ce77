"""Rows of what sets whole slabs at given places."""

from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.scatter import LastWrite, Scatter
from tests.rows.sample import FunctionSample, Sample, below, normal


def written(x: Array, updates: Array, indices: Array, axis: int) -> Array:
    """Each slab written, one after the other, at its index along the axis."""
    result = np.moveaxis(x.copy(), axis, 0)
    slabs = np.moveaxis(updates, range(axis, axis + indices.ndim), range(indices.ndim))
    for place in np.ndindex(*indices.shape):
        result[indices[place]] = slabs[place]
    return np.moveaxis(result, 0, axis)


def _last(indices: Array) -> Array:
    flat = indices.ravel().tolist()
    return np.reshape([index not in flat[number + 1 :] for number, index in enumerate(flat)], indices.shape)


OPERATIONS = (
    Sample(Scatter(1), (normal(7, 5, 3), normal(7, 2, 4, 3), below(5, 2, 4)), lambda x, u, i: written(x, u, i, 1)),
    Sample(Scatter(0), (normal(5, 7), normal(2, 4, 7), below(5, 2, 4)), lambda x, u, i: written(x, u, i, 0)),
    Sample(Scatter(0), (normal(5), normal(), below(5)), lambda x, u, i: written(x, u, i, 0)),
    Sample(
        Scatter(2, 1),
        (normal(7, 3, 5), normal(7, 3, 4), below(5, 7, 4)),
        lambda x, u, i: [written(*one, 1) for one in zip(x, u, i, strict=True)],
    ),
    Sample(LastWrite(5), (below(5, 7, 2),), _last, smooth=False),
    Sample(LastWrite(3, 1), (below(3, 7, 4),), lambda i: [_last(row) for row in i], smooth=False),
)
FUNCTIONS = (
    FunctionSample(
        "scatter",
        lambda x, i, u: ga.scatter(x, i, u, axis=1),
        (normal(7, 5), below(5, 3), normal(3)),
        lambda x, i, u: written(x, np.tile(u, (len(x), 1)), i, 1),
        case="broadcast",
    ),
)
