"""Padding: an array set into a larger one.

With a constant it is one operation, linear in the array and the constant together. The other modes repeat elements of
the array, so they are a `take` along each axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import Dimension, TensorType
from graphad.ops.build import Operand, as_node, broadcast, constant, normalize_axis, unify
from graphad.ops.gather import take
from graphad.ops.selection import where
from graphad.ops.slicing import Slice, Span
from graphad.ops.structure import Linear, Sum

Widths: TypeAlias = tuple[tuple[Dimension, Dimension], ...]
"""For each axis, how many elements are added before and behind."""
_REPEATING = ("edge", "reflect", "symmetric", "wrap")


@dataclass(frozen=True)
class Pad(Linear):
    """The first operand with ``widths`` added around it, filled with the second.

    That is one number for each place of its axes, which are the first ones of the array and not padded: none, for one
    number in all.
    """

    widths: Widths
    name = "pad"
    latex = r"\mathrm{pad}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Each axis longer by its widths."""
        x, fill = operands
        if len(self.widths) != x.ndim:
            raise ShapeError(f"{len(self.widths)} pairs of widths for {x.ndim} axes")
        if fill.dtype != x.dtype or fill.shape != x.shape[: fill.ndim] or any(map(any, self.widths[: fill.ndim])):
            raise ShapeError(f"a fill of type {fill} does not fit an operand of type {x}")
        sizes = zip(self.widths, x.shape, strict=True)
        return TensorType(tuple(before + size + behind for (before, behind), size in sizes), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Pad(((0, 0), *self.widths))

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.pad, into a given array."""
        return pad_kernel, {"widths": self.widths}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The part inside; and the sum of what is around it."""
        x, fill = operands
        spans = zip(self.widths, x.shape, strict=True)
        inside = tuple(Span(before, size) for (before, _), size in spans)
        return apply(Slice(inside), cotangent), self._around(cotangent, x, fill)

    def _around(self, cotangent: Node, x: Node, fill: Node) -> Node:
        true, false = broadcast(constant(True), x.shape), broadcast(constant(False), fill.shape)
        around = where(apply(self, true, false), 0.0, cotangent)  # inside may be inf, which no product with 0 removes
        return apply(Sum(tuple(range(fill.ndim, x.ndim))), around)


def pad_kernel(x: Any, fill: Any, widths: Any, out: Any = None) -> Any:
    """``fill`` everywhere, then ``x`` in its place."""
    if out is None:
        pairs = [before + size + behind for (before, behind), size in zip(widths, x.shape, strict=True)]
        out = np.empty(pairs, x.dtype)
    np.copyto(out, fill.reshape(fill.shape + (1,) * (x.ndim - fill.ndim)))
    inside = [slice(before, before + size) for (before, _), size in zip(widths, x.shape, strict=True)]
    out[(*inside, ...)] = x
    return out


@builder
def pad(x: Operand, pad_width: Any, mode: str = "constant", constant_values: Operand = 0) -> Node:
    """``x`` with ``pad_width`` elements added before and behind along each axis.

    ``pad_width``: one integer; ``(before, behind)`` for every axis; one pair for each axis; or a dict from an axis to
    either. ``mode``: "constant" fills with ``constant_values``, a number or a 0-d node, or numbers for the sides as
    ``pad_width`` has them; "edge", "reflect", "symmetric" and "wrap" repeat elements of ``x`` as numpy's do, along
    axes whose size is an integer.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 4, 3))
    >>> pad(x, ((0, 0), (1, 2), (0, 0)))
    <pad: float32[batch, 7, 3]>
    """
    node = as_node(x)
    widths = _widths(pad_width, node.ndim)
    if mode == "constant":
        return _padded_with(node, widths, constant_values)
    if mode not in _REPEATING:
        raise ArgumentError(f"mode is one of {', '.join(('constant', *_REPEATING))}; got {mode!r}")
    for axis, width in enumerate(widths):
        node = _repeated(node, axis, width, mode) if any(width) else node
    return node


def _widths(given: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    if isinstance(given, Mapping):
        named = {normalize_axis(axis, ndim): width for axis, width in given.items()}
        given = [np.broadcast_to(named.get(axis, 0), 2) for axis in range(ndim)] or 0
    pairs = _pairs(given, ndim)
    if pairs.dtype.kind not in "iu":
        raise DTypeError(f"widths of padding are integers; got {given!r}")
    if (pairs < 0).any():
        raise ShapeError(f"widths of padding are not negative; got {given!r}: to cut, use a slice")
    return tuple((int(before), int(behind)) for before, behind in pairs)


def _pairs(given: Any, ndim: int) -> Array:
    """What numpy's pad takes for its sides, as a pair for each axis."""
    try:
        return np.broadcast_to(np.asarray(given), (ndim, 2))
    except ValueError as error:
        raise ShapeError(f"{given!r} gives no pair for each of {ndim} axes") from error


def _padded_with(x: Node, widths: Widths, values: Operand) -> Node:
    if isinstance(values, (Node, bool, int, float)) or np.ndim(values) == 0:
        node, fill = unify((x, values))
        if fill.shape:
            raise ShapeError(f"a fill is one number; got {fill!r}")
        return apply(Pad(widths), node, fill)
    around: Widths = ((0, 0),) * x.ndim
    for axis, sides in enumerate(_pairs(values, x.ndim)):  # the last axis has the corners, as in numpy
        for side, number in enumerate(sides.tolist()):
            one_side = (0, widths[axis][1]) if side else (widths[axis][0], 0)
            x = _padded_with(x, (*around[:axis], one_side, *around[axis + 1 :]), number)
    return x


def _repeated(x: Node, axis: int, width: tuple[int, int], mode: Any) -> Node:
    size = x.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(f"mode {mode!r} needs to know the size of axis {axis}, which is {size}: declare it")
    if size == 0:
        raise ShapeError(f"mode {mode!r} has nothing to repeat along axis {axis}, which is empty")
    return take(x, np.pad(np.arange(size), width, mode), axis)
