"""The same elements in another order, or more than once: flip, roll, repeat, tile.

Only rolling needs an operation of its own: a flip is a slice that runs backwards, and what repeats elements is a
broadcast between two reshapes, so that its adjoint is a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import Dimension, TensorType, shape_of
from graphad.ops.build import Operand, as_node, broadcast, normalize_axes, normalize_axis
from graphad.ops.gather import take
from graphad.ops.shaping import reshape, swapaxes
from graphad.ops.slicing import Slice, full_index, reversed_span
from graphad.ops.structure import Linear


@dataclass(frozen=True)
class Roll(Linear):
    """Elements moved on by ``shifts`` along ``axes``; those that leave at one end come in at the other."""

    shifts: tuple[int, ...]
    axes: tuple[int, ...]
    name = "roll"
    latex = r"\mathrm{roll}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type; the axes must be its own."""
        (x,) = operands
        if len(self.shifts) != len(self.axes) or any(not 0 <= axis < x.ndim for axis in self.axes):
            raise ShapeError(f"shifts {self.shifts} along axes {self.axes} do not fit {x}")
        return x

    def stacked(self, steps: int) -> Op:
        return Roll(self.shifts, tuple(axis + 1 for axis in self.axes))

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.roll, into a given array."""
        return roll_kernel, {"shifts": self.shifts, "axes": self.axes}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Roll back."""
        return (apply(Roll(tuple(-shift for shift in self.shifts), self.axes), cotangent),)


def roll_kernel(x: Array, shifts: Sequence[int], axes: Sequence[int], out: Array | None = None) -> Array:
    """np.roll, block by block: each axis that moves falls into two."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    halves: list[Any] = [[(slice(None), slice(None))] for _ in x.shape]
    for shift, axis in zip(shifts, axes, strict=True):
        size = x.shape[axis]
        moved = shift % max(size, 1)
        halves[axis] = [(slice(moved, None), slice(size - moved)), (slice(moved), slice(size - moved, None))]
    for choice in np.ndindex(*[len(half) for half in halves]):
        pairs = [half[i] for half, i in zip(halves, choice, strict=True)]
        out[tuple([into for into, _ in pairs])] = x[tuple([origin for _, origin in pairs])]
    return out


@builder
def roll(x: Operand, shift: Any, axis: Any = None) -> Node:
    """Elements moved on by ``shift`` along ``axis``, round the end; None: through the flattened operand.

    Tuples of shifts and axes go together; one number goes with all of the other.

    >>> import graphad as ga
    >>> roll(ga.input("x", shape=("batch", 3)), 1, axis=0)
    <roll: float32[batch, 3]>
    """
    node = as_node(x)
    if axis is None:
        return reshape(_rolled(reshape(node, -1), shift, 0), node.shape)
    return _rolled(node, shift, axis)


def _rolled(node: Node, shift: Any, axis: Any) -> Node:
    shifts = [_integer(one, "a shift") for one in _sequence(shift)]
    axes = [normalize_axis(one, node.ndim) for one in _sequence(axis)]
    if 1 not in (len(shifts), len(axes)) and len(shifts) != len(axes):
        raise ShapeError(f"{len(shifts)} shifts for {len(axes)} axes: give one for each, or one for all")
    count = max(len(shifts), len(axes)) if shifts and axes else 0
    total: dict[int, int] = {}
    for place in range(count):
        along = axes[place % len(axes)]
        total[along] = total.get(along, 0) + shifts[place % len(shifts)]
    return apply(Roll(tuple(total.values()), tuple(total)), node)


def _sequence(value: Any) -> Sequence[Any]:
    if isinstance(value, np.ndarray):
        return tuple(value.reshape(-1).tolist())
    return value if isinstance(value, (tuple, list)) else (value,)


def _integer(value: Any, what: str) -> int:
    if isinstance(value, Node):
        raise ArgumentError(f"{what} is a number that is known when the graph is built; got {value!r}")
    if not is_integer(value):
        raise DTypeError(f"{what} is an integer; got {value!r}")
    return int(value)


@builder
def flip(x: Operand, axis: Any = None) -> Node:
    """The elements in reverse order along ``axis``: an integer, a tuple, or None for all axes. A view.

    >>> import graphad as ga
    >>> flip(ga.input("x", shape=("batch", 3)), axis=1)
    <slice: float32[batch, 3]>
    """
    node = as_node(x)
    axes = normalize_axes(axis, node.ndim)
    spans = zip(full_index(node.shape), map(reversed_span, node.shape), strict=True)
    index = tuple(back if place in axes else span for place, (span, back) in enumerate(spans))
    return apply(Slice(index), node)


@builder
def rot90(x: Operand, k: int = 1, axes: Sequence[int] = (0, 1)) -> Node:
    """``x`` turned ``k`` times by 90 degrees, from the first of ``axes`` towards the second.

    >>> import graphad as ga
    >>> rot90(ga.input("x", shape=(2, 3)))
    <slice: float32[3, 2]>
    """
    node = as_node(x)
    plane = [normalize_axis(axis, node.ndim) for axis in axes]
    if len(set(plane)) != 2 or len(plane) != 2:
        raise ShapeError(f"a turn has two different axes; got {axes!r}")
    quarters = _integer(k, "the number of turns") % 4
    if quarters == 2:
        return flip(node, tuple(plane))
    turned = swapaxes(node, *plane) if quarters else node
    return flip(turned, plane[quarters == 3]) if quarters else node


@builder
def repeat(x: Operand, repeats: Any, axis: int | None = None) -> Node:
    """Each element ``repeats`` times in a row along ``axis``; None: of the flattened operand.

    ``repeats`` is one integer (or a named size), or one integer for each place of the axis, known when the graph is
    built.

    >>> import graphad as ga
    >>> repeat(ga.input("x", shape=("batch", 3)), 2, axis=0)
    <reshape: float32[2*batch, 3]>
    >>> repeat(ga.input("x", shape=("batch", 3)), [1, 0, 4], axis=1)
    <take: float32[batch, 5]>
    """
    node = as_node(x)
    if axis is None:
        node, axis = reshape(node, -1), 0
    place = normalize_axis(axis, node.ndim)
    counts = _sequence(repeats)
    if len(counts) != 1:
        return _repeated_each(node, [_integer(count, "a number of repeats") for count in counts], place)
    (times,) = shape_of(counts[0])
    before, size, after = node.shape[:place], node.shape[place], node.shape[place + 1 :]
    spaced = reshape(node, (*before, size, 1, *after))
    return reshape(broadcast(spaced, (*before, size, times, *after)), (*before, size * times, *after))


def _repeated_each(x: Node, counts: Sequence[int], axis: int) -> Node:
    if len(counts) != x.shape[axis]:
        raise ShapeError(f"{len(counts)} repeats for an axis of size {x.shape[axis]}: give one, or that many")
    if min(counts, default=0) < 0:
        raise ShapeError(f"a number of repeats is not negative; got {min(counts)}")
    return take(x, np.repeat(np.arange(len(counts)), counts), axis)


@builder
def tile(x: Operand, reps: Any) -> Node:
    """The whole of ``x`` set side by side ``reps`` times: one number for the last axis, or one for each.

    The shorter of ``reps`` and the shape is filled up with ones in front.

    >>> import graphad as ga
    >>> tile(ga.input("x", shape=("batch", 3)), (2, 4))
    <reshape: float32[2*batch, 12]>
    """
    node, times = as_node(x), shape_of(tuple(_sequence(reps)))
    ndim = max(node.ndim, len(times))
    times = (1,) * (ndim - len(times)) + times
    sizes = (1,) * (ndim - node.ndim) + node.shape
    spaced = reshape(node, _interleaved((1,) * ndim, sizes))
    widened = broadcast(spaced, _interleaved(times, sizes))
    return reshape(widened, tuple(time * size for time, size in zip(times, sizes, strict=True)))


def _interleaved(first: Sequence[Dimension], second: Sequence[Dimension]) -> tuple[Dimension, ...]:
    return tuple(size for pair in zip(first, second, strict=True) for size in pair)
