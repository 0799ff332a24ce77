"""Pooling, channels last as in Keras: reductions over the windows of an array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes
from graphad.ir.tensor_type import Dimension
from graphad.ops.build import Operand, as_float, as_node, constant
from graphad.ops.reduction import Max, sum
from graphad.ops.windows import Geometry, per_axis


@dataclass(frozen=True)
class WindowMax(Max):
    """The greatest element over few places: `Max`, computed as one elementwise maximum for each place."""

    name = "window_max"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.maximum, place after place: several times faster than its reduction over short axes."""
        return window_max_kernel, {"axes": self.axes, "keepdims": self.keepdims}


def window_max_kernel(windows: Any, axes: Any, keepdims: bool = False, out: Any = None) -> Any:
    """The maximum over ``axes``."""
    kept = tuple([1 if axis in axes else size for axis, size in enumerate(windows.shape)])
    if out is None:
        out = np.empty(kept if keepdims else [n for axis, n in enumerate(kept) if axis not in axes], windows.dtype)
    greatest = out if keepdims else np.expand_dims(out, axes)
    for number, place in enumerate(np.ndindex(*[windows.shape[axis] for axis in axes])):
        chosen = [slice(None)] * windows.ndim
        for axis, i in zip(axes, place, strict=True):
            chosen[axis] = slice(i, i + 1)
        part = windows[tuple(chosen)]
        np.maximum(greatest if number else part, part, out=greatest)
    return out


@builder
def max_pool1d(x: Operand, size: int, stride: int | None = None, padding: Any = "valid") -> Node:
    """The greatest element of each window of ``size`` along axis 1; those that tie share the gradient equally.

    ``x``: (batch, length, channels). ``stride`` is how far windows are apart: ``size``, if it is None. ``padding`` as
    in `conv1d`, and less than ``size``; it is -inf, so what is added is never the greatest. The length must be an
    integer where the stride is not 1. ShapeError for an operand that does not fit, ArgumentError for what ``size``,
    ``stride`` and ``padding`` cannot be, DTypeError for truth values.

    >>> import graphad as ga
    >>> max_pool1d(ga.input("x", ("batch", 29, 3)), 2)
    <window_max: float32[batch, 14, 3]>
    """
    return _max_pool(x, 1, size, stride, padding)


@builder
def max_pool2d(x: Operand, size: Any, stride: Any = None, padding: Any = "valid") -> Node:
    """The greatest element of each window of an image: `max_pool1d` over two axes, height and width.

    ``x``: (batch, height, width, channels). ``size`` and ``stride`` are an integer or a pair, ``padding`` as in
    `conv2d`.

    >>> import graphad as ga
    >>> max_pool2d(ga.input("x", ("batch", 27, 27, 8)), 2, padding="same")
    <window_max: float32[batch, 14, 14, 8]>
    """
    return _max_pool(x, 2, size, stride, padding)


@builder
def avg_pool1d(x: Operand, size: int, stride: int | None = None, padding: Any = "valid") -> Node:
    """The mean of each window of ``size`` along axis 1, as a float; padding is not counted.

    Operands and errors are those of `max_pool1d`; with padding the length must be an integer.

    >>> import graphad as ga
    >>> avg_pool1d(ga.input("x", ("batch", 29, 3)), 2)
    <divide: float32[batch, 14, 3]>
    """
    return _avg_pool(x, 1, size, stride, padding)


@builder
def avg_pool2d(x: Operand, size: Any, stride: Any = None, padding: Any = "valid") -> Node:
    """The mean of each window of an image, as a float; padding is not counted. Operands are those of `max_pool2d`.

    >>> import graphad as ga
    >>> avg_pool2d(ga.input("x", ("batch", 28, 28, 8)), (4, 2))
    <divide: float32[batch, 7, 14, 8]>
    """
    return _avg_pool(x, 2, size, stride, padding)


def _max_pool(x: Operand, rank: int, size: Any, stride: Any, padding: Any) -> Node:
    node = as_node(x)
    if node.dtype.kind == "b":
        raise DTypeError("the operand is of truth values: cast them to numbers first")
    geometry = _geometry(node, rank, size, stride, padding)
    lowest = -np.inf if node.type.is_float else np.iinfo(node.dtype).min
    return apply(WindowMax(_places(rank)), geometry.windows(node, lowest))


def _avg_pool(x: Operand, rank: int, size: Any, stride: Any, padding: Any) -> Node:
    node = as_float(x)
    geometry = _geometry(node, rank, size, stride, padding)
    total = sum(geometry.windows(node), axis=_places(rank))
    if not any(map(any, geometry.margins)):
        return total / float(np.prod(geometry.sizes))
    counts = map(_counts, node.shape[1:-1], geometry.sizes, geometry.strides, geometry.margins)
    return total / constant(reduce(np.multiply.outer, counts)[..., np.newaxis], node.dtype)


def _geometry(x: Node, rank: int, size: Any, stride: Any, padding: Any) -> Geometry:
    if x.ndim != rank + 2:
        raise ShapeError(f"the operand has {rank + 2} axes, channels last; this one has {x.ndim}")
    sizes = per_axis("size", size, rank)
    geometry = Geometry.of(x.shape[1:-1], sizes, sizes if stride is None else stride, padding)
    if any(max(margin) >= size for margin, size in zip(geometry.margins, sizes, strict=True)):
        raise ShapeError(f"padding {padding!r} is not less than the size {size!r}: windows would hold nothing else")
    return geometry


def _places(rank: int) -> tuple[int, ...]:
    """The axes of the places in a window, among those of the windows."""
    return tuple(range(rank + 1, 2 * rank + 1))


def _counts(length: Dimension, size: int, stride: int, margin: tuple[int, int]) -> Array:
    """How many elements of an axis, without its margins, each window holds."""
    if not isinstance(length, int):
        raise ShapeError(f"a mean with padding needs axes of integer size: declare {length}")
    before, after = margin
    starts = np.arange(-before, length + after - size + 1, stride)
    return np.minimum(starts + size, length) - np.maximum(starts, 0)
