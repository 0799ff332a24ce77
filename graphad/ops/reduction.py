"""Reductions over axes. ``axis`` is None (all axes), an integer or a tuple; ``keepdims`` keeps the axes with size 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.leaves import SizeOf
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import INT64, TensorType, product
from graphad.ops.build import Operand, as_float, as_node, cast, normalize_axes, normalize_axis
from graphad.ops.selection import equal, where
from graphad.ops.structure import Sum, reduced_shape, reduction_keywords, spread


@dataclass(frozen=True)
class Extreme(Op):
    """The base of the reductions to the greatest and the least; elements that tie share the cotangent equally."""

    axes: tuple[int, ...]
    keepdims: bool = False
    ufunc: ClassVar[np.ufunc]

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axes, none of which may be empty."""
        (x,) = operands
        if any(x.shape[axis] == 0 for axis in self.axes):
            raise ShapeError("an extreme of no elements has no value")
        return TensorType(reduced_shape(x.shape, self.axes, self.keepdims), x.dtype)

    def stacked(self, steps: int) -> Op:
        return type(self)(tuple(axis + 1 for axis in self.axes), self.keepdims)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The reduction of the ufunc."""
        return self.ufunc.reduce, reduction_keywords(self.axes, self.keepdims)

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent, divided by the number that tie, where the operand is the extreme."""
        (x,) = operands
        mine, count = self._ties(x, result)
        return (where(mine, spread(cotangent / count, x.shape, self.axes), 0.0),)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The mean of the tangents of those that tie."""
        (x,), (tangent,) = operands, tangents
        mine, count = self._ties(x, result)
        return None if tangent is None else apply(Sum(self.axes, self.keepdims), where(mine, tangent, 0.0)) / count

    def _ties(self, x: Node, result: Node) -> tuple[Node, Node]:
        mine = equal(x, spread(result, x.shape, self.axes))
        return mine, apply(Sum(self.axes, self.keepdims), cast(mine, x.dtype))

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One comparison for each element."""
        return int(np.prod(operands[0].static_shape))


@dataclass(frozen=True)
class Max(Extreme):
    """The greatest element; NaN if there is one."""

    name = "max"
    latex = r"\max"
    ufunc = np.maximum


@dataclass(frozen=True)
class Min(Extreme):
    """The least element; NaN if there is one."""

    name = "min"
    latex = r"\min"
    ufunc = np.minimum


@dataclass(frozen=True)
class ArgExtreme(Op):
    """The base of argmax and argmin: the first place of the extreme, int64; no gradient."""

    axis: int
    function: ClassVar[Callable[..., Any]]

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axis, which may not be empty."""
        (x,) = operands
        if x.shape[self.axis] == 0:
            raise ShapeError("the place of an extreme of no elements has no value")
        return TensorType(reduced_shape(x.shape, (self.axis,), keepdims=False), INT64)

    def stacked(self, steps: int) -> Op:
        return type(self)(self.axis + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.argmax or np.argmin."""
        return self.function, {"axis": self.axis}


@dataclass(frozen=True)
class ArgMax(ArgExtreme):
    """The place of the greatest element."""

    name = "argmax"
    latex = r"\mathrm{argmax}"
    function = staticmethod(np.argmax)


@dataclass(frozen=True)
class ArgMin(ArgExtreme):
    """The place of the least element."""

    name = "argmin"
    latex = r"\mathrm{argmin}"
    function = staticmethod(np.argmin)


@builder
def sum(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The sum over ``axis``: of integers as int64 or uint64; of bool, the count as int64; of nothing, zero.

    >>> import graphad as ga
    >>> sum(ga.input("x", shape=("batch", 3)), axis=0)
    <sum: float32[3]>
    """
    node = as_node(x)
    axes = normalize_axes(axis, node.ndim)
    return apply(Sum(axes, keepdims), node) if axes or not node.type.is_float else node


@builder
def mean(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The mean over ``axis``, as a float; of nothing, NaN.

    >>> import graphad as ga
    >>> mean(ga.input("x", shape=("batch", 3)), axis=0)
    <divide: float32[3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    count = size_of(product(node.shape[axis] for axis in axes), node.dtype)
    return sum(node, axes, keepdims) / count


def size_of(size: Any, dtype: Any) -> Node:
    """The value of a dimension, as a 0-d node."""
    leaf = SizeOf(TensorType((), dtype), size)
    return apply(leaf.specialise({}))


@builder
def max(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The greatest element over ``axis``; those that tie share the gradient. A ShapeError for an empty axis."""
    node = as_node(x)
    return apply(Max(normalize_axes(axis, node.ndim), keepdims), node)


@builder
def min(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The least element over ``axis``; those that tie share the gradient. A ShapeError for an empty axis."""
    node = as_node(x)
    return apply(Min(normalize_axes(axis, node.ndim), keepdims), node)


@builder
def argmax(x: Operand, axis: int | None = None) -> Node:
    """The first place of the greatest element along ``axis`` (None: of the flattened operand), int64."""
    return _arg_extreme(ArgMax, x, axis)


@builder
def argmin(x: Operand, axis: int | None = None) -> Node:
    """The first place of the least element along ``axis`` (None: of the flattened operand), int64."""
    return _arg_extreme(ArgMin, x, axis)


def _arg_extreme(op: type[ArgExtreme], x: Operand, axis: int | None) -> Node:
    node = as_node(x)
    if axis is None:
        node, axis = node.reshape(-1), 0
    return apply(op(normalize_axis(axis, node.ndim)), node)
