"""Rows of the contractions."""

from __future__ import annotations

from graphad.ops.contraction import Matmul
from tests.rows.sample import Sample, einsum, normal

OPERATIONS = (
    Sample(Matmul(), (normal(7, 3), normal(3, 2)), einsum("bi,io->bo")),
    Sample(Matmul(), (normal(5, 7), normal(7, 2)), einsum("ib,bo->io")),
    Sample(Matmul(), (normal(7, 2, 3), normal(7, 3, 4)), einsum("bmk,bkn->bmn")),
)
