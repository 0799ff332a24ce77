"""Products that sum over axes. All of them are in the end products of matrices, which is what BLAS is fast at.

The op takes operands of equal rank; `matmul` brings numpy's forms to it. `contract` brings any others: it labels axes
(a `Factor`), and gathers them as the batch, the rows, the columns, and what is summed over, of one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.cut import AxisLabels
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import Dim, Dimension, Shape, TensorType, known, product
from graphad.ops.build import Operand, broadcast, broadcast_shapes, unify
from graphad.ops.structure import Reshape, Transpose

Label: TypeAlias = Hashable
_TYPICAL = 64
"""What a named size counts as where no more than the order of the work depends on it."""


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

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels:
        """..mk, ..kn -> ..mn."""
        leading = tuple(range(result.ndim - 2))
        return (*leading, "m", "n"), (*leading, "m", "k"), (*leading, "k", "n")

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.matmul."""
        return np.matmul, {}

    def numpy_method(self, *operands: TensorType) -> str | None:
        """x.dot(y, result), for two matrices: it takes half the time of np.matmul to begin."""
        return "dot" if operands[0].ndim == 2 else None

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """BLAS reads matrices that lie contiguous, by rows or by columns."""
        by_columns = isinstance(operand.op, Transpose) and operand.operands[0] in contiguous
        return operand.ndim > 2 or operand in contiguous or by_columns

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

    Many matrices times one are computed as one product of their stacked rows. A ShapeError unless the columns of
    ``x`` are as many as the rows of ``y``; a DTypeError for truth values.

    >>> import graphad as ga
    >>> matmul(ga.input("x", shape=("batch", 4, 196)), ga.parameter(np.zeros((196, 64)), "W"))
    <reshape: float64[batch, 4, 64]>
    """
    a, b = numbers((x, y))
    if not a.ndim or not b.ndim:
        raise ShapeError("an operand has no axes: use * to scale")
    check_inner(a.shape[-1], b.shape[-2:][0])
    rows = apply(Reshape((1, *a.shape)), a) if a.ndim == 1 else a
    columns = apply(Reshape((*b.shape, 1)), b) if b.ndim == 1 else b
    result = matrix_product(rows, columns)
    kept = list(result.shape)
    if b.ndim == 1:
        del kept[-1]
    if a.ndim == 1:
        del kept[-1 if b.ndim == 1 else -2]
    return result if len(kept) == result.ndim else apply(Reshape(tuple(kept)), result)


def numbers(operands: Sequence[Operand]) -> list[Node]:
    """The operands as nodes of one dtype, which is not bool."""
    nodes = unify(operands)
    if any(node.dtype.kind == "b" for node in nodes):
        raise DTypeError("the operands are truth values: cast them to numbers first")
    return nodes


def check_inner(columns: Dimension, rows: Dimension) -> None:
    """A ShapeError unless the sizes over which a product sums are equal."""
    if columns != rows:
        raise ShapeError(f"inner sizes differ: {columns} columns meet {rows} rows")


def matrix_product(a: Node, b: Node) -> Node:
    """The product of operands of two axes and more whose inner sizes are equal; leading axes broadcast."""
    if a.ndim > 2 and b.ndim == 2:
        rows = apply(Reshape((product(a.shape[:-1]), a.shape[-1])), a)
        flat = apply(Matmul(), rows, b)
        return apply(Reshape((*a.shape[:-1], b.shape[-1])), flat)
    leading = broadcast_shapes([a.shape[:-2], b.shape[:-2]])
    return apply(Matmul(), broadcast(a, (*leading, *a.shape[-2:])), broadcast(b, (*leading, *b.shape[-2:])))


class Factor(NamedTuple):
    """An array with a label for each axis, each label once; equal labels of two factors mean one index."""

    node: Node
    labels: tuple[Label, ...]

    def sizes(self, labels: Iterable[Label]) -> Shape:
        """The sizes of some of its axes."""
        return tuple(self.node.shape[self.labels.index(label)] for label in labels)

    def ordered(self, labels: Sequence[Label]) -> Node:
        """The array with its axes in the order of ``labels``, which are all of its own."""
        axes = tuple(self.labels.index(label) for label in labels)
        return self.node if axes == tuple(range(self.node.ndim)) else apply(Transpose(axes), self.node)


def contract(x: Factor, y: Factor, kept: Collection[Label]) -> Factor:
    """The product of two factors, summed over the labels that both have and that are not among ``kept``.

    It is one product of matrices: labels that both have and that are kept count the matrices, those of one factor
    alone are its rows or columns. The labels of the result are in that order.
    """
    shared = [label for label in x.labels if label in y.labels]
    batch = [label for label in shared if label in kept]
    summed = [label for label in shared if label not in kept]
    rows = [label for label in x.labels if label not in shared]
    columns = [label for label in y.labels if label not in shared]
    labels = (*batch, *rows, *columns)
    if not summed:
        return Factor(_aligned(x, labels) * _aligned(y, labels), labels)
    result = apply(Matmul(), _matrices(x, batch, rows, summed), _matrices(y, batch, summed, columns))
    return Factor(reshaped(result, (*x.sizes(batch), *x.sizes(rows), *y.sizes(columns))), labels)


def _aligned(x: Factor, labels: Sequence[Label]) -> Node:
    """The array with an axis for each of the labels, of size 1 for those that it lacks."""
    own = x.ordered([label for label in labels if label in x.labels])
    return reshaped(own, tuple(x.sizes([label])[0] if label in x.labels else 1 for label in labels))


def _matrices(x: Factor, batch: Sequence[Label], rows: Sequence[Label], columns: Sequence[Label]) -> Node:
    """The array as matrices. Where its columns come before its rows it stays so, and is transposed as a view."""
    own = [label for label in x.labels if label not in batch]
    upright = not rows or own[0] in rows
    first, second = (rows, columns) if upright else (columns, rows)
    shape = (*x.sizes(batch), product(x.sizes(first)), product(x.sizes(second)))
    matrices = reshaped(x.ordered((*batch, *first, *second)), shape)
    return matrices if upright else swap_last(matrices)


def reshaped(x: Node, shape: Shape) -> Node:
    """The elements in another shape, if it is another."""
    return x if x.shape == shape else apply(Reshape(shape), x)


def counted(size: Dimension) -> int:
    """A size as a number, to compare costs with."""
    return known(size.specialise(dict.fromkeys(size.names, _TYPICAL)) if isinstance(size, Dim) else size)
