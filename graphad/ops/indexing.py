"""Reading and adding at places that are known only when the graph runs. A place outside its axis is an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import Dimension, Shape, TensorType, dimension_of, dtype_of
from graphad.ops.build import Operand, as_node, normalize_axis


def _check_integers(indices: TensorType) -> None:
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"indices must be integers, not {indices.dtype}: cast them")


@dataclass(frozen=True)
class TakeAlongAxis(Op):
    """result[..., j, ...] = x[..., indices[..., j, ...], ...] along ``axis``."""

    axis: int
    name = "take_along_axis"
    latex = r"\mathrm{take}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Indices of integers, with the operand's shape except along the axis."""
        x, indices = operands
        _check_integers(indices)
        if _without(x.shape, self.axis) != _without(indices.shape, self.axis) or x.ndim != indices.ndim:
            raise ShapeError(f"the indices must have the operand's shape in every axis but axis {self.axis}")
        return TensorType(indices.shape, x.dtype)

    def stacked(self, steps: int) -> Op:
        return TakeAlongAxis(self.axis + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.take_along_axis, with its range checked."""
        return take_along_axis_kernel, {"axis": self.axis}

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Add each cotangent at the place it was read from."""
        x, indices = operands
        return apply(AddAlongAxis(x.shape[self.axis], self.axis), cotangent, indices), None

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """Read the tangent at the same places."""
        return None if tangents[0] is None else apply(self, tangents[0], operands[1])


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def check_range(indices: Array, size: int) -> None:
    """An IndexError unless every index is from 0 to ``size`` - 1."""
    if indices.size and not (indices.min() >= 0 and indices.max() < size):
        raise IndexError(f"indices from {indices.min()} to {indices.max()} for an axis of size {size}")


def take_along_axis_kernel(x: Any, indices: Any, axis: int, out: Any = None) -> Any:
    """x at ``indices`` along ``axis``."""
    check_range(indices, x.shape[axis])
    taken = np.take_along_axis(x, indices, axis)
    if out is None:
        return taken
    np.copyto(out, taken)
    return out


@dataclass(frozen=True)
class AddAlongAxis(Op):
    """Zeros of ``size`` along ``axis``, with each value added at its index: the adjoint of take_along_axis."""

    size: Dimension
    axis: int
    name = "add_along_axis"
    latex = r"\mathrm{scatter}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Values and indices of one shape."""
        values, indices = operands
        _check_integers(indices)
        if values.shape != indices.shape:
            raise ShapeError("values and indices must have one shape")
        return TensorType((*values.shape[: self.axis], self.size, *values.shape[self.axis + 1 :]), values.dtype)

    def stacked(self, steps: int) -> Op:
        return AddAlongAxis(self.size, self.axis + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.at, after zeros."""
        return add_along_axis_kernel, {"size": self.size, "axis": self.axis}

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Read the cotangent where the value went."""
        return apply(TakeAlongAxis(self.axis), cotangent, operands[1]), None

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """Add the tangents at the same places."""
        return None if tangents[0] is None else apply(self, tangents[0], operands[1])


def add_along_axis_kernel(values: Any, indices: Any, size: int, axis: int, out: Any = None) -> Any:
    """Zeros, with ``values`` added at ``indices``; repeated indices accumulate."""
    check_range(indices, size)
    if out is None:
        out = np.empty((*values.shape[:axis], size, *values.shape[axis + 1 :]), values.dtype)
    out.fill(0)
    places = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[axis] = indices
    np.add.at(out, tuple(places), values)
    return out


@dataclass(frozen=True)
class OneHot(Op):
    """A new last axis of ``depth``, with 1 at the place that each index names and 0 elsewhere."""

    depth: Dimension
    dtype: np.dtype[Any]
    name = "one_hot"
    latex = r"\mathbf{1}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Integers."""
        (indices,) = operands
        _check_integers(indices)
        return TensorType((*indices.shape, self.depth), self.dtype)

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A comparison with the places."""
        return one_hot_kernel, {"depth": self.depth, "dtype": self.dtype.name}


def one_hot_kernel(indices: Any, depth: int, dtype: str, out: Any = None) -> Any:
    """1 where the place is the index, 0 elsewhere."""
    check_range(indices, depth)
    hot = indices[..., np.newaxis] == np.arange(depth)
    if out is None:
        return hot.astype(dtype)
    np.copyto(out, hot, casting="unsafe")
    return out


@builder
def take_along_axis(x: Operand, indices: Operand, axis: int) -> Node:
    """Elements of ``x`` at ``indices`` along ``axis``, as in numpy, but indices from 0 only.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=("batch", 10)), ga.input("i", shape=("batch", 1), dtype="int64")
    >>> take_along_axis(x, i, axis=1)
    <take_along_axis: float32[batch, 1]>
    """
    node = as_node(x)
    return apply(TakeAlongAxis(normalize_axis(axis, node.ndim)), node, as_node(indices))


@builder
def one_hot(indices: Operand, depth: Any, dtype: Any = "float32") -> Node:
    """1 at the place that each index names along a new last axis of size ``depth``, 0 elsewhere.

    >>> import graphad as ga
    >>> one_hot(ga.input("y", shape=("batch",), dtype="uint8"), 10)
    <one_hot: float32[batch, 10]>
    """
    return apply(OneHot(dimension_of(depth), dtype_of(dtype)), as_node(indices))
