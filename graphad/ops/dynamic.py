"""Windows whose size is known and whose place is not: reading one out of an array, and writing one into it.

The place is one integer for each axis, known when the graph runs. Each of the two operations is made of the other's
adjoint. A window that reaches out of the array is an error: it is neither moved nor cut.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import IndexRangeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import INT64, Dimension, Shape, TensorType, shape_of
from graphad.ops.build import Operand, as_node, cast, constant, unify
from graphad.ops.indexing import Indexed, check_integers
from graphad.ops.slicing import Stack
from graphad.ops.structure import zeros


def check_starts(x: Shape, starts: TensorType, window: Shape) -> None:
    """An error unless ``starts`` holds a place in ``x`` for each axis of the window, behind the axes of the batch."""
    check_integers(starts)
    batch = starts.ndim - 1
    if batch < 0 or x[:batch] != starts.shape[:-1] or starts.shape[-1] != len(x) - batch:
        raise ShapeError(f"starts of type {starts} do not name a place in an array of shape {x}")
    if len(window) != len(x) - batch:
        raise ShapeError(f"a window of shape {window} in an array of shape {x}: one size for each axis is needed")
    for size, whole in zip(window, x[batch:], strict=True):
        room = whole - size
        if isinstance(room, int) and room < 0:
            raise ShapeError(f"a window of shape {window} is larger than the array, whose shape is {x[batch:]}")


@dataclass(frozen=True)
class DynamicSlice(Indexed):
    """The window of ``sizes`` that begins at the last operand's places: one for each axis, the axes of a batch before.

    result[b..., i, j, ...] = x[b..., starts[b..., 0] + i, starts[b..., 1] + j, ...].
    """

    sizes: Shape
    name = "dynamic_slice"
    latex = r"\mathrm{slice}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The sizes, behind the axes of the batch."""
        x, starts = operands
        check_starts(x.shape, starts, self.sizes)
        return TensorType((*starts.shape[:-1], *self.sizes), x.dtype)

    def stacked(self, steps: int) -> Op:
        return self

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Anything: slices of it are read."""
        return True

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A slice, copied."""
        return dynamic_slice_kernel, {"sizes": self.sizes}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent in its place, in zeros."""
        x, starts = operands
        return (apply(DynamicUpdateSlice(), zeros(x.type), cotangent, starts),)


def window_at(starts: Array, sizes: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    """The window as slices; an IndexError if it reaches out of the shape."""
    places = starts.tolist()
    for axis, start in enumerate(places):
        if not 0 <= start <= shape[axis] - sizes[axis]:
            raise IndexError(f"a window of {sizes[axis]} from {start} reaches out of axis {axis} of size {shape[axis]}")
    return tuple([slice(start, start + size) for start, size in zip(places, sizes, strict=True)])


def dynamic_slice_kernel(x: Any, starts: Any, sizes: Any, out: Any = None) -> Any:
    """The window of each element of the batch."""
    batch = starts.shape[:-1]
    if out is None:
        out = np.empty((*batch, *sizes), x.dtype)
    for each in np.ndindex(*batch):
        window = window_at(starts[each], sizes, x.shape[len(batch) :])
        out[(*each, ...)] = x[(*each, ...)][window]
    return out


@dataclass(frozen=True)
class DynamicUpdateSlice(Indexed):
    """The first operand, with the second written over the window that begins at the last one's places."""

    name = "dynamic_update_slice"
    latex = r"\mathrm{update}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type; the update has its dtype and its axes."""
        x, update, starts = operands
        batch = starts.ndim - 1
        check_starts(x.shape, starts, update.shape[max(batch, 0) :])
        if update.dtype != x.dtype or update.shape[:batch] != x.shape[:batch]:
            raise ShapeError(f"an update of type {update} for an operand of type {x}")
        return x

    def stacked(self, steps: int) -> Op:
        return self

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Anything: slices of it are read."""
        return True

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A copy, and an assignment to its slice."""
        return dynamic_update_slice_kernel, {}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent, zero in the window; and the window."""
        _, update, starts = operands
        window = update.shape[starts.ndim - 1 :]
        return apply(self, cotangent, zeros(update.type), starts), apply(DynamicSlice(window), cotangent, starts)


def dynamic_update_slice_kernel(x: Any, update: Any, starts: Any, out: Any = None) -> Any:
    """A copy of ``x`` with the window of each element of the batch written over."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    np.copyto(out, x)
    batch = starts.shape[:-1]
    for each in np.ndindex(*batch):
        window = window_at(starts[each], update.shape[len(batch) :], x.shape[len(batch) :])
        out[(*each, ...)][window] = update[(*each, ...)]  # with the dots a view even of a single number
    return out


@builder
def dynamic_slice(x: Operand, starts: Operand, sizes: Any) -> Node:
    """The window of shape ``sizes`` that begins at ``starts``: one integer or 0-d node for each axis, or a 1-d node.

    Starts count from 0. A window that reaches out of ``x`` is an IndexRangeError: now, if its start is known now, else
    at the call.

    >>> import graphad as ga
    >>> x, t = ga.input("x", shape=("batch", 28)), ga.input("t", shape=(), dtype="int64")
    >>> dynamic_slice(x, (0, t), ("batch", 5))
    <dynamic_slice: float32[batch, 5]>
    """
    node, window = as_node(x), shape_of(sizes)
    return apply(DynamicSlice(window), node, _starts(starts, node.shape, window))


@builder
def dynamic_update_slice(x: Operand, update: Operand, starts: Operand) -> Node:
    """``x`` with ``update`` written over the window that begins at ``starts``, which are as in `dynamic_slice`.

    >>> import graphad as ga
    >>> x, t = ga.input("x", shape=("batch", 28)), ga.input("t", shape=(), dtype="int64")
    >>> dynamic_update_slice(x, ga.input("update", shape=("batch", 5)), (0, t))
    <dynamic_update_slice: float32[batch, 28]>
    """
    node, new = unify((x, update))
    return apply(DynamicUpdateSlice(), node, new, _starts(starts, node.shape, new.shape))


def _starts(starts: Operand, shape: Shape, window: Shape) -> Node:
    """The starts as one node of one axis; those that are known now are checked."""
    if isinstance(starts, Node) and not isinstance(starts.op, Constant):
        return starts
    given = starts.op.value if isinstance(starts, Node) and isinstance(starts.op, Constant) else starts
    places = list(given) if isinstance(given, (tuple, list, np.ndarray)) else [given]
    if not len(places) == len(shape) == len(window):
        raise ShapeError(f"{len(places)} starts and {len(window)} sizes for {len(shape)} axes: each has its own")
    nodes = [_start(place, whole - size) for place, whole, size in zip(places, shape, window, strict=True)]
    return apply(Stack(0), *nodes) if nodes else constant(np.empty(0, INT64))


def _start(start: Operand, room: Dimension) -> Node:
    node = as_node(start)
    check_integers(node.type)
    if node.shape:
        raise ShapeError(f"a start is one integer for one axis; got {node!r}")
    if isinstance(node.op, Constant) and isinstance(room, int) and not 0 <= node.op.value <= max(room, 0):
        raise IndexRangeError(f"a window that begins at {node.op.value} reaches out: it must begin at 0 to {room}")
    return cast(node, INT64)
