"""Sorting. There is one operation, the order of the places; what is sorted is taken in that order.

So the gradient of a sort is that of taking elements: each goes back to the place that it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import INT64, TensorType
from graphad.ops.build import Operand, unify
from graphad.ops.indexing import take_along_axis
from graphad.ops.options import numpy_options
from graphad.ops.scan import along
from graphad.ops.slicing import Slice, Span, full_index

Side = Literal["left", "right"]


@dataclass(frozen=True)
class ArgSort(Op):
    """The places of the elements along ``axis``, the least first, or the greatest; equal ones in the order they have.

    NaN counts as the greatest.
    """

    axis: int
    descending: bool = False
    name = "argsort"
    latex = r"\mathrm{argsort}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's shape, int64."""
        return TensorType(operands[0].shape, INT64)

    def stacked(self, steps: int) -> Op:
        return ArgSort(self.axis + 1, self.descending)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.argsort, stable. numpy has none that writes into given memory: a call allocates the places."""
        return argsort_kernel, {"axis": self.axis, "descending": self.descending}

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """A comparison for each element and each halving of its line."""
        return super().flops(result, *operands) * result.static_shape[self.axis].bit_length()


def argsort_kernel(x: Any, axis: int, descending: bool, out: Any = None) -> Any:
    """np.argsort, stable; the descending order is the mirror image of the ascending order of the mirror image."""
    order = np.argsort(np.flip(x, axis) if descending else x, axis=axis, kind="stable")
    if descending:
        order = np.flip(np.subtract(x.shape[axis] - 1, order, out=order), axis)
    if out is None:
        return order
    np.copyto(out, order)
    return out


@dataclass(frozen=True)
class SearchSorted(Op):
    """For each value, how many elements of a sorted line are less (``left``), or not greater (``right``)."""

    side: Side = "left"
    name = "searchsorted"
    latex = r"\mathrm{search}"

    def infer(self, *operands: TensorType) -> TensorType:
        """A line, and values of its dtype; the values' shape, int64."""
        line, values = operands
        if line.ndim != 1:
            raise ShapeError(f"values are searched in an operand of one axis, not of {line.ndim}")
        if line.dtype != values.dtype:
            raise DTypeError("the operands must have one dtype: cast them first")
        return TensorType(values.shape, INT64)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.searchsorted. numpy has none that writes into given memory: a call allocates the places."""
        return searchsorted_kernel, {"side": self.side}

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """A comparison for each value and each halving of the line."""
        return super().flops(result, *operands) * operands[0].static_shape[0].bit_length()


def searchsorted_kernel(line: Any, values: Any, side: Any, out: Any = None) -> Any:
    """np.searchsorted, into ``out`` if it is given."""
    places = np.asarray(np.searchsorted(line, values, side))
    if out is None:
        return places
    np.copyto(out, places)
    return out


@builder
@numpy_options
def argsort(x: Operand, axis: int | None = -1, *, descending: bool = False) -> Node:
    """The places, int64, at which ``x`` is sorted along ``axis`` (None: flattened); stable, NaN last (first, if down).

    It carries no gradient. A ShapeError for an axis that ``x`` does not have.

    >>> import graphad as ga
    >>> argsort(ga.input("x", shape=("batch", 10)))
    <argsort: int64[batch, 10]>
    """
    node, place = along(x, axis)
    return apply(ArgSort(place, descending), node)


@builder
@numpy_options
def sort(x: Operand, axis: int | None = -1, *, descending: bool = False) -> Node:
    """``x`` sorted along ``axis`` (None: flattened), stable; each element's cotangent goes back to its place.

    >>> import graphad as ga
    >>> sort(ga.input("x", shape=("batch", 10)), axis=0)
    <take_along_axis: float32[batch, 10]>
    """
    node, place = along(x, axis)
    return take_along_axis(node, argsort(node, place, descending=descending), place)


@builder
def topk(x: Operand, k: int, axis: int = -1) -> tuple[Node, Node]:
    """The ``k`` greatest elements along ``axis``, the greatest first, and their places, int64; of equal ones the first.

    NaN counts as the greatest. ArgumentError unless ``k`` is an integer >= 0; ShapeError if the axis is shorter.

    >>> import graphad as ga
    >>> topk(ga.input("x", shape=("batch", 10)), 3)
    (<take_along_axis: float32[batch, 3]>, <slice: int64[batch, 3]>)
    """
    if not is_integer(k) or k < 0:
        raise ArgumentError(f"k is an integer >= 0; got {k!r}")
    node, place = along(x, axis)
    size = node.shape[place]
    if isinstance(size, int) and size < k:
        raise ShapeError(f"there are no {k} greatest of {size} elements along axis {place}")
    every = full_index(node.shape)
    index = (*every[:place], Span(0, int(k)), *every[place + 1 :])
    places = apply(Slice(index), argsort(node, place, descending=True))
    return take_along_axis(node, places, place), places


@builder
@numpy_options
def searchsorted(a: Operand, v: Operand, side: Side = "left") -> Node:
    """Where the values ``v`` would be put into the sorted line ``a``, before its equals ("left") or behind, int64.

    It carries no gradient. ShapeError unless ``a`` has one axis; ArgumentError for any other ``side``.

    >>> import graphad as ga
    >>> searchsorted([0.0, 1.0, 2.0], ga.input("x", shape=("batch",)))
    <searchsorted: int64[batch]>
    """
    if side not in get_args(Side):
        raise ArgumentError(f'side is "left" or "right"; got {side!r}')
    return apply(SearchSorted(side), *unify((a, v)))
