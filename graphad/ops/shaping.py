"""Shapes by convenience: what numpy's users know by name, built from the operations of structure and slicing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Dimension, dimension_of, dtype_of, exact_quotient, product, shape_of
from graphad.ops.build import (
    Operand,
    as_node,
    axes_in_order,
    broadcast,
    broadcast_together,
    cast,
    normalize_axes,
    normalize_axis,
    unify,
)
from graphad.ops.slicing import Concatenate, Stack
from graphad.ops.structure import Copy, Reshape, Transpose


@builder
def reshape(x: Operand, shape: Any) -> Node:
    """The same elements, in order, in another shape; one size may be -1, which stands for whatever is left.

    A ShapeError if the number of elements is another, or if what is left is no whole number or could be any.

    >>> import graphad as ga
    >>> reshape(ga.input("x", shape=("batch", 28, 28)), (-1, 784))
    <reshape: float32[batch, 784]>
    """
    node = as_node(x)
    sizes = list(shape) if isinstance(shape, (tuple, list, np.ndarray)) else [shape]
    open_axes = [i for i, size in enumerate(sizes) if isinstance(size, (int, np.integer)) and size == -1]
    known: list[Dimension] = [1 if i in open_axes else dimension_of(size) for i, size in enumerate(sizes)]
    if len(open_axes) > 1:
        raise ShapeError("only one size may be -1")
    if open_axes:
        known[open_axes[0]] = exact_quotient(node.type.size, product(known))
    return node if tuple(known) == node.shape else apply(Reshape(tuple(known)), node)


@builder
def ravel(x: Operand) -> Node:
    """The elements, in order, along one axis."""
    return reshape(x, -1)


@builder
def transpose(x: Operand, axes: Sequence[int] | None = None) -> Node:
    """The axes in another order; reversed, if ``axes`` is None."""
    node = as_node(x)
    order = tuple(reversed(range(node.ndim))) if axes is None else axes_in_order(axes, node.ndim)
    return apply(Transpose(order), node)


@builder
def swapaxes(x: Operand, axis1: int, axis2: int) -> Node:
    """Two axes exchanged.

    >>> import graphad as ga
    >>> swapaxes(ga.input("x", shape=("batch", 28, 14)), 0, -1)
    <transpose: float32[14, 28, batch]>
    """
    node = as_node(x)
    first, second = normalize_axis(axis1, node.ndim), normalize_axis(axis2, node.ndim)
    order = list(range(node.ndim))
    order[first], order[second] = second, first
    return apply(Transpose(tuple(order)), node)


@builder
def moveaxis(x: Operand, source: Any, destination: Any) -> Node:
    """The axis ``source`` (or axes) moved to ``destination``; the others stay in order.

    >>> import graphad as ga
    >>> moveaxis(ga.input("x", shape=("batch", 28, 14)), 1, 0)
    <transpose: float32[28, batch, 14]>
    """
    node = as_node(x)
    moved, places = (axes_in_order(axes, node.ndim) for axes in (source, destination))
    if len(moved) != len(places):
        raise ShapeError(f"{len(moved)} axes cannot move to {len(places)} places: give one for each")
    order = [axis for axis in range(node.ndim) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return apply(Transpose(tuple(order)), node)


@builder
def expand_dims(x: Operand, axis: Any) -> Node:
    """New axes of size 1 at ``axis``, one place or several in the result."""
    node = as_node(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = normalize_axes((axis,) if axis is None else axis, node.ndim + count)
    sizes = iter(node.shape)
    return apply(Reshape(tuple(1 if i in places else next(sizes) for i in range(node.ndim + count))), node)


@builder
def squeeze(x: Operand, axis: Any = None) -> Node:
    """Without ``axis``, one or several, whose sizes must be 1; None: without any axis of size 1.

    A named size is not 1, whatever it turns out to be.
    """
    node = as_node(x)
    if axis is None:
        places = tuple(place for place, size in enumerate(node.shape) if size == 1)
    else:
        places = normalize_axes(axis, node.ndim)
    for place in places:
        if node.shape[place] != 1:
            raise ShapeError(f"axis {place} has size {node.shape[place]}, not 1")
    return apply(Reshape(tuple(size for place, size in enumerate(node.shape) if place not in places)), node)


@builder
def broadcast_to(x: Operand, shape: Any) -> Node:
    """``x`` repeated along new leading axes and axes of size 1 to ``shape``."""
    return broadcast(as_node(x), shape_of(shape))


@builder
def broadcast_arrays(*operands: Operand) -> tuple[Node, ...]:
    """The operands, each repeated to the shape that all of them broadcast to."""
    nodes = [as_node(operand) for operand in operands]
    return tuple(broadcast_together(nodes)) if nodes else ()


@builder
def copy(x: Operand) -> Node:
    """The same values in memory of their own."""
    return apply(Copy(), as_node(x))


@builder
def atleast_1d(*operands: Operand) -> Node | tuple[Node, ...]:
    """Each operand with at least one axis: a number becomes an array of one element. A tuple for several operands."""
    return _each(operands, 1)


@builder
def atleast_2d(*operands: Operand) -> Node | tuple[Node, ...]:
    """Each operand with at least two axes, new ones in front. A tuple for several operands."""
    return _each(operands, 2)


def _each(operands: Sequence[Operand], ndim: int) -> Node | tuple[Node, ...]:
    found = tuple(with_leading_axes(as_node(operand), ndim) for operand in operands)
    return found[0] if len(found) == 1 else found


def with_leading_axes(x: Node, ndim: int) -> Node:
    """``x`` with axes of size 1 in front, up to ``ndim`` axes."""
    return x if x.ndim >= ndim else apply(Reshape((*(1,) * (ndim - x.ndim), *x.shape)), x)


@builder
def concatenate(parts: Sequence[Operand], axis: int | None = 0) -> Node:
    """The parts one after the other along an axis they have; they must agree in every other axis.

    With ``axis=None`` the flattened parts.
    """
    nodes = unified(parts)
    if axis is None:
        nodes, axis = [reshape(node, -1) for node in nodes], 0
    return apply(Concatenate(normalize_axis(axis, nodes[0].ndim)), *nodes)


@builder
def stack(parts: Sequence[Operand], axis: int = 0) -> Node:
    """The parts, all of one shape, along a new axis."""
    nodes = unified(parts)
    return apply(Stack(normalize_axis(axis, nodes[0].ndim + 1)), *nodes)


def unified(parts: Sequence[Operand]) -> list[Node]:
    """The parts as nodes of one dtype; a ShapeError if there are none."""
    nodes = unify(parts)
    if not nodes:
        raise ShapeError("there is nothing to join: give at least one part")
    return nodes


@builder
def zeros_like(x: Operand, dtype: Any = None) -> Node:
    """Zeros of the operand's shape, and of its dtype unless another is given."""
    node = as_node(x)
    return broadcast(cast(0, node.dtype if dtype is None else dtype_of(dtype)), node.shape)
