"""Values without operands: filled with one number, counting, or with ones on a diagonal. Sizes may be named."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import FLOAT32, dimension_of, dtype_of, shape_of
from graphad.ops.build import Operand, as_node, broadcast, broadcast_shapes, cast, constant
from graphad.ops.diagonal import DiagonalMatrix, diagonal_length
from graphad.ops.shaping import reshape


@builder
def full(shape: Any, fill_value: Operand, dtype: Any = None) -> Node:
    """``fill_value``, a number or a node that broadcasts, repeated to ``shape``; of its own dtype, or of ``dtype``.

    >>> full(("batch", 3), 0.5)
    <broadcast_to: float32[batch, 3]>
    """
    value = as_node(fill_value)
    return broadcast(value if dtype is None else cast(value, dtype_of(dtype)), shape_of(shape))


@builder
def zeros(shape: Any, dtype: Any = "float32") -> Node:
    """Zeros of a shape, whose sizes may be named.

    >>> zeros(("batch", 3))
    <broadcast_to: float32[batch, 3]>
    """
    return broadcast(constant(0, dtype_of(dtype)), shape_of(shape))


@builder
def ones(shape: Any, dtype: Any = "float32") -> Node:
    """Ones of a shape, whose sizes may be named."""
    return broadcast(constant(1, dtype_of(dtype)), shape_of(shape))


@builder
def full_like(x: Operand, fill_value: Operand, dtype: Any = None) -> Node:
    """``fill_value``, a number or a node that broadcasts, repeated to the shape of ``x``, cast to its dtype.

    >>> import graphad as ga
    >>> full_like(ga.input("x", shape=("batch", 3)), 7)
    <broadcast_to: float32[batch, 3]>
    """
    node = as_node(x)
    return broadcast(cast(fill_value, node.dtype if dtype is None else dtype_of(dtype)), node.shape)


@builder
def ones_like(x: Operand, dtype: Any = None) -> Node:
    """Ones of the operand's shape, and of its dtype unless another is given."""
    node = as_node(x)
    return broadcast(constant(1, node.dtype if dtype is None else dtype_of(dtype)), node.shape)


@builder
def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = "float32") -> Node:
    """Ones on diagonal ``k`` of a matrix of ``n`` rows and ``m`` columns (None: as many), zeros elsewhere.

    >>> eye("n")
    <diag: float32[n, n]>
    """
    rows = dimension_of(n)
    sizes = (rows, rows if m is None else dimension_of(m))
    if not is_integer(k):
        raise DTypeError(f"a diagonal is named by an integer; got {k!r}")
    return apply(DiagonalMatrix(sizes, int(k), 0, 1), ones(diagonal_length(*sizes, int(k)), dtype))


@builder
def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Node:
    """start, start + step, ... before ``stop``; with one argument, 0, 1, ... before it. A constant.

    Of integers int64, else float32, unless another dtype is given. The arguments are numbers that are known now.

    >>> arange(5), arange(0, 1, 0.25)
    (<constant: int64[5]>, <constant: float32[4]>)
    """
    first, end = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ShapeError("a step of 0 gets nowhere")
    counted = np.arange(first, end, step)
    wanted = dtype if dtype is not None else FLOAT32 if counted.dtype.kind == "f" else counted.dtype
    return constant(counted.astype(dtype_of(wanted)))


@builder
def meshgrid(*xi: Operand, indexing: str = "xy") -> list[Node]:
    """Vectors as the coordinates of a grid: each repeated along the axes of all the others.

    The k-th of the results varies along axis k; with ``indexing="xy"`` the first two axes are exchanged.

    >>> import graphad as ga
    >>> meshgrid(ga.input("x", shape=(3,)), ga.input("y", shape=("batch",)))
    [<broadcast_to: float32[batch, 3]>, <broadcast_to: float32[batch, 3]>]
    """
    nodes = [as_node(x) for x in xi]
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f'indexing is "xy" or "ij"; got {indexing!r}')
    if any(node.ndim > 1 for node in nodes):
        raise ShapeError("a grid is made of vectors: reshape the operands to one axis each")
    axes = list(range(len(nodes)))
    if indexing == "xy":
        axes[:2] = axes[1::-1] if len(nodes) > 1 else axes[:2]
    aligned = [_along(node, axis, len(nodes)) for node, axis in zip(nodes, axes, strict=True)]
    shape = broadcast_shapes([node.shape for node in aligned]) if aligned else ()
    return [broadcast(node, shape) for node in aligned]


def _along(x: Node, axis: int, ndim: int) -> Node:
    """The vector along one axis of ``ndim``, the others of size 1."""
    sizes = x.shape or (1,)
    return reshape(x, (*(1,) * axis, *sizes, *(1,) * (ndim - axis - 1)))
