"""Many products, or many sums, over time become one: what stacking leaves to be merged."""

from __future__ import annotations

import math

import numpy as np

from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import known, product
from graphad.ops.arithmetic import Divide, Multiply
from graphad.ops.contraction import Matmul, swap_last
from graphad.ops.structure import BroadcastTo, Reshape, Sum, Transpose
from graphad.rewrite.constants import uniform
from graphad.rewrite.driver import Rewrites

_MOST_TERMS = 4096
"""Above these, numpy adds neighbours pairwise, which rounds less than BLAS does."""
_WORTH_A_COPY = 2**13
"""Bytes that BLAS, with a copy before it, adds sooner than numpy."""


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
    """sum over the leading axes of x -> ones @ x: BLAS adds faster than numpy, and begins sooner."""
    axes, x = _summed(node)
    if not axes or axes != tuple(range(len(axes))):
        return None
    rows, columns = _split(x, len(axes))
    if columns == 1 and rows > _MOST_TERMS:
        return None
    return apply(Reshape(node.shape), apply(Matmul(), _ones(1, rows, node), apply(Reshape((rows, columns)), x)))


def sum_of_columns(node: Node) -> Node | None:
    """sum over the last axes of x -> x @ ones."""
    axes, x = _summed(node)
    if not axes or axes != tuple(range(x.ndim))[-len(axes) :]:
        return None
    rows, columns = _split(x, x.ndim - len(axes))
    if columns > _MOST_TERMS:
        return None
    return apply(Reshape(node.shape), apply(Matmul(), apply(Reshape((rows, columns)), x), _ones(columns, 1, node)))


def _summed(node: Node) -> tuple[tuple[int, ...], Node]:
    """The axes and the operand of a sum of floats that lie in memory in their order, or are worth a copy; else none."""
    if not isinstance(node.op, Sum) or not node.type.is_float:
        return (), node
    (x,) = node.operands
    in_order = not x.op.traits.view or x.type.nbytes >= _WORTH_A_COPY
    return (node.op.axes if in_order else ()), x


def _split(x: Node, axes: int) -> tuple[int, int]:
    """The elements of the first axes, and of the others."""
    return known(product(x.shape[:axes])), known(product(x.shape[axes:]))


def _ones(rows: int, columns: int, like: Node) -> Node:
    return apply(Constant.of(np.ones((rows, columns), like.dtype)))


def scaled_sum(node: Node) -> Node | None:
    """(ones @ x) / 2 -> halves @ x, if that is one number, and exact: a mean of ones is 1."""
    if not isinstance(node.op, (Multiply, Divide)) or node.type.size != 1:
        return None
    total, factor = node.operands
    if isinstance(node.op, Multiply) and uniform(factor) is None:
        total, factor = factor, total
    number = uniform(factor)
    inner = total.operands[0] if isinstance(total.op, Reshape) else total
    if number is None or not _is_power_of_two(number) or not isinstance(inner.op, Matmul):
        return None
    ones, x = inner.operands
    if not isinstance(ones.op, Constant):
        return None
    scaled = node.op.kernel(ones.op.value, number.value)
    if np.abs(scaled).max(initial=0.0) > 1:  # greater terms might overflow
        return None
    return apply(Reshape(node.shape), apply(Matmul(), apply(Constant.of(scaled)), x))


def _is_power_of_two(number: Constant) -> bool:
    return bool(np.isfinite(number.value)) and abs(math.frexp(number.value.item())[0]) == 0.5


def sum_of_sum(node: Node) -> Node | None:
    """sum(sum(x, axis=1), axis=0) -> sum(x, axis=(0, 1))."""
    inner = node.operands[0] if node.operands else node
    if not isinstance(node.op, Sum) or not isinstance(inner.op, Sum) or node.op.keepdims or inner.op.keepdims:
        return None
    (x,), gone = inner.operands, inner.op.axes
    left = [axis for axis in range(x.ndim) if axis not in gone]
    return apply(Sum(tuple(sorted((*gone, *(left[axis] for axis in node.op.axes))))), x)


MERGE_PRODUCTS = Rewrites("products over time", (product_with_one_matrix, sum_of_products, sum_of_sum), exact=False)
ROWS_BY_PRODUCTS = Rewrites("sums of rows", (sum_of_rows, sum_of_columns, scaled_sum), exact=False)
