"""Rows of what reads and adds at given places."""

from __future__ import annotations

import numpy as np

from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32
from graphad.ops.indexing import AddAlongAxis, OneHot, TakeAlongAxis
from tests.rows.sample import Sample, below, normal


def added(x: Array, indices: Array, size: int, axis: int) -> Array:
    """Each element added, one by one, at its index along the axis."""
    result = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]))
    for place in np.ndindex(*x.shape):
        result[(*place[:axis], indices[place], *place[axis + 1 :])] += x[place]
    return result


def read(x: Array, indices: Array, axis: int) -> Array:
    """Each element read, one by one, at its index along the axis."""
    places = [(*place[:axis], indices[place], *place[axis + 1 :]) for place in np.ndindex(*indices.shape)]
    return np.reshape([x[place] for place in places], indices.shape)


OPERATIONS = (
    Sample(TakeAlongAxis(1), (normal(7, 3), below(3, 7, 5)), lambda x, i: read(x, i, 1)),
    Sample(TakeAlongAxis(0), (normal(4, 7), below(4, 2, 7)), lambda x, i: read(x, i, 0)),
    Sample(AddAlongAxis(3, 1), (normal(7, 5), below(3, 7, 5)), lambda x, i: added(x, i, 3, 1)),
    Sample(AddAlongAxis(7, 0), (normal(5, 2), below(7, 5, 2)), lambda x, i: added(x, i, 7, 0)),
    Sample(OneHot(4, FLOAT32), (below(4, 7, 2),), lambda i: np.eye(4)[i], smooth=False),
)
