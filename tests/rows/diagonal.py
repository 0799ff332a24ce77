"""Rows of diagonals and triangles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.diagonal import Diagonal, DiagonalMatrix, Tril, Triu
from tests.rows.sample import FunctionSample, Sample, einsum, normal


def _kept(keep: Callable[[int, int], bool]) -> Callable[[Array], Array]:
    """The elements of matrices whose row and column are kept; the others zero."""

    def oracle(x: Array) -> Array:
        result = np.zeros(x.shape)
        for i, j in np.ndindex(*x.shape[-2:]):
            result[..., i, j] = x[..., i, j] if keep(i, j) else 0.0
        return result

    return oracle


def _second_above(x: Array) -> Array:
    result = np.zeros((len(x), 3, 4))
    for b, i in np.ndindex(len(x), 3):
        result[b, i, i + 1] = x[b, i]
    return result


def _two_below(x: Array) -> Array:
    """Rows are the last axis of the result, columns its first."""
    result = np.zeros((5, len(x), 5))
    for b, i in np.ndindex(len(x), 3):
        result[i, b, i + 2] = x[b, i]
    return result


OPERATIONS = (
    Sample(Diagonal(1, 1, 2), (normal(7, 3, 5),), lambda x: [[m[0][1], m[1][2], m[2][3]] for m in x]),
    Sample(
        Diagonal(-1, 2, 0),
        (normal(3, 7, 5),),
        lambda x: [[x[i, b, i + 1] for i in range(3)] for b in range(x.shape[1])],
    ),
    Sample(Diagonal(0, 0, 1), (normal(7, 7),), einsum("ii->i")),
    Sample(DiagonalMatrix((3, 4), 1, 1, 2), (normal(7, 3),), _second_above),
    Sample(DiagonalMatrix((5, 5), -2, 2, 0), (normal(7, 3),), _two_below),
    Sample(DiagonalMatrix((7, 7), 0, 0, 1), (normal(7),), lambda x: np.eye(len(x)) * x),
    Sample(Tril(0), (normal(7, 3, 5),), _kept(lambda i, j: j <= i)),
    Sample(Tril(2), (normal(3, 7),), _kept(lambda i, j: j <= i + 2)),
    Sample(Triu(0), (normal(7, 3, 5),), _kept(lambda i, j: j >= i)),
    Sample(Triu(-1), (normal(7, 3),), _kept(lambda i, j: j >= i - 1)),
)
FUNCTIONS = (
    FunctionSample(
        "diag", lambda v: ga.diag(v, 2), (normal(7),), lambda v: np.pad(np.eye(len(v)) * v, ((0, 2), (2, 0)))
    ),
    FunctionSample(
        "diag", lambda m: ga.diag(m, -1), (normal(5, 3),), lambda m: [m[1][0], m[2][1], m[3][2]], case="matrix"
    ),
    FunctionSample("trace", ga.trace, (normal(3, 3, 7),), einsum("iib->b")),
    FunctionSample(
        "trace", lambda m: ga.trace(m, 1, -1, 1), (normal(7, 3, 4),), lambda m: m[:, 1, 0] + m[:, 2, 1], case="offset"
    ),
)
