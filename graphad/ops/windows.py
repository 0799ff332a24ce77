"""Windows that slide over an array, the common ground of convolutions and pooling.

All windows of an array are a view of it, in which the places in a window are axes of their own. The adjoint adds
windows back where they came from, as one slice for each place in a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, ShapeError
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op, Traits
from graphad.ir.tensor_type import Dimension, Shape, TensorType
from graphad.ops.build import constant
from graphad.ops.padding import Pad
from graphad.ops.structure import Linear, Transpose


@dataclass(frozen=True)
class Windows(Linear):
    """All windows along some axes: a view, in which the places in a window are new last axes.

    For each of ``axes``: how many elements a window has, how far apart windows are, and how far its elements.
    """

    axes: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    name = "windows"
    latex = r"\mathrm{windows}"
    traits = Traits(view=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """Each axis becomes the number of windows along it."""
        (x,) = operands
        shape = list(x.shape)
        for axis, size, stride, dilation in zip(self.axes, self.sizes, self.strides, self.dilations, strict=True):
            shape[axis] = window_count(x.shape[axis], reach_of(size, dilation), stride)
        return TensorType((*shape, *self.sizes), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Windows(tuple(axis + 1 for axis in self.axes), self.sizes, self.strides, self.dilations)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.lib.stride_tricks.sliding_window_view, sliced."""
        return windows_kernel, {**vars(self)}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Add the windows back."""
        return (apply(FoldWindows(operands[0].shape, self.axes, self.strides, self.dilations), cotangent),)


def reach_of(size: int, dilation: int) -> int:
    """How many elements lie between the ends of a window, these included."""
    return (size - 1) * dilation + 1


def window_count(length: Dimension, reach: int, stride: int) -> Dimension:
    """The number of windows along an axis."""
    if stride == 1:
        count = length - reach + 1
    elif isinstance(length, int):
        count = (length - reach) // stride + 1
    else:
        raise ShapeError(f"a stride of {stride} needs an axis of integer size: declare {length}")
    if isinstance(count, int) and count < 1:
        raise ShapeError(f"a window that reaches over {reach} elements does not fit into an axis of {length}")
    return count


def windows_kernel(x: Any, axes: Any, sizes: Any, strides: Any, dilations: Any) -> Any:
    """The windows of ``x``, as a view."""
    reaches = tuple((size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(x, reaches, axes)
    chosen = [slice(None)] * x.ndim
    for axis, stride in zip(axes, strides, strict=True):
        chosen[axis] = slice(None, None, stride)
    return windows[(*chosen, *(slice(None, None, dilation) for dilation in dilations))]


@dataclass(frozen=True)
class FoldWindows(Linear):
    """Windows added back into an array of ``shape``, overlaps accumulating: the adjoint of `Windows`."""

    shape: Shape
    axes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    name = "fold_windows"
    latex = r"\mathrm{fold}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The windows of an array of ``shape``."""
        (windows,) = operands
        result = TensorType(self.shape, windows.dtype)
        if self._windows(windows).infer(result) != windows:
            raise ShapeError(f"{windows} are not the windows of {result}")
        return result

    def _windows(self, windows: TensorType) -> Windows:
        sizes = TensorType(windows.shape[len(self.shape) :], windows.dtype).static_shape
        return Windows(self.axes, sizes, self.strides, self.dilations)

    def stacked(self, steps: int) -> Op:
        axes = tuple(axis + 1 for axis in self.axes)
        return FoldWindows((steps, *self.shape), axes, self.strides, self.dilations)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Zeros, to which each place in the windows is added as one slice."""
        return fold_windows_kernel, {**vars(self)}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The windows of the cotangent."""
        return (apply(self._windows(operands[0].type), cotangent),)

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One addition for each element of each window."""
        return int(np.prod(operands[0].static_shape))


def fold_windows_kernel(windows: Any, shape: Any, axes: Any, strides: Any, dilations: Any, out: Any = None) -> Any:
    """Zeros, with the windows added where they come from."""
    if out is None:
        out = np.empty(shape, windows.dtype)
    out.fill(0)
    for place in np.ndindex(windows.shape[len(shape) :]):
        target = [slice(None)] * len(shape)
        for axis, i, stride, dilation in zip(axes, place, strides, dilations, strict=True):
            first = i * dilation
            target[axis] = slice(first, first + stride * (windows.shape[axis] - 1) + 1, stride)
        out[tuple(target)] += windows[(..., *place)]
    return out


@dataclass(frozen=True)
class Geometry:
    """How windows lie along the axes 1, 2, ... of an array (batch, ..., channels), one entry for each of these axes.

    ``margins``: how many elements to add before and after an axis.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    margins: tuple[tuple[int, int], ...]

    @staticmethod
    def of(lengths: Shape, sizes: tuple[int, ...], stride: Any, padding: Any, dilation: Any = 1) -> Geometry:
        """The geometry that a user describes; a typed error that says what is wrong with it."""
        strides, dilations = per_axis("stride", stride, len(lengths)), per_axis("dilation", dilation, len(lengths))
        reaches = tuple(map(reach_of, sizes, dilations))
        margins = _margins(padding, lengths, reaches, strides)
        for length, reach, apart, added in zip(lengths, reaches, strides, margins, strict=True):
            window_count(length + sum(added), reach, apart)  # refuses windows that do not fit
        return Geometry(sizes, strides, dilations, margins)

    def windows(self, x: Node, fill: float = 0.0) -> Node:
        """(batch, windows ..., places in a window ..., channels ...), a view but for what the margins add."""
        axes = tuple(range(1, len(self.sizes) + 1))
        found = apply(Windows(axes, self.sizes, self.strides, self.dilations), self._padded(x, fill))
        places = tuple(range(x.ndim, found.ndim))
        return apply(Transpose((0, *axes, *places, *range(len(axes) + 1, x.ndim))), found)

    def _padded(self, x: Node, fill: float) -> Node:
        unchanged = ((0, 0),) * (x.ndim - len(self.sizes) - 1)
        widths = ((0, 0), *self.margins, *unchanged)
        return apply(Pad(widths), x, constant(fill, x.dtype)) if any(map(any, widths)) else x


def per_axis(name: str, value: Any, count: int) -> tuple[int, ...]:
    """A positive integer for each axis, from one for all or one for each."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(values) != count or not all(is_integer(one) and one > 0 for one in values):
        each = f", or {count} of them" if count > 1 else ""
        raise ArgumentError(f"{name} is a positive integer{each}; got {value!r}")
    return tuple(map(int, values))


def _margins(
    padding: Any, lengths: Shape, reaches: Sequence[int], strides: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    if padding == "valid":
        return ((0, 0),) * len(lengths)
    if padding == "same":
        return tuple(map(_same_margin, lengths, reaches, strides))
    if padding == "causal" and len(lengths) == 1:
        return ((reaches[0] - 1, 0),)
    return _given_margins(padding, len(lengths))


def _same_margin(length: Dimension, reach: int, stride: int) -> tuple[int, int]:
    """As many windows as there are strides in the axis, at least in part; an odd element is added after it."""
    if stride == 1:
        total: int = reach - 1
    elif isinstance(length, int):
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    else:
        raise ShapeError(f"'same' padding for a stride of {stride} needs an axis of integer size: declare {length}")
    return total // 2, total - total // 2


def _given_margins(padding: Any, count: int) -> tuple[tuple[int, int], ...]:
    pairs = ((padding, padding),) * count if is_integer(padding) else padding
    if count == 1 and isinstance(pairs, (tuple, list)) and all(map(is_integer, pairs)):
        pairs = (pairs,)
    if not isinstance(pairs, (tuple, list)) or len(pairs) != count or not all(map(_is_margin, pairs)):
        words = "'valid', 'same', 'causal'" if count == 1 else "'valid', 'same'"
        each = "a pair (before, after)" if count == 1 else f"{count} pairs (before, after)"
        raise ArgumentError(f"padding is {words}, an integer >= 0, or {each} of them; got {padding!r}")
    return tuple((int(before), int(after)) for before, after in pairs)


def _is_margin(pair: Any) -> bool:
    return isinstance(pair, (tuple, list)) and len(pair) == 2 and all(is_integer(n) and n >= 0 for n in pair)
