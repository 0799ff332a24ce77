"""Reading and adding at places that are known only when the graph runs, one place for each element of the result.

A place outside its axis is an error, never a wrap. What is known when the graph is built is checked then, and may count
from the end, as in numpy; what is known at the call is checked by the kernel and may not.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import DTypeError, IndexRangeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import INT64, Dim, Dimension, Shape, TensorType, dimension_of, dtype_of
from graphad.ops.build import Operand, as_array, as_node, broadcast, broadcast_shapes, constant, normalize_axis
from graphad.ops.structure import Reshape, zeros


@dataclass(frozen=True)
class Indexed(Op):
    """The base of operations that are linear in all operands but the last, which holds places."""

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent of each operand but the last; of the others only the types matter."""
        raise TypeError(f"{type(self).__name__} has no adjoint")

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Only what lies contiguous, since places are counted in flattened arrays."""
        return operand in contiguous

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The adjoint; places have no derivative."""
        return (*self.adjoint(cotangent, *operands), None)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The operation itself, on the tangents, at the same places."""
        *moved, _ = tangents
        if all(tangent is None for tangent in moved):
            return None
        pairs = zip(moved, operands, strict=False)
        return apply(self, *(zeros(x.type) if t is None else t for t, x in pairs), operands[-1])


def check_integers(indices: TensorType) -> None:
    """A DTypeError unless they are integers."""
    if indices.dtype.kind not in "iu":
        remedy = "to choose by truth values use ga.where" if indices.dtype.kind == "b" else "cast them"
        raise DTypeError(f"indices must be integers, not {indices.dtype}: {remedy}")


def as_indices(indices: Operand, size: Dimension) -> Node:
    """Indices for an axis of ``size`` as a node; those that are known now are checked, and negative ones wrapped."""
    node = as_node(indices) if isinstance(indices, (Node, Dim)) else None
    if node is not None and not isinstance(node.op, Constant):
        check_integers(node.type)
        return node
    places = known_indices(indices)
    check_integers(TensorType.of(places.shape, places.dtype))
    if isinstance(size, int):
        outside = places[(places < -size) | (places >= size)]
        if outside.size:
            raise IndexRangeError(f"index {outside.flat[0]} is out of range for an axis of size {size}")
        return constant(np.where(places < 0, places + size, places), INT64)
    if (places < 0).any():
        raise ShapeError(f"index {places.min()} counts from the end of an axis of size {size}, not known: declare it")
    return constant(places, INT64)


def known_indices(indices: Any) -> Array:
    """Places that are known now, as an array; an empty list is one of integers. Unsigned ones are made signed."""
    if isinstance(indices, Node) and isinstance(indices.op, Constant):
        indices = indices.op.value
    places = as_array(indices)
    is_empty_list = places.size == 0 and not isinstance(indices, np.ndarray)
    return places.astype(INT64) if places.dtype.kind == "u" or is_empty_list else places


@dataclass(frozen=True)
class TakeAlongAxis(Indexed):
    """result[..., j, ...] = x[..., indices[..., j, ...], ...] along ``axis``."""

    axis: int
    name = "take_along_axis"
    latex = r"\mathrm{take}"
    traits = Traits(picks=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """Indices of integers, with the operand's shape except along the axis."""
        x, indices = operands
        check_integers(indices)
        if without(x.shape, self.axis) != without(indices.shape, self.axis) or x.ndim != indices.ndim:
            raise ShapeError(f"the indices must have the operand's shape in every axis but axis {self.axis}")
        return TensorType(indices.shape, x.dtype)

    def stacked(self, steps: int) -> Op:
        return TakeAlongAxis(self.axis + 1)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the places."""
        return scratch_along(operands[1], self.axis)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.take_along_axis, with its range checked."""
        return take_along_axis_kernel, {"axis": self.axis}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Add each cotangent at the place it was read from."""
        x, indices = operands
        return (apply(AddAlongAxis(x.shape[self.axis], self.axis), cotangent, indices),)


def without(shape: Shape, axis: int) -> Shape:
    """The shape without one axis."""
    return shape[:axis] + shape[axis + 1 :]


def check_range(indices: Array, size: int) -> None:
    """An IndexError unless every index is from 0 to ``size`` - 1."""
    if indices.size and indices.view(f"u{indices.itemsize}").max() >= size:  # below 0 is large without a sign
        raise IndexError(f"indices from {indices.min()} to {indices.max()} for an axis of size {size}")


def element_count(sizes: Sequence[int]) -> int:
    """The product of sizes."""
    count = 1
    for size in sizes:
        count *= size
    return count


def places_scratch(around: Sequence[int], count: int) -> tuple[TensorType, ...]:
    """What `flat_places` writes to: numbers in order, as many as there are slabs before or elements behind the axis,
    which ``around`` counts; and the places.
    """
    return TensorType((max(around),), INT64), TensorType((count,), INT64)


def scratch_along(indices: TensorType, axis: int) -> tuple[TensorType, ...]:
    """What `places_along` needs."""
    shape = indices.static_shape
    return places_scratch((element_count(shape[:axis]), element_count(shape[axis + 1 :])), element_count(shape))


def flat_places(indices: Any, shape: Any, size: int, scratch: Any) -> Any:
    """Where slabs lie in a flattened array of shape (groups, outer, ``size``, inner), in order: one axis of places.

    ``shape`` is that of the places, (groups, outer, count, inner), to which the indices broadcast; `places_scratch`
    tells what memory it takes.
    """
    line, places = scratch[0], scratch[1].reshape(shape)
    check_range(indices, size)
    groups, outer, _, inner = shape
    np.copyto(places, indices, casting="unsafe")  # unsigned ones among them
    if inner != 1:
        np.multiply(places, inner, out=places)
        np.add(places, multiples(1, line[:inner]), out=places)
    if groups * outer != 1:
        starts = multiples(size * inner, line[: groups * outer])
        np.add(places, starts.reshape(groups, outer, 1, 1), out=places)
    return scratch[1]


def multiples(step: int, out: Any) -> Any:
    """0, ``step``, twice that and so on, as np.arange makes them, into given memory."""
    out.fill(step)
    out[:1] = 0
    return np.add.accumulate(out, out=out)


def places_along(indices: Any, size: int, axis: int, scratch: Any) -> Any:
    """Where the elements at ``indices`` along ``axis``, of ``size``, lie in the flattened array: one axis of places."""
    outer, inner = element_count(indices.shape[:axis]), element_count(indices.shape[axis + 1 :])
    shape = (outer, 1, indices.shape[axis], inner)
    return flat_places(indices.reshape(shape), shape, size, scratch)


def take_along_axis_kernel(x: Any, indices: Any, axis: int, scratch: Any, out: Any = None) -> Any:
    """x at ``indices`` along ``axis``."""
    if out is None:
        out = np.empty(indices.shape, x.dtype)
    places = places_along(indices, x.shape[axis], axis, scratch)
    np.take(x.reshape(-1), places.reshape(out.shape), out=out, mode="clip")  # "raise" would buffer the result
    return out


@dataclass(frozen=True)
class AddAlongAxis(Indexed):
    """Zeros of ``size`` along ``axis``, with each value added at its index: the adjoint of take_along_axis."""

    size: Dimension
    axis: int
    name = "add_along_axis"
    latex = r"\mathrm{scatter}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Values and indices of one shape."""
        values, indices = operands
        check_integers(indices)
        if values.shape != indices.shape:
            raise ShapeError("values and indices must have one shape")
        return TensorType((*values.shape[: self.axis], self.size, *values.shape[self.axis + 1 :]), values.dtype)

    def stacked(self, steps: int) -> Op:
        return AddAlongAxis(self.size, self.axis + 1)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the places."""
        return scratch_along(operands[1], self.axis)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.at, after zeros."""
        return add_along_axis_kernel, {"size": self.size, "axis": self.axis}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Read the cotangent where the value went."""
        return (apply(TakeAlongAxis(self.axis), cotangent, operands[1]),)


def add_along_axis_kernel(values: Any, indices: Any, size: int, axis: int, scratch: Any, out: Any = None) -> Any:
    """Zeros, with ``values`` added at ``indices``; repeated indices accumulate."""
    if out is None:
        out = np.empty((*values.shape[:axis], size, *values.shape[axis + 1 :]), values.dtype)
    out.fill(0)
    places = places_along(indices, size, axis, scratch)
    np.add.at(out.reshape(-1), places, values.reshape(-1))  # numpy is quick at this for one axis only
    return out


@dataclass(frozen=True)
class OneHot(Op):
    """A new last axis of ``depth``, with 1 at the place that each index names and 0 elsewhere."""

    depth: Dimension
    dtype: np.dtype[Any]
    name = "one_hot"
    latex = r"\mathbf{1}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Integers."""
        (indices,) = operands
        check_integers(indices)
        return TensorType((*indices.shape, self.depth), self.dtype)

    def stacked(self, steps: int) -> Op:
        return self

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the places."""
        count = element_count(operands[0].static_shape)
        return places_scratch((count,), count)

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Only what lies contiguous, since it is flattened."""
        return operand in contiguous

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Zeros, then ones at the places."""
        return one_hot_kernel, {"depth": self.depth, "dtype": self.dtype.name}


def one_hot_kernel(indices: Any, depth: int, dtype: str, scratch: Any, out: Any = None) -> Any:
    """1 where the place is the index, 0 elsewhere."""
    if out is None:
        out = np.empty((*indices.shape, depth), dtype)
    out.fill(0)
    np.put(out, places_along(indices.reshape(-1, 1), depth, 1, scratch), 1)
    return out


@builder
def take_along_axis(x: Operand, indices: Operand, axis: int | None = -1) -> Node:
    """Elements of ``x`` at ``indices`` along ``axis``; the other axes of both broadcast together. None: of flattened x.

    Indices that are known now (numbers, lists, arrays) may count from the end; those of other nodes are from 0, and
    one outside the axis is an IndexRangeError at the call. What is taken twice gets both cotangents.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=("batch", 10)), ga.input("i", shape=("batch", 1), dtype="int64")
    >>> take_along_axis(x, i, axis=1)
    <take_along_axis: float32[batch, 1]>
    """
    node = as_node(x)
    if axis is None:
        node, axis = apply(Reshape((node.type.size,)), node), 0
    place = normalize_axis(axis, node.ndim)
    chosen = as_indices(indices, node.shape[place])
    others = zip(without(node.shape, place), without(chosen.shape, place), strict=False)
    if chosen.ndim != node.ndim or any(mine != its and 1 not in (mine, its) for mine, its in others):
        raise ShapeError(f"the indices must have the operand's shape, or size 1, in every axis but axis {place}")
    rest = broadcast_shapes([(*one.shape[:place], 1, *one.shape[place + 1 :]) for one in (node, chosen)])
    wide = [broadcast(one, (*rest[:place], one.shape[place], *rest[place + 1 :])) for one in (node, chosen)]
    return apply(TakeAlongAxis(place), *wide)


@builder
def one_hot(indices: Operand, depth: Any, dtype: Any = "float32") -> Node:
    """1 at the place that each index names along a new last axis of size ``depth``, 0 elsewhere.

    An index that is not from 0 to ``depth`` - 1 is an IndexRangeError: at once if it is known, else at the call.

    >>> import graphad as ga
    >>> one_hot(ga.input("y", shape=("batch",), dtype="uint8"), 10)
    <one_hot: float32[batch, 10]>
    """
    node, size = as_node(indices), dimension_of(depth)
    if isinstance(node.op, Constant) and isinstance(size, int) and node.dtype.kind in "iu":
        _check_known(node.op.value, size)
    return apply(OneHot(size, dtype_of(dtype)), node)


def _check_known(places: Array, size: int) -> None:
    try:
        check_range(places, size)
    except IndexError as error:
        raise IndexRangeError(str(error)) from error
