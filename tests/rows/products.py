"""Rows of numpy's products by their names."""

from __future__ import annotations

import math
from typing import Any

import graphad as ga
from tests.rows.sample import FunctionSample, einsum, normal


def _kron(x: Any, y: Any) -> list[list[float]]:
    (height, width), (rows, columns) = x.shape, y.shape
    places = [(i, j) for i in range(height * rows) for j in range(width * columns)]
    flat = [x[i // rows, j // columns] * y[i % rows, j % columns] for i, j in places]
    return [flat[i * width * columns : (i + 1) * width * columns] for i in range(height * rows)]


def _cross(x: Any, y: Any) -> list[list[float]]:
    return [[b * f - c * e, c * d - a * f, a * e - b * d] for (a, b, c), (d, e, f) in zip(x, y, strict=True)]


FUNCTIONS = (
    FunctionSample("dot", ga.dot, (normal(7, 3), normal(3, 2)), einsum("bi,io->bo"), case="matrices"),
    FunctionSample("dot", ga.dot, (normal(7, 4, 3), normal(5, 3, 2)), einsum("bti,jio->btjo"), case="cubes"),
    FunctionSample("dot", ga.dot, (normal(7, 4, 3), normal(3)), einsum("bti,i->bt"), case="vector"),
    FunctionSample(
        "dot", ga.dot, (normal(7, 3), normal()), lambda x, s: [[a * s for a in row] for row in x], case="number"
    ),
    FunctionSample("inner", ga.inner, (normal(7, 2, 3), normal(4, 3)), einsum("bti,oi->bto")),
    FunctionSample("vdot", ga.vdot, (normal(7, 3), normal(7, 3)), lambda x, y: math.fsum((x * y).ravel())),
    FunctionSample("vecdot", ga.vecdot, (normal(7, 4, 3), normal(4, 3)), einsum("bti,ti->bt")),
    FunctionSample(
        "vecdot", lambda x, y: ga.vecdot(x, y, axis=0), (normal(3, 7), normal(3, 7)), einsum("ib,ib->b"), case="axis=0"
    ),
    FunctionSample("outer", ga.outer, (normal(7), normal(3, 2)), lambda x, y: [[a * b for b in y.ravel()] for a in x]),
    FunctionSample("tensordot", ga.tensordot, (normal(7, 3, 2), normal(3, 2, 4)), einsum("bij,ijo->bo"), case="axes=2"),
    FunctionSample(
        "tensordot",
        lambda x, y: ga.tensordot(x, y, ((-1, 1), (0, 2))),
        (normal(7, 3, 2, 5), normal(5, 4, 3)),
        einsum("bijk,kli->bjl"),
        case="pairs",
    ),
    FunctionSample(
        "tensordot", lambda x, y: ga.tensordot(x, y, 0), (normal(7, 2), normal(3)), einsum("bi,j->bij"), case="axes=0"
    ),
    FunctionSample("kron", ga.kron, (normal(7, 2), normal(3, 5)), _kron),
    FunctionSample("cross", ga.cross, (normal(7, 3), normal(7, 3)), _cross),
    FunctionSample(
        "multi_dot",
        lambda *factors: ga.multi_dot(factors),
        (normal(7, 5), normal(5, 2), normal(2, 6), normal(6)),
        einsum("bi,ij,jk,k->b"),
    ),
)
