"""How operands become nodes that fit together: of one dtype (by the rule of `promotion`), of one shape.

Broadcasting is a node of the graph, put in here, so that shape rules and gradient rules of elementwise operations see
operands of one shape and read as the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.leaves import Constant, SizeOf
from graphad.ir.node import Node, apply
from graphad.ir.op import Array
from graphad.ir.tensor_type import BOOL, FLOAT32, INT64, Dim, Dimension, Shape, TensorType, dtype_of
from graphad.ops.promotion import is_weak, promote, promote_weak
from graphad.ops.structure import BroadcastTo, Cast

Operand: TypeAlias = Any
"""A node; a Python number or a named size (weak: they take the others' dtype); or anything numpy reads as an array."""


@builder
def constant(value: Any, dtype: Any = None, name: str | None = None) -> Node:
    """A value known now. Python numbers and lists become float32, int64 or bool; arrays keep their dtype.

    >>> constant([1.0, 2.0])
    <constant: float32[2]>
    """
    return _known(value, dtype, name)


def _known(value: Any, dtype: Any = None, name: str | None = None) -> Node:
    """A constant; what cannot be one is the error of the builder that was given it."""
    return apply(Constant.of(as_array(value, dtype)), name=name)


def as_array(value: Any, dtype: Any = None) -> Array:
    """A new array: of ``dtype`` if it is given; else arrays keep their dtype, and Python's floats become float32.

    ShapeError for rows of different lengths; DTypeError for what ``dtype`` cannot hold, such as 300 for uint8.
    """
    if isinstance(value, (Node, Dim)):
        raise ArgumentError(f"{value!r} is symbolic: it has no value yet")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"the value is no array: {error}") from error
    python = not isinstance(value, (np.ndarray, np.generic))
    if dtype is None:
        dtype = FLOAT32 if python and array.dtype == np.float64 else array.dtype
    wanted = dtype_of(dtype)
    if array.dtype.kind not in "biuf" and not _are_integers(array):
        raise DTypeError(f"the value is of {array.dtype}, which is not made {wanted}: give numbers or truth values")
    try:
        return np.array(value if python else array, dtype=wanted, order="C")
    except (OverflowError, TypeError, ValueError) as error:
        raise DTypeError(f"the value does not fit {wanted} ({error}): use or cast to another dtype") from error


def _are_integers(array: Array) -> bool:
    """Whether an array of objects holds Python's integers, of which some are too long for int64."""
    return array.dtype.kind == "O" and all(isinstance(value, int) for value in array.flat)


def as_node(value: Operand) -> Node:
    """The value as a node: itself, the number behind a named size, or a constant."""
    if isinstance(value, Dim):
        return size_of(value, INT64)
    return value if isinstance(value, Node) else _known(value)


def unify(operands: Sequence[Operand]) -> list[Node]:
    """Nodes of one dtype; weak scalars take the dtype of the others, if its kind is no narrower than theirs."""
    nodes = [operand if is_weak(operand) else as_node(operand) for operand in operands]
    dtype = promote([node.dtype for node in nodes if isinstance(node, Node)] or [BOOL])
    for operand in nodes:
        if not isinstance(operand, Node):
            dtype = promote_weak(operand, dtype)
    return [_of_dtype(node, dtype) for node in nodes]


def _of_dtype(operand: Node | bool | float | Dim, dtype: np.dtype[Any]) -> Node:
    if isinstance(operand, Dim):
        return size_of(operand, dtype)
    if not isinstance(operand, Node):
        return _known(operand, dtype)
    return operand if operand.dtype == dtype else cast(operand, dtype)


def size_of(size: Dimension, dtype: Any) -> Node:
    """The value of a dimension, as a 0-d node."""
    leaf = SizeOf(TensorType((), dtype), size)
    return apply(leaf.specialise({}))


@builder
def cast(x: Operand, dtype: Any) -> Node:
    """``x`` with another dtype; float to integer truncates and carries no gradient.

    >>> cast(constant([1, 2]), "float32")
    <cast: float32[2]>
    """
    node, wanted = as_node(x), dtype_of(dtype)
    return node if node.dtype == wanted else apply(Cast(wanted), node)


def as_float(x: Operand) -> Node:
    """``x`` as it is if it is a float, else as float32."""
    node = as_node(x)
    return node if node.type.is_float else cast(node, FLOAT32)


def broadcast_shapes(shapes: Sequence[Shape]) -> Shape:
    """The shape that all ``shapes`` broadcast to, by numpy's rule; a named size meets only itself and 1.

    >>> broadcast_shapes([(3, 1), (4,)])
    (3, 4)
    """
    if shapes.count(shapes[0]) == len(shapes):
        return shapes[0]
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    return tuple(_broadcast_size(sizes, shapes) for sizes in zip(*padded, strict=True))


def _broadcast_size(sizes: Sequence[Dimension], shapes: Sequence[Shape]) -> Dimension:
    distinct = list(dict.fromkeys(size for size in sizes if size != 1))
    if len(distinct) > 1:
        given = " and ".join(map(_shape_text, dict.fromkeys(shapes)))
        raise ShapeError(
            f"shapes {given} do not broadcast: {distinct[0]} meets {distinct[1]}; reshape or transpose one"
        )
    return distinct[0] if distinct else 1


def _shape_text(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def broadcast(x: Node, shape: Shape) -> Node:
    """``x`` repeated to ``shape``; ``x`` itself if it has that shape already."""
    return x if x.shape == shape else apply(BroadcastTo(shape), x)


def broadcast_together(operands: Sequence[Node]) -> list[Node]:
    """The operands, each repeated to the shape that all of them broadcast to."""
    shape = broadcast_shapes([node.shape for node in operands])
    return [broadcast(node, shape) for node in operands]


def normalize_axis(axis: Any, ndim: int) -> int:
    """The axis as a number from 0; a ShapeError if the operand has no such axis."""
    if not is_integer(axis):
        raise DTypeError(f"an axis is an integer; got {axis!r}")
    if not -ndim <= axis < ndim:
        remedy = f"use -{ndim} to {ndim - 1}" if ndim else "it has none"
        raise ShapeError(f"axis {axis} is out of range for a value of {ndim} axes: {remedy}")
    return int(axis) % ndim


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes meant by None (all), one axis, or a tuple, each once, in order."""
    return tuple(range(ndim)) if axis is None else tuple(sorted(axes_in_order(axis, ndim)))


def axes_in_order(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes meant by one axis or a sequence, each once, in the order given."""
    given = axis.tolist() if isinstance(axis, np.ndarray) else axis
    axes = tuple(normalize_axis(one, ndim) for one in (given if isinstance(given, (tuple, list, range)) else (given,)))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"axis {axis} names one axis twice")
    return axes
