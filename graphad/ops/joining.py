"""Arrays side by side and apart again, by numpy's names: what stands on `Concatenate`, `Stack` and `Slice`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Dimension, exact_quotient, shape_of
from graphad.ops.build import Operand, as_node, normalize_axis
from graphad.ops.shaping import unified, with_leading_axes
from graphad.ops.slicing import Concatenate, Slice, Span, full_index
from graphad.ops.structure import Reshape

_MOST_PARTS = 1_000_000
"""More nodes than this no graph has."""


@builder
def vstack(parts: Sequence[Operand]) -> Node:
    """The parts below each other, along the first axis; vectors are rows.

    >>> import graphad as ga
    >>> vstack([ga.input("x", shape=(3,)), ga.input("y", shape=("batch", 3))])
    <concatenate: float32[batch + 1, 3]>
    """
    return apply(Concatenate(0), *(with_leading_axes(part, 2) for part in unified(parts)))


@builder
def hstack(parts: Sequence[Operand]) -> Node:
    """The parts beside each other: along the second axis, vectors along their only one."""
    nodes = [with_leading_axes(part, 1) for part in unified(parts)]
    return apply(Concatenate(0 if nodes[0].ndim == 1 else 1), *nodes)


@builder
def dstack(parts: Sequence[Operand]) -> Node:
    """The parts behind each other, along the third axis; vectors are rows, and what has two axes gets a third."""
    rows = [with_leading_axes(part, 2) for part in unified(parts)]
    return apply(Concatenate(2), *(_with_third_axis(row) for row in rows))


def _with_third_axis(x: Node) -> Node:
    return x if x.ndim > 2 else apply(Reshape((*x.shape, 1)), x)


@builder
def column_stack(parts: Sequence[Operand]) -> Node:
    """The parts beside each other, along the second axis; vectors are columns.

    >>> import graphad as ga
    >>> column_stack([ga.input("x", shape=("batch",)), ga.input("y", shape=("batch", 3))])
    <concatenate: float32[batch, 4]>
    """
    return apply(Concatenate(1), *(_as_column(part) for part in unified(parts)))


def _as_column(x: Node) -> Node:
    return x if x.ndim > 1 else apply(Reshape((*(x.shape or (1,)), 1)), x)


@builder
def split(x: Operand, indices_or_sections: Any = None, axis: int = 0, *, sizes: Any = None) -> list[Node]:
    """The parts of ``x`` along ``axis``, in order; views.

    An integer: that many parts of equal size, a ShapeError if there are none. A sequence of integers: the places at
    which a part ends and the next begins, as in slices. Or ``sizes``, one for each part, which add up to the axis.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 12))
    >>> split(x, 3, axis=1)
    [<slice: float32[batch, 4]>, <slice: float32[batch, 4]>, <slice: float32[batch, 4]>]
    >>> split(x, sizes=(2, 10), axis=1)
    [<slice: float32[batch, 2]>, <slice: float32[batch, 10]>]
    """
    node = as_node(x)
    place = normalize_axis(axis, node.ndim)
    if (indices_or_sections is None) == (sizes is None):
        raise ArgumentError("a split is told by indices_or_sections or by sizes: give one of them")
    if sizes is not None:
        return _of_sizes(node, shape_of(sizes), place)
    if isinstance(indices_or_sections, (tuple, list, np.ndarray)):
        return _at_places(node, indices_or_sections, place)
    count = _positive(indices_or_sections)
    return _of_sizes(node, (exact_quotient(node.shape[place], count),) * count, place)


@builder
def array_split(x: Operand, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """`split`, into parts of sizes that differ by one at most: the first ones are the longer."""
    node = as_node(x)
    place = normalize_axis(axis, node.ndim)
    if isinstance(indices_or_sections, (tuple, list, np.ndarray)):
        return _at_places(node, indices_or_sections, place)
    size, count = node.shape[place], _positive(indices_or_sections)
    if not isinstance(size, int):
        raise ShapeError(f"parts of axis {place} need its size, which is {size}: declare it, or split into equal parts")
    return _of_sizes(node, [(size + i) // count for i in reversed(range(count))], place)


def _positive(count: Any) -> int:
    if not is_integer(count):
        raise DTypeError(f"a number of parts is an integer; got {count!r}")
    if count < 1:
        raise ShapeError(f"an array is split into one part at least, not {count}")
    if count > _MOST_PARTS:
        raise ShapeError(f"each part is a node, and {count} are too many: split into {_MOST_PARTS} at most")
    return int(count)


def _of_sizes(x: Node, sizes: Sequence[Dimension], axis: int) -> list[Node]:
    starts: list[Dimension] = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    if starts[-1] != x.shape[axis]:
        raise ShapeError(f"the sizes {tuple(sizes)} add up to {starts[-1]}, not to {x.shape[axis]} as axis {axis} has")
    return [_part(x, Span(start, size), axis) for start, size in zip(starts, sizes, strict=False)]


def _part(x: Node, span: Span, axis: int) -> Node:
    index = full_index(x.shape)
    return apply(Slice((*index[:axis], span, *index[axis + 1 :])), x)


def _at_places(x: Node, places: Any, axis: int) -> list[Node]:
    if any(not is_integer(place) for place in places):
        raise DTypeError(f"the places of a split are integers; got {places!r}")
    before = (slice(None),) * axis
    return [x[(*before, slice(start, end))] for start, end in pairwise([0, *places, None])]


@builder
def unstack(x: Operand, axis: int = 0) -> tuple[Node, ...]:
    """The elements along ``axis``, whose size must be an integer, each without that axis: views. Undoes `stack`.

    >>> import graphad as ga
    >>> unstack(ga.input("x", shape=("batch", 2)), axis=1)
    (<slice: float32[batch]>, <slice: float32[batch]>)
    """
    node = as_node(x)
    place = normalize_axis(axis, node.ndim)
    size, index = node.shape[place], full_index(node.shape)
    if not isinstance(size, int):
        raise ShapeError(f"how many elements there are must be known; axis {place} has size {size}: declare it")
    return tuple(apply(Slice((*index[:place], i, *index[place + 1 :])), node) for i in range(size))
