"""Sequences of different lengths: a mask says for each sequence which steps count.

A mask is bool, the axes of the batch and then time, (batch, time); without a batch, (time,), it holds for all alike.
Lengths are a mask from a comparison. Nothing is multiplied by it: a choice lets neither NaN nor infinity through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir import nest
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import BOOL, INT64, Shape
from graphad.ops.build import as_node, broadcast, cast, constant, normalize_axis
from graphad.ops.selection import where
from graphad.ops.shaping import expand_dims, reshape, transpose, zeros_like
from graphad.ops.slicing import Slice, full_index


def mask_of(lengths: Any, mask: Any, count: int) -> Node | None:
    """Which steps count, as bool, time last; None if all do."""
    if lengths is not None and mask is not None:
        raise ArgumentError("lengths and mask both say which steps count: give one of them")
    if lengths is not None:
        node = as_node(lengths)
        if node.dtype.kind not in "iu":
            raise DTypeError(f"lengths are integers, one for each sequence; got {node!r}")
        return expand_dims(cast(node, INT64), -1) > constant(np.arange(count))
    if mask is None:
        return None
    node = as_node(mask)
    if node.dtype != BOOL:
        raise DTypeError(f"a mask is bool, true where a step counts; got {node!r}: compare it with something")
    if not node.ndim or node.shape[-1] != count:
        raise ShapeError(f"a mask is (batch, time) or (time,), of {count} steps here; got {node!r}")
    return node


def blanked_if_own(mask: Node, leaf: Node | None, axis: int) -> Node | None:
    """0 wherever a step does not count; an input that all sequences share stays as it is."""
    if leaf is None:
        return None
    place, batch = normalize_axis(axis, leaf.ndim), mask.shape[:-1]
    return blanked(mask, leaf, axis) if without(leaf.shape, place)[: len(batch)] == batch else leaf


def blanked(mask: Node, leaf: Node | None, axis: int) -> Node | None:
    """0 wherever a step does not count, in what holds all steps."""
    if leaf is None:
        return None
    place, ndim = normalize_axis(axis, leaf.ndim), mask.ndim - 1
    before = min(place, ndim)
    counts = transpose(mask, (*range(before), ndim, *range(before, ndim)))
    sizes = list(_aligned(mask.shape[:-1], without(leaf.shape, place)))
    sizes.insert(place, mask.shape[-1])
    return where(broadcast(reshape(counts, sizes), leaf.shape), leaf, zeros_like(leaf))


def without(shape: Shape, place: int) -> Shape:
    """The shape without one axis."""
    return shape[:place] + shape[place + 1 :]


def kept(mask: Node, step: int, before: Any, after: Any) -> Any:
    """The carry as it was, for the sequences to which a step does not count."""
    counts = apply(Slice((*full_index(mask.shape[:-1]), step)), mask)

    def choose(new: Node, old: Node) -> Node:
        return where(broadcast(reshape(counts, _aligned(counts.shape, new.shape)), new.shape), new, old)

    return nest.mapped(choose, after, before)


def _aligned(batch: Shape, shape: Shape) -> Shape:
    """The sizes of the batch, and then 1s, up to the number of axes of a shape that begins with them."""
    if shape[: len(batch)] != batch:
        raise ShapeError(f"a carry or an output of shape {shape} does not begin with the batch {batch} of the mask")
    return (*batch, *(1,) * (len(shape) - len(batch)))
