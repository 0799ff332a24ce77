"""Convolutions, channels last as in Keras: each is one contraction of the windows of its operand with the weights.

They have no rules of their own. Arrays with channels first are transposed before: ``ga.transpose(x, (0, 2, 3, 1))``.
"""

from __future__ import annotations

from typing import Any

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Shape, known, product
from graphad.ops.build import Operand
from graphad.ops.contraction import numbers
from graphad.ops.einsum import einsum
from graphad.ops.structure import Reshape, Transpose
from graphad.ops.windows import Geometry, per_axis


@builder
def conv1d(x: Operand, w: Operand, stride: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1) -> Node:
    """result[n, t, o] = sum over i, c of x[n, t * stride + i * dilation, c] * w[i, c, o]: weights are not flipped.

    ``x``: (batch, length, channels); ``w``: (size, channels / groups, filters). The result: (batch, length', filters).
    ``padding`` by zeros: "valid", none; "same", so that length' is length / stride, rounded up, the odd zero at the
    end; "causal", all before, so that no result depends on later elements; an integer, for both ends; or a pair
    (before, after). ``groups``: the channels fall into so many groups, and the filters too; each sees its group only.

    The length must be an integer where ``stride`` is not 1. ShapeError for operands that do not fit together,
    ArgumentError for another stride, padding, dilation or number of groups than these.

    >>> import graphad as ga
    >>> conv1d(ga.input("x", ("batch", 28, 3)), ga.input("w", (5, 3, 8)), stride=2, padding="same")
    <reshape: float32[batch, 14, 8]>
    """
    return _convolution(x, w, 1, stride, padding, dilation, groups)


@builder
def conv2d(x: Operand, w: Operand, stride: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1) -> Node:
    """The convolution of images: `conv1d` over two axes, height and width.

    ``x``: (batch, height, width, channels); ``w``: (rows, columns, channels / groups, filters). The result: (batch,
    height', width', filters). ``stride`` and ``dilation`` are an integer or a pair; ``padding`` is "valid", "same", an
    integer, or ((above, below), (left, right)).

    >>> import graphad as ga
    >>> conv2d(ga.input("x", ("batch", 28, 28, 1)), ga.input("w", (3, 3, 1, 32)))
    <reshape: float32[batch, 26, 26, 32]>
    """
    return _convolution(x, w, 2, stride, padding, dilation, groups)


def _convolution(x: Operand, w: Operand, rank: int, stride: Any, padding: Any, dilation: Any, groups: Any) -> Node:
    signal, weights = numbers((x, w))
    (count,) = per_axis("groups", groups, 1)
    sizes = _checked_sizes(signal, weights, rank, count)
    geometry = Geometry.of(signal.shape[1:-1], sizes, stride, padding, dilation)
    group = "g" if count > 1 else ""
    if group:
        signal = apply(Reshape((*signal.shape[:-1], count, weights.shape[-2])), signal)
        weights = apply(Reshape((*weights.shape[:-1], count, weights.shape[-1] // count)), weights)
    at, over = "xy"[:rank], "ij"[:rank]
    windows, rows, columns = geometry.windows(signal), f"n{at}", f"{over}{group}c"
    if _is_gathered_by_place(windows.shape, geometry, grouped=count > 1):
        windows = apply(Transpose((*range(rank + 1, windows.ndim), *range(rank + 1))), windows)
        rows, columns = columns, rows
    found = einsum(f"{rows}{columns},{over}{'c' + group}o->n{at}{group}o", windows, weights)
    return apply(Reshape((*found.shape[: rank + 1], product(found.shape[rank + 1 :]))), found) if group else found


def _checked_sizes(signal: Node, weights: Node, rank: int, groups: int) -> tuple[int, ...]:
    """The sizes of a window; a ShapeError for operands that do not fit together."""
    if signal.ndim != rank + 2 or weights.ndim != rank + 2:
        raise ShapeError(
            f"both operands have {rank + 2} axes, channels last; these have {signal.ndim} and {weights.ndim}"
        )
    *sizes, channels, filters = weights.shape
    if signal.shape[-1] != groups * channels:
        raise ShapeError(f"{signal.shape[-1]} channels in {groups} groups meet weights for {channels} in each")
    if not isinstance(filters, int) or filters % groups:
        raise ShapeError(f"{filters} filters do not fall into {groups} groups")
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ShapeError(f"the size of a window is of integers > 0; the weights have {tuple(sizes)}")
    return tuple(map(known, sizes))


def _is_gathered_by_place(windows: Shape, geometry: Geometry, *, grouped: bool) -> bool:
    """Whether the copy of the windows that BLAS needs is made in longer runs if places in a window come first.

    Windows one after the other are copied in runs of a window's last row; place after place, in runs of windows.
    """
    rank = len(geometry.sizes)
    in_row = 1 if grouped or geometry.dilations[-1] > 1 else geometry.sizes[-1]
    run, count = windows[-1] * in_row, windows[rank]
    return isinstance(run, int) and isinstance(count, int) and 2 * run < count
