"""Products of matrices. The op itself takes operands of equal rank; `matmul` brings everything else to that form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import TensorType, product
from graphad.ops.build import Operand, broadcast, broadcast_shapes, unify
from graphad.ops.structure import Reshape, Transpose


@dataclass(frozen=True)
class Matmul(Op):
    """The matrix product over the last two axes; the axes before them must be equal."""

    name = "matmul"
    latex = r"\cdot"

    def infer(self, *operands: TensorType) -> TensorType:
        """(..., m, k) and (..., k, n) give (..., m, n)."""
        x, y = operands
        if x.ndim < 2 or x.ndim != y.ndim or x.shape[:-2] != y.shape[:-2]:
            raise ShapeError("the operands must have equal leading axes and at least two axes each")
        if x.shape[-1] != y.shape[-2]:
            raise ShapeError(f"inner sizes differ: {x.shape[-1]} columns meet {y.shape[-2]} rows")
        if x.dtype != y.dtype or x.dtype.kind == "b":
            raise DTypeError("the operands must have one dtype, and not bool: cast them")
        return TensorType((*x.shape[:-1], y.shape[-1]), x.dtype)

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.matmul."""
        return np.matmul, {}

    def numpy_method(self, *operands: TensorType) -> str | None:
        """x.dot(y, result), for two matrices: it takes half the time of np.matmul to begin."""
        return "dot" if operands[0].ndim == 2 else None

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Z = X Y: dX = dZ Y', dY = X' dZ."""
        x, y = operands
        return cotangent @ swap_last(y), swap_last(x) @ cotangent

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """DZ = dX Y + X dY."""
        (x, y), (dx, dy) = operands, tangents
        if dx is None or dy is None:
            return dx @ y if dx is not None else x @ dy if dy is not None else None
        return dx @ y + x @ dy

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """2 m n k for each matrix."""
        return 2 * int(np.prod(result.static_shape)) * operands[0].static_shape[-1]


def swap_last(x: Node) -> Node:
    """The transposes of the matrices in the last two axes."""
    axes = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return apply(Transpose(axes), x)


@builder
def matmul(x: Operand, y: Operand) -> Node:
    """numpy's matrix product: vectors are rows on the left and columns on the right, leading axes broadcast.

    Many matrices times one are computed as one product of their stacked rows.

    >>> import graphad as ga
    >>> matmul(ga.input("x", shape=("batch", 4, 196)), ga.parameter(np.zeros((196, 64)), "W"))
    <reshape: float64[batch, 4, 64]>
    """
    a, b = unify((x, y))
    if not a.ndim or not b.ndim:
        raise ShapeError("an operand has no axes: use * to scale")
    rows = apply(Reshape((1, *a.shape)), a) if a.ndim == 1 else a
    columns = apply(Reshape((*b.shape, 1)), b) if b.ndim == 1 else b
    result = _matrix_product(rows, columns)
    kept = list(result.shape)
    if b.ndim == 1:
        del kept[-1]
    if a.ndim == 1:
        del kept[-1 if b.ndim == 1 else -2]
    return result if len(kept) == result.ndim else apply(Reshape(tuple(kept)), result)


def _matrix_product(a: Node, b: Node) -> Node:
    if a.ndim > 2 and b.ndim == 2 and a.shape[-1] == b.shape[0]:
        rows = apply(Reshape((product(a.shape[:-1]), a.shape[-1])), a)
        flat = apply(Matmul(), rows, b)
        return apply(Reshape((*a.shape[:-1], b.shape[-1])), flat)
    leading = broadcast_shapes([a.shape[:-2], b.shape[:-2]])
    return apply(Matmul(), broadcast(a, (*leading, *a.shape[-2:])), broadcast(b, (*leading, *b.shape[-2:])))
