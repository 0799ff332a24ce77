"""Rows of the contractions."""

from __future__ import annotations

import graphad as ga
from graphad.ops.contraction import Matmul
from tests.rows.sample import FunctionSample, Sample, einsum, normal

OPERATIONS = (
    Sample(Matmul(), (normal(7, 3), normal(3, 2)), einsum("bi,io->bo")),
    Sample(Matmul(), (normal(5, 7), normal(7, 2)), einsum("ib,bo->io")),
    Sample(Matmul(), (normal(7, 2, 3), normal(7, 3, 4)), einsum("bmk,bkn->bmn")),
)
FUNCTIONS = (
    FunctionSample("matmul", ga.matmul, (normal(3), normal(3)), einsum("i,i"), case="vectors"),
    FunctionSample("matmul", ga.matmul, (normal(7, 3), normal(3)), einsum("bi,i->b"), case="matrix, vector"),
    FunctionSample("matmul", ga.matmul, (normal(3), normal(7, 3, 2)), einsum("i,bio->bo"), case="vector, matrices"),
    FunctionSample("matmul", ga.matmul, (normal(7, 4, 3), normal(3, 2)), einsum("bti,io->bto"), case="shared right"),
    FunctionSample("matmul", ga.matmul, (normal(4, 3), normal(7, 3, 2)), einsum("ti,bio->bto"), case="shared left"),
    FunctionSample(
        "matmul", ga.matmul, (normal(7, 1, 2, 3), normal(5, 3, 4)), einsum("bxij,yjk->byik"), case="both broadcast"
    ),
)
