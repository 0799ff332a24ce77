"""Reductions over axes. ``axis`` is None (all axes), an integer or a tuple; ``keepdims`` keeps the axes with size 1.

Each is named as in numpy, and numpy's own function on nodes finds it; of numpy's other options none is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import BOOL, INT64, TensorType, product
from graphad.ops.build import Operand, as_float, as_node, cast, normalize_axes, normalize_axis, size_of
from graphad.ops.options import numpy_options
from graphad.ops.scan import CumProd, accumulator
from graphad.ops.selection import equal, not_equal, where
from graphad.ops.shaping import reshape
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
        if 0 in [x.shape[axis] for axis in self.axes]:
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
    keepdims: bool = False
    kernel_function: ClassVar[Callable[..., Any]]

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axis, which may not be empty."""
        (x,) = operands
        if x.shape[self.axis] == 0:
            raise ShapeError("the place of an extreme of no elements has no value")
        return TensorType(reduced_shape(x.shape, (self.axis,), self.keepdims), INT64)

    def stacked(self, steps: int) -> Op:
        return type(self)(self.axis + 1, self.keepdims)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the operand with its axis last, if it is not; numpy looks along lines that lie contiguous."""
        (x,) = operands
        rest = (*x.shape[: self.axis], *x.shape[self.axis + 1 :])
        return () if self.axis == x.ndim - 1 else (TensorType((*rest, x.shape[self.axis]), x.dtype),)

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Anything that goes to the scratch first; else only what lies contiguous."""
        return self.axis < operand.ndim - 1 or operand in contiguous

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.argmax or np.argmin."""
        return self.kernel_function, {"axis": self.axis, "keepdims": self.keepdims}

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One comparison for each element."""
        return int(np.prod(operands[0].static_shape))


def argmax_kernel(x: Any, axis: int, keepdims: bool, scratch: Any = (), out: Any = None) -> Any:
    """np.argmax along an axis that is last, in ``scratch`` if not in ``x``."""
    lines = last_axis(x, axis, scratch)
    places = np.argmax(lines, axis=-1, out=None if out is None else out.reshape(lines.shape[:-1]))
    return (np.expand_dims(places, axis) if keepdims else places) if out is None else out


def argmin_kernel(x: Any, axis: int, keepdims: bool, scratch: Any = (), out: Any = None) -> Any:
    """np.argmin along an axis that is last, in ``scratch`` if not in ``x``."""
    lines = last_axis(x, axis, scratch)
    places = np.argmin(lines, axis=-1, out=None if out is None else out.reshape(lines.shape[:-1]))
    return (np.expand_dims(places, axis) if keepdims else places) if out is None else out


def last_axis(x: Any, axis: int, scratch: Any) -> Any:
    """``x`` with its axis last: copied to the scratch, if there is one."""
    if not scratch:
        return x
    np.copyto(scratch[0], np.moveaxis(x, axis, -1))
    return scratch[0]


@dataclass(frozen=True)
class ArgMax(ArgExtreme):
    """The place of the greatest element."""

    name = "argmax"
    latex = r"\mathrm{argmax}"
    kernel_function = staticmethod(argmax_kernel)


@dataclass(frozen=True)
class ArgMin(ArgExtreme):
    """The place of the least element."""

    name = "argmin"
    latex = r"\mathrm{argmin}"
    kernel_function = staticmethod(argmin_kernel)


@dataclass(frozen=True)
class Prod(Op):
    """The product over ``axis``; of nothing, 1. Integers are multiplied as int64 or uint64, and so are truth values."""

    axis: int
    keepdims: bool = False
    name = "prod"
    latex = r"\prod"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axis, or with size 1 in its place."""
        (x,) = operands
        return TensorType(reduced_shape(x.shape, (self.axis,), self.keepdims), accumulator(x.dtype))

    def stacked(self, steps: int) -> Op:
        return Prod(self.axis + 1, self.keepdims)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.multiply.reduce, which is np.prod without its ceremony."""
        return np.multiply.reduce, reduction_keywords((self.axis,), self.keepdims)

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The product of the other elements: it is not divided by the element, which may be 0."""
        (x,) = operands
        return (spread(cotangent, x.shape, (self.axis,)) * self._others(x),)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The sum over the elements of the tangent, times the product of the others."""
        (x,), (tangent,) = operands, tangents
        return None if tangent is None else apply(Sum((self.axis,), self.keepdims), tangent * self._others(x))

    def _others(self, x: Node) -> Node:
        before, after = CumProd(self.axis, exclusive=True), CumProd(self.axis, reverse=True, exclusive=True)
        return apply(before, x) * apply(after, x)

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One multiplication for each element."""
        return int(np.prod(operands[0].static_shape))


@dataclass(frozen=True)
class Quantifier(Op):
    """The base of any and all: what is not 0 is true, and NaN is not 0; no gradient."""

    axes: tuple[int, ...]
    keepdims: bool = False
    ufunc: ClassVar[np.ufunc]

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axes, bool."""
        return TensorType(reduced_shape(operands[0].shape, self.axes, self.keepdims), BOOL)

    def stacked(self, steps: int) -> Op:
        return type(self)(tuple(axis + 1 for axis in self.axes), self.keepdims)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The reduction of the ufunc."""
        return self.ufunc.reduce, reduction_keywords(self.axes, self.keepdims)

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One test for each element."""
        return int(np.prod(operands[0].static_shape))


@dataclass(frozen=True)
class Exists(Quantifier):
    """Whether an element is true; of nothing, False."""

    name = "any"
    latex = r"\exists"
    ufunc = np.logical_or


@dataclass(frozen=True)
class ForAll(Quantifier):
    """Whether every element is true; of nothing, True."""

    name = "all"
    latex = r"\forall"
    ufunc = np.logical_and


@builder
@numpy_options
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
@numpy_options
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


@builder
@numpy_options
def prod(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The product over ``axis``: of integers and bool as int64 or uint64; of nothing, 1.

    The gradient is exact where one or more factors are 0.

    >>> import graphad as ga
    >>> prod(ga.input("x", shape=("batch", 3)), axis=1)
    <prod: float32[batch]>
    """
    node = as_node(x)
    for one in reversed(normalize_axes(axis, node.ndim)):
        node = apply(Prod(one, keepdims), node)
    return cast(node, accumulator(node.dtype))


@builder
@numpy_options
def max(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The greatest element over ``axis``; those that tie share the gradient. A ShapeError for an empty axis.

    >>> import graphad as ga
    >>> max(ga.input("x", shape=("batch", 3)), axis=1, keepdims=True)
    <max: float32[batch, 1]>
    """
    node = as_node(x)
    return apply(Max(normalize_axes(axis, node.ndim), keepdims), node)


@builder
@numpy_options
def min(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The least element over ``axis``; those that tie share the gradient. A ShapeError for an empty axis.

    >>> import graphad as ga
    >>> min(ga.input("x", shape=("batch", 3)), axis=(0, 1))
    <min: float32[]>
    """
    node = as_node(x)
    return apply(Min(normalize_axes(axis, node.ndim), keepdims), node)


@builder
@numpy_options
def ptp(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The greatest less the least element over ``axis`` ("peak to peak"). A ShapeError for an empty axis.

    >>> import graphad as ga
    >>> ptp(ga.input("x", shape=("batch", 3)), axis=0)
    <subtract: float32[3]>
    """
    node = as_node(x)
    axes = normalize_axes(axis, node.ndim)
    return max(node, axes, keepdims) - min(node, axes, keepdims)


@builder
@numpy_options
def argmax(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Node:
    """The first place of the greatest element along ``axis`` (None: of the flattened operand), int64.

    >>> import graphad as ga
    >>> argmax(ga.input("x", shape=("batch", 3)), axis=1)
    <argmax: int64[batch]>
    """
    return _arg_extreme(ArgMax, x, axis, keepdims)


@builder
@numpy_options
def argmin(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Node:
    """The first place of the least element along ``axis`` (None: of the flattened operand), int64.

    >>> import graphad as ga
    >>> argmin(ga.input("x", shape=("batch", 3)), axis=1, keepdims=True)
    <argmin: int64[batch, 1]>
    """
    return _arg_extreme(ArgMin, x, axis, keepdims)


def _arg_extreme(op: type[ArgExtreme], x: Operand, axis: int | None, keepdims: bool) -> Node:
    node = as_node(x)
    if axis is not None:
        return apply(op(normalize_axis(axis, node.ndim), keepdims), node)
    place = apply(op(0), reshape(node, -1))
    return reshape(place, (1,) * node.ndim) if keepdims else place


@builder
@numpy_options
def any(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether an element over ``axis`` is not 0, as bool; of nothing, False. NaN is not 0.

    >>> import graphad as ga
    >>> any(ga.input("x", shape=("batch", 3)), axis=1)
    <any: bool[batch]>
    """
    node = as_node(x)
    return apply(Exists(normalize_axes(axis, node.ndim), keepdims), node)


@builder
@numpy_options
def all(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether no element over ``axis`` is 0, as bool; of nothing, True.

    >>> import graphad as ga
    >>> all(ga.input("x", shape=("batch", 3)), axis=1)
    <all: bool[batch]>
    """
    node = as_node(x)
    return apply(ForAll(normalize_axes(axis, node.ndim), keepdims), node)


@builder
@numpy_options
def count_nonzero(x: Operand, axis: Any = None, *, keepdims: bool = False) -> Node:
    """How many elements over ``axis`` are not 0, int64; NaN is not 0.

    >>> import graphad as ga
    >>> count_nonzero(ga.input("x", shape=("batch", 3)), axis=1)
    <sum: int64[batch]>
    """
    node = as_node(x)
    axes = normalize_axes(axis, node.ndim)
    return sum(node if node.dtype == BOOL else not_equal(node, 0), axes, keepdims)
