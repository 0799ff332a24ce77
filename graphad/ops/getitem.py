"""What ``x[...]`` means: numpy's indexing, as nodes.

Integers, slices, None and ``...`` are one `Slice`, a view. Arrays of integers or truth values, and nodes, are one
`Take`: several of them are first turned into one index of the flattened axes that they name. As in numpy the axes of
the indices stand where the indexed axes stood, if these are neighbours, and in front if not.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from graphad.errors import DTypeError, IndexRangeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Array
from graphad.ir.tensor_type import Dim, Dimension, product
from graphad.ops.build import broadcast_together, constant
from graphad.ops.gather import RavelMultiIndex, Take
from graphad.ops.indexing import as_indices, known_indices
from graphad.ops.slicing import Slice, Span, full_index, reversed_span
from graphad.ops.structure import Reshape, Transpose


class Last(NamedTuple):
    """The place ``back`` places before the end of an axis whose size has a name; it drops the axis."""

    back: int


Part: TypeAlias = int | Span | Last | Node | None
"""What an index does with an axis: takes one place, keeps a span, reads at indices; None is a new axis."""


@builder
def getitem(x: Node, index: Any) -> Node:
    """numpy's indexing: integers, slices, None, ``...``, arrays of integers or truth values, and nodes of integers.

    What is known now is checked now, and may count from the end; the values of nodes are checked at the call, and may
    not. An index out of range is an IndexRangeError, but slices are cut to the axis. Of an axis with a named size that
    size is not known: ``[a:b]`` is not cut there but must fit, and a step must be 1 or reverse the whole axis.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=("batch", 28, 14)), ga.input("i", shape=("batch",), dtype="int64")
    >>> x[:, 3, ::2]
    <slice: float32[batch, 7]>
    >>> x[:, [3, -1], 0], x[:, i]
    (<take: float32[batch, 2]>, <take: float32[batch, batch, 14]>)
    """
    axes = iter(enumerate(x.shape))
    found: list[Part | EllipsisType] = []
    for item in _expanded(list(index) if isinstance(index, tuple) else [index], x.ndim):
        count = _axes_of(item)
        found += _parts(item, [next(axes) for _ in range(count)]) if count else [item]
    parts = [part for part in found if not isinstance(part, EllipsisType)]
    return _taken(_with_new_axes(_sliced(x, parts), parts), parts, _axes_before(found))


def _expanded(items: list[Any], ndim: int) -> list[Any]:
    """The items, sequences made arrays and arrays without axes numbers, and full slices behind the Ellipsis."""
    items = [known_indices(item) if isinstance(item, (list, tuple)) else item for item in items]
    items = [item[()] if isinstance(item, np.ndarray) and item.ndim == 0 else item for item in items]
    dots = [place for place, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise ShapeError("an index may hold one Ellipsis only")
    taken = sum(_axes_of(item) for item in items)
    if taken > ndim:
        raise ShapeError(f"{taken} indices for {ndim} axes")
    at = dots[0] + 1 if dots else len(items)
    return [*items[:at], *[slice(None)] * (ndim - taken), *items[at:]]


def _axes_of(item: Any) -> int:
    """How many axes an item indexes: a mask those that it has, None and the Ellipsis no axis, all others one."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if _is_mask(item) else 1


def _is_mask(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.kind == "b"


def _parts(item: Any, axes: Sequence[tuple[int, Dimension]]) -> Sequence[Part]:
    """What an item does with the axes that it indexes."""
    axis, size = axes[0]
    if isinstance(item, slice):
        return [_span(item, axis, size)]
    if is_integer(item):
        return [_place(int(item), axis, size)]
    if _is_mask(item):
        return _chosen(item, axes)
    if isinstance(item, (np.ndarray, Node, Dim)):
        return [as_indices(item, size)]
    raise DTypeError(f"{item!r} is no index: use integers, slices, None, ..., arrays of integers or bool, or nodes")


def _place(place: int, axis: int, size: Dimension) -> int | Last:
    if not isinstance(size, int):
        return place if place >= 0 else Last(-place)
    if not -size <= place < size:
        raise IndexRangeError(f"index {place} is out of range for axis {axis} of size {size}")
    return place % size


def _chosen(mask: Array, axes: Sequence[tuple[int, Dimension]]) -> Sequence[Part]:
    """The places where a mask holds, one index for each of its axes."""
    sizes = tuple(size for _, size in axes)
    if mask.shape != sizes:
        raise ShapeError(f"a mask of shape {mask.shape} for axes of shape {sizes}: they must be the same")
    return [constant(places) for places in mask.nonzero()]


def _span(part: slice, axis: int, size: Dimension) -> Span:
    ends = (part.start, part.stop, part.step)
    if any(isinstance(end, (Node, Dim)) for end in ends):
        raise DTypeError(f"{part} has an end that is known at the call only: use ga.dynamic_slice")
    if not all(end is None or is_integer(end) for end in ends):
        raise DTypeError(f"{part} is no index: the ends of a slice are integers")
    if part.step == 0:
        raise ShapeError(f"{part} of axis {axis} has a step of 0")
    start, stop, step = (None if end is None else int(end) for end in ends)
    if not isinstance(size, int):
        return _span_of_named(slice(start, stop, step), axis, size)
    places = range(*slice(start, stop, step).indices(size))
    return Span(places[0] if places else 0, len(places), places.step if len(places) > 1 else 1)


def _span_of_named(part: slice, axis: int, size: Dim) -> Span:
    if part == slice(None, None, -1):
        return reversed_span(size)
    if part.step not in (None, 1):
        raise ShapeError(f"{part} of axis {axis} has a step, so it needs an integer size, which {size} is not")
    start, end = (_end(place, size) for place in (part.start or 0, part.stop))
    length = end - start
    return Span(start, max(length, 0) if isinstance(length, int) else length)


def _end(place: int | None, size: Dim) -> Dimension:
    if place is None:
        return size
    return size + place if place < 0 else place


def _sliced(x: Node, parts: Sequence[Part]) -> Node:
    """The places and spans taken, and of axes with indices everything."""
    axes = zip(x.shape, [part for part in parts if part is not None], strict=True)
    index = tuple(_slice_part(part, size) for size, part in axes)
    is_whole = index == full_index(x.shape) and any(isinstance(part, Node) for part in parts)
    return x if is_whole else apply(Slice(index), x)


def _slice_part(part: Part, size: Dimension) -> int | Span:
    if isinstance(part, Last):
        return Span(size - part.back, 1)
    return part if isinstance(part, (int, Span)) else Span(0, size)


def _with_new_axes(x: Node, parts: Sequence[Part]) -> Node:
    """New axes where None stands, and without those of which the last places were taken."""
    if not any(part is None or isinstance(part, Last) for part in parts):
        return x
    sizes = iter(x.shape)
    found = [1 if part is None else next(sizes) for part in parts if not isinstance(part, int)]
    kept = [part for part in parts if not isinstance(part, int)]
    shape = (size for part, size in zip(kept, found, strict=True) if not isinstance(part, Last))
    return apply(Reshape(tuple(shape)), x)


def _taken(x: Node, parts: Sequence[Part], front: int) -> Node:
    """What the indices read, behind ``front`` axes, of an array with an axis for every part but single places."""
    kept = [part for part in parts if not isinstance(part, (int, Last))]
    indices = [part for part in kept if isinstance(part, Node)]
    if not indices:
        return x
    count = len(indices)
    others = [axis for axis, part in enumerate(kept) if not isinstance(part, Node)]
    indexed = [axis for axis, part in enumerate(kept) if isinstance(part, Node)]
    order = (*others[:front], *indexed, *others[front:])
    moved = x if order == tuple(range(x.ndim)) else apply(Transpose(order), x)
    before, sizes, behind = moved.shape[:front], moved.shape[front : front + count], moved.shape[front + count :]
    if count == 1:
        return apply(Take(front), moved, *indices)
    flat = apply(RavelMultiIndex(sizes), *broadcast_together(indices))
    return apply(Take(front), apply(Reshape((*before, product(sizes), *behind)), moved), flat)


def _axes_before(parts: Sequence[Part | EllipsisType]) -> int:
    """How many axes of the result stand before those of the indices.

    As in numpy single places count as indices, and the Ellipsis parts neighbours even if it stands for no axis.
    """
    numbers = [number for number, part in enumerate(parts) if isinstance(part, (int, Last, Node))]
    if not numbers or numbers[-1] - numbers[0] + 1 > len(numbers):
        return 0
    return sum(not isinstance(part, EllipsisType) for part in parts[: numbers[0]])
