"""Diagonals and triangles of matrices. Reading a diagonal and writing one are each other's adjoint.

Diagonals count from the main one, 0: those above it are positive, those below negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op, Traits
from graphad.ir.tensor_type import BOOL, Dim, Dimension, TensorType
from graphad.ops.build import Operand, as_node, normalize_axis
from graphad.ops.structure import Linear, Sum


def diagonal_length(rows: Dimension, columns: Dimension, offset: int) -> Dimension:
    """How many elements a diagonal has; a ShapeError where named sizes leave that open.

    >>> diagonal_length(3, 5, 1), diagonal_length(3, 5, -1), diagonal_length(3, 5, 9)
    (3, 2, 0)
    """
    down, right = rows + min(offset, 0), columns - max(offset, 0)
    difference = down - right
    if isinstance(difference, Dim):
        raise ShapeError(f"the diagonal of {rows} rows and {columns} columns has no known length: declare the sizes")
    length = down if difference <= 0 else right
    return max(length, 0) if isinstance(length, int) else length


@dataclass(frozen=True)
class Diagonal(Linear):
    """The diagonal of the matrices of two axes, as a new last axis: a view."""

    offset: int
    axis1: int
    axis2: int
    name = "diagonal"
    latex = r"\mathrm{diagonal}"
    traits = Traits(view=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The other axes, then the diagonal."""
        (x,) = operands
        check_plane(self.axis1, self.axis2, x.ndim)
        rest = tuple(size for axis, size in enumerate(x.shape) if axis not in (self.axis1, self.axis2))
        return TensorType((*rest, diagonal_length(x.shape[self.axis1], x.shape[self.axis2], self.offset)), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Diagonal(self.offset, self.axis1 + 1, self.axis2 + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.diagonal."""
        return np.diagonal, {"offset": self.offset, "axis1": self.axis1, "axis2": self.axis2}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Zeros, with the cotangent on the diagonal."""
        shape = operands[0].shape
        sizes = (shape[self.axis1], shape[self.axis2])
        return (apply(DiagonalMatrix(sizes, self.offset, self.axis1, self.axis2), cotangent),)


def check_plane(axis1: int, axis2: int, ndim: int) -> None:
    """A ShapeError unless they are two different axes."""
    if axis1 == axis2 or not (0 <= axis1 < ndim and 0 <= axis2 < ndim):
        raise ShapeError(f"a diagonal has two different axes; got {axis1} and {axis2} of {ndim}")


@dataclass(frozen=True)
class DiagonalMatrix(Linear):
    """Matrices of ``sizes`` in two new axes, zero but for a diagonal, which is the operand's last axis."""

    sizes: tuple[Dimension, Dimension]
    offset: int
    axis1: int
    axis2: int
    name = "diag"
    latex = r"\mathrm{diag}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The last axis must be as long as the diagonal."""
        (x,) = operands
        check_plane(self.axis1, self.axis2, x.ndim + 1)
        rows, columns = self.sizes
        length = diagonal_length(rows, columns, self.offset)
        if not x.ndim or x.shape[-1] != length:
            raise ShapeError(f"diagonal {self.offset} of a matrix of shape {self.sizes} has {length} elements")
        rest = iter(x.shape[:-1])
        placed = {self.axis1: rows, self.axis2: columns}
        shape = tuple(placed[axis] if axis in placed else next(rest) for axis in range(x.ndim + 1))
        return TensorType(shape, x.dtype)

    def stacked(self, steps: int) -> Op:
        return DiagonalMatrix(self.sizes, self.offset, self.axis1 + 1, self.axis2 + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Zeros, then the diagonal."""
        axes = {"axis1": self.axis1, "axis2": self.axis2}
        return diagonal_matrix_kernel, {"sizes": self.sizes, "offset": self.offset, **axes}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The diagonal of the cotangent."""
        return (apply(Diagonal(self.offset, self.axis1, self.axis2), cotangent),)


def diagonal_matrix_kernel(x: Any, sizes: Any, offset: int, axis1: int, axis2: int, out: Any = None) -> Any:
    """Zeros, with ``x`` on the diagonal."""
    if out is None:
        shape = list(x.shape[:-1])
        for axis, size in sorted([(axis1, sizes[0]), (axis2, sizes[1])]):
            shape.insert(axis, size)
        out = np.empty(shape, x.dtype)
    out.fill(0)
    row, column, length = max(-offset, 0), max(offset, 0), x.shape[-1]
    matrices = np.moveaxis(out, (axis1, axis2), (-2, -1))
    square = matrices[..., row : row + length, column : column + length]
    np.copyto(np.einsum("...ii->...i", square), x)  # einsum's diagonal is a view
    return out


@dataclass(frozen=True)
class Triangle(Linear):
    """The base of tril and triu: the matrices of the last two axes, zero on one side of diagonal ``k``."""

    k: int
    kernel_function: ClassVar[Callable[..., Any]]

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type; it needs two axes."""
        (x,) = operands
        if x.ndim < 2:
            raise ShapeError(f"a triangle is one of a matrix: two axes are needed, {x} has {x.ndim}")
        return x

    def stacked(self, steps: int) -> Op:
        return self

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For one truth value of each diagonal."""
        rows, columns = operands[0].static_shape[-2:]
        return (TensorType((rows + columns,), BOOL),)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.tril or np.triu, into a given array."""
        return self.kernel_function, {"k": self.k}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The same triangle of the cotangent."""
        return (apply(self, cotangent),)


def triangle_mask(shape: Any, k: int, line: Any) -> Any:
    """np.tri as a view of ``line``, which holds one truth value for each diagonal: those up to ``k`` are True."""
    rows, columns = shape
    line.fill(False)
    line[: max(rows + k, 0)] = True
    return np.lib.stride_tricks.sliding_window_view(line, columns)[:rows][::-1]


def tril_kernel(x: Any, k: int, scratch: Any, out: Any = None) -> Any:
    """Zeros, then ``x`` on and below diagonal k."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    out.fill(0)
    np.copyto(out, x, where=triangle_mask(x.shape[-2:], k, scratch[0]))
    return out


def triu_kernel(x: Any, k: int, scratch: Any, out: Any = None) -> Any:
    """``x``, then zeros below diagonal k."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    np.copyto(out, x)
    np.copyto(out, 0, where=triangle_mask(x.shape[-2:], k - 1, scratch[0]), casting="unsafe")
    return out


@dataclass(frozen=True)
class Tril(Triangle):
    """What lies on and below diagonal ``k``; zero above it."""

    name = "tril"
    latex = r"\mathrm{tril}"
    kernel_function = staticmethod(tril_kernel)


@dataclass(frozen=True)
class Triu(Triangle):
    """What lies on and above diagonal ``k``; zero below it."""

    name = "triu"
    latex = r"\mathrm{triu}"
    kernel_function = staticmethod(triu_kernel)


@builder
def tril(m: Operand, k: int = 0) -> Node:
    """The matrices of the last two axes, zero above diagonal ``k``.

    >>> import graphad as ga
    >>> tril(ga.input("m", shape=("batch", 4, 4)))
    <tril: float32[batch, 4, 4]>
    """
    return apply(Tril(_offset(k)), as_node(m))


@builder
def triu(m: Operand, k: int = 0) -> Node:
    """The matrices of the last two axes, zero below diagonal ``k``.

    >>> import graphad as ga
    >>> triu(ga.input("m", shape=("n", "n")), k=1)
    <triu: float32[n, n]>
    """
    return apply(Triu(_offset(k)), as_node(m))


def _offset(offset: Any) -> int:
    if not is_integer(offset):
        raise DTypeError(f"a diagonal is named by an integer; got {offset!r}")
    return int(offset)


@builder
def diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The diagonal of the matrices of ``axis1`` and ``axis2``, as a new last axis. A view.

    >>> import graphad as ga
    >>> diagonal(ga.input("x", shape=(3, 4, "batch")), offset=1)
    <diagonal: float32[batch, 3]>
    """
    node = as_node(x)
    return apply(Diagonal(_offset(offset), *(normalize_axis(axis, node.ndim) for axis in (axis1, axis2))), node)


@builder
def trace(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The sum of the diagonal of the matrices of ``axis1`` and ``axis2``.

    >>> import graphad as ga
    >>> trace(ga.input("x", shape=("n", "n")))
    <sum: float32[]>
    """
    node = diagonal(x, offset, axis1, axis2)
    return apply(Sum((node.ndim - 1,)), node)


@builder
def diag(v: Operand, k: int = 0) -> Node:
    """Of a vector, the matrix that has it on diagonal ``k`` and is zero elsewhere; of a matrix, its diagonal ``k``.

    >>> import graphad as ga
    >>> diag(ga.input("v", shape=("n",)), k=1)
    <diag: float32[n + 1, n + 1]>
    >>> diag(ga.input("m", shape=(3, 4)))
    <diagonal: float32[3]>
    """
    node, offset = as_node(v), _offset(k)
    if node.ndim == 2:
        return apply(Diagonal(offset, 0, 1), node)
    if node.ndim != 1:
        raise ShapeError(f"diag takes a vector or a matrix; {node!r} has {node.ndim} axes")
    size = node.shape[0] + abs(offset)
    return apply(DiagonalMatrix((size, size), offset, 0, 1), node)
