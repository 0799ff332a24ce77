"""Shapes by convenience: what numpy's users know by name, built from the operations of structure and slicing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Dim, Dimension, dimension_of, exact_quotient, product, shape_of
from graphad.ops.build import (
    Operand,
    as_node,
    broadcast,
    cast,
    normalize_axis,
    unify,
)
from graphad.ops.slicing import Concatenate, Stack
from graphad.ops.structure import Reshape, Transpose


@builder
def reshape(x: Operand, shape: Any) -> Node:
    """The same elements, in order, in another shape; one size may be -1, which stands for whatever is left.

    >>> import graphad as ga
    >>> reshape(ga.input("x", shape=("batch", 28, 28)), (-1, 784))
    <reshape: float32[batch, 784]>
    """
    node = as_node(x)
    sizes = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    open_axes = [i for i, size in enumerate(sizes) if not isinstance(size, (str, Dim)) and size == -1]
    known: list[Dimension] = [1 if i in open_axes else dimension_of(size) for i, size in enumerate(sizes)]
    if len(open_axes) > 1:
        raise ShapeError("only one size may be -1")
    if open_axes:
        known[open_axes[0]] = exact_quotient(node.type.size, product(known))
    return node if tuple(known) == node.shape else apply(Reshape(tuple(known)), node)


@builder
def transpose(x: Operand, axes: Sequence[int] | None = None) -> Node:
    """The axes in another order; reversed, if ``axes`` is None."""
    node = as_node(x)
    order = tuple(reversed(range(node.ndim))) if axes is None else tuple(normalize_axis(a, node.ndim) for a in axes)
    return apply(Transpose(order), node)


@builder
def expand_dims(x: Operand, axis: int) -> Node:
    """A new axis of size 1 at ``axis`` of the result."""
    node = as_node(x)
    place = normalize_axis(axis, node.ndim + 1)
    return apply(Reshape((*node.shape[:place], 1, *node.shape[place:])), node)


@builder
def squeeze(x: Operand, axis: int) -> Node:
    """Without ``axis``, whose size must be 1."""
    node = as_node(x)
    place = normalize_axis(axis, node.ndim)
    if node.shape[place] != 1:
        raise ShapeError(f"the axis has size {node.shape[place]}, not 1")
    return apply(Reshape((*node.shape[:place], *node.shape[place + 1 :])), node)


@builder
def broadcast_to(x: Operand, shape: Any) -> Node:
    """``x`` repeated along new leading axes and axes of size 1 to ``shape``."""
    return broadcast(as_node(x), shape_of(shape))


@builder
def concatenate(parts: Sequence[Operand], axis: int = 0) -> Node:
    """The parts one after the other along an axis they have; they must agree in every other axis."""
    nodes = _unified(parts)
    return apply(Concatenate(normalize_axis(axis, nodes[0].ndim)), *nodes)


@builder
def stack(parts: Sequence[Operand], axis: int = 0) -> Node:
    """The parts, all of one shape, along a new axis."""
    nodes = _unified(parts)
    return apply(Stack(normalize_axis(axis, nodes[0].ndim + 1)), *nodes)


def _unified(parts: Sequence[Operand]) -> list[Node]:
    nodes = unify(parts)
    if not nodes:
        raise ShapeError("there is nothing to join: give at least one part")
    return nodes


@builder
def zeros_like(x: Operand) -> Node:
    """Zeros of the operand's shape and dtype."""
    node = as_node(x)
    return broadcast(cast(0, node.dtype), node.shape)
