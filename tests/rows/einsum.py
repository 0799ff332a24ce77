"""Rows of Einstein's sums; numpy sums the products of their elements, one term after another."""

from __future__ import annotations

from functools import partial

import graphad as ga
from tests.rows.sample import FunctionSample, Operand, einsum, normal


def _row(subscripts: str, *operands: Operand) -> FunctionSample:
    return FunctionSample("einsum", partial(ga.einsum, subscripts), operands, einsum(subscripts), case=subscripts)


FUNCTIONS = (
    _row("bij->jb", normal(7, 3, 2)),
    _row("bii->b", normal(7, 3, 3)),
    _row("bijij->ji", normal(7, 3, 2, 3, 2)),
    _row("iii", normal(3, 3, 3)),
    _row("bi,io", normal(7, 3), normal(3, 2)),
    _row("bi,bi->b", normal(7, 3), normal(7, 3)),
    _row("bihd,bjhd->bhij", normal(7, 2, 3, 4), normal(7, 5, 3, 4)),
    _row("ijb,jil->bl", normal(3, 4, 7), normal(4, 3, 2)),
    _row("b,i,j->jib", normal(7), normal(3), normal(2)),
    _row("...i,oi->...o", normal(7, 2, 3), normal(4, 3)),
    _row("b...i,...io->...bo", normal(7, 1, 3), normal(5, 3, 2)),
    _row("bi,ij,jk,kk->b", normal(7, 3), normal(3, 2), normal(2, 4), normal(4, 4)),
    _row("bi,bi,bj->", normal(7, 3), normal(7, 3), normal(7, 2)),
    _row(",b->b", normal(), normal(7)),
)
