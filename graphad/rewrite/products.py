"""Many products, or many sums, over time become one: what stacking leaves to be merged."""

from __future__ import annotations

import numpy as np

from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import known, product
from graphad.ops.contraction import Matmul, swap_last
from graphad.ops.structure import BroadcastTo, Reshape, Sum, Transpose
from graphad.rewrite.driver import Rewrites

_FEWEST_ROWS, _FEWEST_COLUMNS = 64, 8
"""Below these, a product takes longer to begin than a sum takes."""


def product_with_one_matrix(node: Node) -> Node | None:
    """x[t] @ W for all t -> one product of all rows of x with W."""
    if not isinstance(node.op, Matmul) or node.ndim != 3:
        return None
    x, repeated = node.operands
    if not isinstance(repeated.op, BroadcastTo) or repeated.operands[0].ndim != 2:
        return None
    rows = apply(Reshape((x.shape[0] * x.shape[1], x.shape[2])), x)
    return apply(Reshape(node.shape), apply(Matmul(), rows, repeated.operands[0]))


def sum_of_products(node: Node) -> Node | None:
    """sum over t of x[t] @ y[t] -> one product that contracts over t as well."""
    inner = node.operands[0] if node.operands else node
    if not isinstance(node.op, Sum) or node.op.axes != (0,) or node.op.keepdims:
        return None
    if not isinstance(inner.op, Matmul) or inner.ndim != 3:
        return None
    x, y = inner.operands
    steps, m, k = x.shape
    columns = apply(Reshape((steps * k, m)), swap_last(x))
    rows = apply(Reshape((steps * k, y.shape[2])), y)
    return apply(Matmul(), apply(Transpose((1, 0)), columns), rows)


def sum_of_rows(node: Node) -> Node | None:
    """sum over the leading axes of x -> ones @ x, if that is worth a product: BLAS adds rows faster than numpy."""
    op, x = node.op, node.operands[0] if node.operands else node
    if not isinstance(op, Sum) or op.keepdims or not node.type.is_float or op.axes != tuple(range(len(op.axes))):
        return None
    rows, columns = known(product(x.shape[: len(op.axes)])), known(product(node.shape))
    if rows < _FEWEST_ROWS or columns < _FEWEST_COLUMNS:
        return None
    ones = apply(Constant.of(np.ones((1, rows), node.dtype)))
    return apply(Reshape(node.shape), apply(Matmul(), ones, apply(Reshape((rows, columns)), x)))


def sum_of_sum(node: Node) -> Node | None:
    """sum(sum(x, axis=1), axis=0) -> sum(x, axis=(0, 1))."""
    inner = node.operands[0] if node.operands else node
    if not isinstance(node.op, Sum) or not isinstance(inner.op, Sum) or node.op.keepdims or inner.op.keepdims:
        return None
    (x,), gone = inner.operands, inner.op.axes
    left = [axis for axis in range(x.ndim) if axis not in gone]
    return apply(Sum(tuple(sorted((*gone, *(left[axis] for axis in node.op.axes))))), x)


MERGE_PRODUCTS = Rewrites("products over time", (product_with_one_matrix, sum_of_products, sum_of_sum), exact=False)
ROWS_BY_PRODUCTS = Rewrites("sums of rows", (sum_of_rows,), exact=False)
