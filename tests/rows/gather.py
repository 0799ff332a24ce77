"""Rows of what reads and adds whole slabs at given places."""

from __future__ import annotations

import numpy as np

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.gather import RavelMultiIndex, ScatterAdd, Take
from tests.rows.sample import FunctionSample, Sample, below, each, normal


def added(x: Array, updates: Array, indices: Array, axis: int) -> Array:
    """Each slab added, one by one, at its index along the axis."""
    result = np.moveaxis(x.copy(), axis, 0)
    slabs = np.moveaxis(updates, range(axis, axis + indices.ndim), range(indices.ndim))
    for place in np.ndindex(*indices.shape):
        result[indices[place]] += slabs[place]
    return np.moveaxis(result, 0, axis)


def read(x: Array, indices: Array, axis: int) -> Array:
    """Each slab read, one by one, at its index along the axis."""
    slabs = [np.moveaxis(x, axis, 0)[indices[place]] for place in np.ndindex(*indices.shape)]
    taken = np.reshape(slabs, (*indices.shape, *x.shape[:axis], *x.shape[axis + 1 :]))
    return np.moveaxis(taken, range(indices.ndim), range(axis, axis + indices.ndim))


OPERATIONS = (
    Sample(Take(1), (normal(7, 5, 3), below(5, 2, 4)), lambda x, i: read(x, i, 1)),
    Sample(Take(0), (normal(5, 3), below(5, 7, 2)), lambda x, i: read(x, i, 0)),
    Sample(Take(1), (normal(7, 5), below(5)), lambda x, i: x.T[i]),
    Sample(Take(0), (normal(5), below(5)), lambda x, i: x.tolist()[i]),
    Sample(
        Take(2, 1), (normal(7, 3, 5), below(5, 7, 4)), lambda x, i: [read(a, b, 1) for a, b in zip(x, i, strict=True)]
    ),
    Sample(Take(1, 1), (normal(7, 5), below(5, 7)), lambda x, i: [row[j] for row, j in zip(x, i, strict=True)]),
    Sample(ScatterAdd(1), (normal(7, 5, 3), normal(7, 2, 4, 3), below(5, 2, 4)), lambda x, u, i: added(x, u, i, 1)),
    Sample(ScatterAdd(0), (normal(5, 3), normal(7, 2, 3), below(5, 7, 2)), lambda x, u, i: added(x, u, i, 0)),
    Sample(ScatterAdd(0), (normal(5), normal(), below(5)), lambda x, u, i: added(x, u, i, 0)),
    Sample(
        ScatterAdd(2, 1),
        (normal(7, 3, 5), normal(7, 3, 4), below(5, 7, 4)),
        lambda x, u, i: [added(*one, 1) for one in zip(x, u, i, strict=True)],
    ),
    Sample(RavelMultiIndex((3, 5)), (below(3, 7, 2), below(5, 7, 2)), each(lambda i, j: 5 * i + j), smooth=False),
)
FUNCTIONS = (
    FunctionSample("take", ga.take, (normal(2, 3), below(6, 7)), lambda x, i: [x.ravel()[j] for j in i], case="flat"),
    FunctionSample(
        "gather",
        lambda x, i: ga.gather(x, i, axis=1, batch_dims=1),
        (normal(7, 5, 3), below(5, 7, 2)),
        lambda x, i: [[rows[j] for j in places] for rows, places in zip(x, i, strict=True)],
    ),
    FunctionSample(
        "embedding", ga.embedding, (normal(5, 3), below(5, 7, 2)), lambda x, i: [[x[k] for k in j] for j in i]
    ),
    FunctionSample(
        "scatter_add",
        lambda x, i, u: ga.scatter_add(x, i, u, axis=1),
        (normal(7, 5), below(5, 3), normal(3)),
        lambda x, i, u: added(x, np.tile(u, (len(x), 1)), i, 1),
        case="broadcast",
    ),
)
