"""Measures of spread, size and middle, made of sums and orders; the norm alone is an operation.

Its derivative, the direction x / |x|, has no value at 0, and is 0 there by convention. A standard deviation is the norm
of the deviations, and so has the same convention: a constant feature gets no gradient, and no NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_number
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import BOOL, INT64, TensorType, product
from graphad.ops.arithmetic import sqrt, square
from graphad.ops.build import Operand, as_float, as_node, broadcast, normalize_axes, size_of
from graphad.ops.indexing import take_along_axis
from graphad.ops.options import numpy_options
from graphad.ops.order import sort
from graphad.ops.reduction import max, mean, min, sum
from graphad.ops.selection import absolute, isnan, logical_not, maximum, not_equal, where
from graphad.ops.shaping import reshape, transpose
from graphad.ops.structure import Sum, reduced_shape, reduction_keywords, spread


@dataclass(frozen=True)
class Norm(Op):
    """The square root of the sum of squares over ``axes``; its derivative at 0 is 0."""

    axes: tuple[int, ...]
    keepdims: bool = False
    name = "norm"
    latex = r"\|\cdot\|"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand, of floats, without the axes."""
        (x,) = operands
        if not x.is_float:
            raise DTypeError("the operand must be of floats: cast it first")
        return TensorType(reduced_shape(x.shape, self.axes, self.keepdims), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Norm(tuple(axis + 1 for axis in self.axes), self.keepdims)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the scaled operand; for units, lengths and two truth values of each line."""
        (x,) = operands
        line = reduced_shape(x.shape, self.axes, True)
        return x, *[TensorType(line, x.dtype)] * 2, *[TensorType(line, BOOL)] * 2

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Squares, of numbers that are not too large or too small for it."""
        return norm_kernel, reduction_keywords(self.axes, self.keepdims)

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The direction, times the cotangent."""
        (x,) = operands
        return (spread(cotangent, x.shape, self.axes) * self._direction(x, result),)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The part of the tangent in the direction."""
        (x,), (tangent,) = operands, tangents
        along = None if tangent is None else tangent * self._direction(x, result)
        return None if along is None else apply(Sum(self.axes, self.keepdims), along)

    def _direction(self, x: Node, result: Node) -> Node:
        nonzero = not_equal(result, 0.0)
        length = spread(where(nonzero, result, 1.0), x.shape, self.axes)
        return where(spread(nonzero, x.shape, self.axes), x / length, 0.0)

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """A comparison, a division, a square and an addition for each element."""
        return 4 * int(np.prod(operands[0].static_shape))


def norm_kernel(x: Any, axis: Any, scratch: Any, keepdims: bool = False, out: Any = None) -> Any:
    """The greatest element, times the norm of all in units of it: no square overflows, and not all underflow."""
    scaled, unit, length, is_unit, is_finite = scratch
    np.maximum.reduce(np.absolute(x, out=scaled), axis=axis, keepdims=True, initial=0, out=unit)
    np.logical_and(np.greater(unit, 0, out=is_unit), np.isfinite(unit, out=is_finite), out=is_unit)
    np.copyto(unit, 1, where=np.logical_not(is_unit, out=is_unit))
    np.square(np.divide(x, unit, out=scaled), out=scaled)
    np.sqrt(np.add.reduce(scaled, axis=axis, keepdims=True, out=length), out=length)
    np.multiply(unit, length, out=length)
    if not keepdims:
        length = np.squeeze(length, axis)
    if out is None:
        return length
    np.copyto(out, length)
    return out


@builder
@numpy_options
def norm(x: Operand, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """The length sqrt(sum(x ** 2)) over ``axis``, without over- or underflow; its gradient at 0 is 0.

    Over one axis ``ord`` may also be 1 (the sum of |x|), inf (the greatest |x|) or -inf (the least). Over two axes
    numpy means norms of matrices by these, which there are none of: an ArgumentError, as for any other ``ord``.

    >>> import graphad as ga
    >>> norm(ga.input("x", shape=("batch", 3)), axis=1)
    <norm: float32[batch]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    if ord is None or (len(axes) == 2 and isinstance(ord, str) and ord == "fro"):
        return apply(Norm(axes, keepdims), node)
    if not is_number(ord) or ord not in (1, 2, math.inf, -math.inf):
        raise ArgumentError(f"ord is None, 1, 2, inf or -inf; got {ord!r}")
    if len(axes) != 1:
        raise ArgumentError(f"ord={ord!r} is for one axis: name it, reshape the operand to one axis, or leave ord out")
    if ord == 2:
        return apply(Norm(axes, keepdims), node)
    reduce = {1: sum, math.inf: max, -math.inf: min}[ord]
    return reduce(absolute(node), axes, keepdims)


@builder
@numpy_options
def var(x: Operand, axis: Any = None, keepdims: bool = False, *, ddof: float = 0) -> Node:
    """The sum of the squared deviations from the mean over ``axis``, divided by the number less ``ddof``; a float.

    As in numpy, NaN of nothing, and where the number is not more than ``ddof`` the divisor is 0.

    >>> import graphad as ga
    >>> var(ga.input("x", shape=("batch", 3)), axis=0, ddof=1)
    <divide: float32[3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    return sum(square(_deviations(node, axes)), axes, keepdims) / _freedom(node, axes, ddof)


@builder
@numpy_options
def std(x: Operand, axis: Any = None, keepdims: bool = False, *, ddof: float = 0) -> Node:
    """The square root of the variance over ``axis``; where it is 0, so is the gradient.

    >>> import graphad as ga
    >>> std(ga.input("x", shape=("batch", 3)), axis=0, keepdims=True)
    <divide: float32[1, 3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    return apply(Norm(axes, keepdims), _deviations(node, axes)) / sqrt(_freedom(node, axes, ddof))


def _deviations(x: Node, axes: tuple[int, ...]) -> Node:
    return x - mean(x, axes, keepdims=True)


def _freedom(x: Node, axes: tuple[int, ...], ddof: float) -> Node:
    """The number of elements over the axes, less ``ddof``, but not less than 0."""
    count = size_of(product(x.shape[axis] for axis in axes), x.dtype)
    return maximum(count - float(ddof), 0.0) if ddof else count


@builder
@numpy_options
def average(x: Operand, axis: Any = None, weights: Operand = None, *, keepdims: bool = False) -> Node:
    """sum(weights * x) / sum(weights) over ``axis``; the mean, if there are no weights.

    The weights have the shape of ``x``, or over one axis its size; a ShapeError for others.

    >>> import graphad as ga
    >>> average(ga.input("x", shape=("batch", 3)), axis=1, weights=[1.0, 2.0, 1.0])
    <divide: float32[batch]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    if weights is None:
        return mean(node, axes, keepdims)
    scale = _weights_of(node, axes, as_float(weights))
    return sum(node * scale, axes, keepdims) / sum(scale, axes, keepdims)


def _weights_of(x: Node, axes: tuple[int, ...], weights: Node) -> Node:
    if weights.shape == x.shape:
        return weights
    if len(axes) != 1 or weights.shape != (x.shape[axes[0]],):
        raise ShapeError(f"weights {weights.type} need the shape of the operand, or the size of the one axis")
    return spread(weights, x.shape, tuple(axis for axis in range(x.ndim) if axis != axes[0]))


@builder
@numpy_options
def median(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The middle of the sorted elements over ``axis``, or the mean of the two in the middle; with a NaN, NaN; a float.

    The elements in the middle share the gradient. A ShapeError for an empty axis.

    >>> import graphad as ga
    >>> median(ga.input("x", shape=("batch", 3)), axis=0)
    <reshape: float32[3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    ordered = sort(_merged(node, axes))
    if ordered.shape[-1] == 0:
        raise ShapeError("the median of no elements has no value")
    last = size_of(ordered.shape[-1], INT64) - 1
    low, high, greatest = (_at(ordered, place) for place in (last // 2, (last + 1) // 2, last))
    middle = where(isnan(greatest), greatest, 0.5 * (low + high))
    return reshape(middle, reduced_shape(node.shape, axes, keepdims))


def _merged(x: Node, axes: tuple[int, ...]) -> Node:
    """The operand with all of the axes merged into the last."""
    others = tuple(axis for axis in range(x.ndim) if axis not in axes)
    size = product(x.shape[axis] for axis in axes)
    return reshape(transpose(x, (*others, *axes)), (*(x.shape[axis] for axis in others), size))


def _at(x: Node, place: Node) -> Node:
    """What stands at a place of the last axis, which stays with size 1."""
    return take_along_axis(x, broadcast(place, (*x.shape[:-1], 1)), axis=-1)


@builder
@numpy_options
def nansum(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The sum over ``axis`` of what is not NaN; a NaN gets the gradient 0.

    >>> import graphad as ga
    >>> nansum(ga.input("x", shape=("batch", 3)), axis=0)
    <sum: float32[3]>
    """
    node = as_node(x)
    axes = normalize_axes(axis, node.ndim)
    return sum(where(isnan(node), 0.0, node) if node.type.is_float else node, axes, keepdims)


@builder
@numpy_options
def nanmean(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """The mean over ``axis`` of what is not NaN; of nothing, NaN.

    >>> import graphad as ga
    >>> nanmean(ga.input("x", shape=("batch", 3)), axis=0)
    <divide: float32[3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    return nansum(node, axes, keepdims) / sum(logical_not(isnan(node)), axes, keepdims)
