"""Whole slabs at places that are known only when the graph runs: take, and its adjoint, scatter_add.

``take`` puts the indices' axes where one axis of the array was. Each of the two operations is the other's adjoint, so
all orders of differentiation come from them. Several indices at once are turned into one, of the flattened axes.
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
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import INT64, Dimension, Shape, TensorType, shape_of
from graphad.ops.build import Operand, as_node, broadcast, broadcast_shapes, broadcast_together, normalize_axis, unify
from graphad.ops.indexing import (
    Indexed,
    as_indices,
    check_integers,
    check_range,
    element_count,
    flat_places,
    places_scratch,
)
from graphad.ops.shaping import reshape
from graphad.ops.structure import zeros


def taken_shape(x: Shape, indices: Shape, axis: int, batch: int) -> Shape:
    """The shape of what indices take along an axis; a ShapeError unless the first ``batch`` axes are the same."""
    if not batch <= axis < len(x):
        raise ShapeError(f"axis {axis} is out of range for an operand of {len(x)} axes and {batch} of the batch")
    if len(indices) < batch or x[:batch] != indices[:batch]:
        raise ShapeError(f"the first {batch} axes of operand and indices must be the same: {x} and {indices}")
    return (*x[:axis], *indices[batch:], *x[axis + 1 :])


@dataclass(frozen=True)
class Take(Indexed):
    """result[b..., p..., i..., q...] = x[b..., p..., indices[b..., i...], q...], the index at ``axis``.

    The first ``batch`` axes are those of operand and indices alike.
    """

    axis: int
    batch: int = 0
    name = "take"
    latex = r"\mathrm{take}"
    traits = Traits(picks=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The indices' axes in place of the axis."""
        x, indices = operands
        check_integers(indices)
        return TensorType(taken_shape(x.shape, indices.shape, self.axis, self.batch), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Take(self.axis + 1, self.batch + 1)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the indices in the dtype that numpy reads, if they are of another."""
        _, indices = operands
        return () if indices.dtype == INT64 else (TensorType(indices.shape, INT64),)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.take, with its range checked."""
        return take_kernel, {"axis": self.axis, "batch": self.batch}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Add each slab of the cotangent where it was read."""
        x, indices = operands
        return (apply(ScatterAdd(self.axis, self.batch), zeros(x.type), cotangent, indices),)


def take_kernel(x: Any, indices: Any, axis: int, batch: int, scratch: Any = (), out: Any = None) -> Any:
    """np.take, for each element of the batch."""
    check_range(indices, x.shape[axis])
    places = scratch[0] if scratch else indices
    if scratch:
        np.copyto(places, indices, casting="unsafe")
    if out is None:
        out = np.empty((*x.shape[:axis], *indices.shape[batch:], *x.shape[axis + 1 :]), x.dtype)
    for each in np.ndindex(*indices.shape[:batch]):
        one = (*each, ...)  # with the dots a view even of a single number
        np.take(x[one], places[one], axis - batch, out=out[one], mode="clip")  # "raise" would buffer the result
    return out


@dataclass(frozen=True)
class Scattering(Indexed):
    """The base of operations that write updates into an array, where `Take` would read them."""

    axis: int
    batch: int = 0

    def infer(self, *operands: TensorType) -> TensorType:
        """Updates of the shape that the indices would take, and of the operand's dtype."""
        x, updates, indices = operands
        check_integers(indices)
        wanted = TensorType(taken_shape(x.shape, indices.shape, self.axis, self.batch), x.dtype)
        if updates != wanted:
            raise ShapeError(f"the updates are {updates}; these indices need {wanted}")
        return x

    def stacked(self, steps: int) -> Op:
        return type(self)(self.axis + 1, self.batch + 1)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the places."""
        x, updates, _ = operands
        shape = x.static_shape
        lines = element_count(shape[: self.axis]), element_count(shape[self.axis + 1 :])
        return places_scratch(lines, element_count(updates.static_shape))


@dataclass(frozen=True)
class ScatterAdd(Scattering):
    """The operand, with each slab of the updates added where its index says: the adjoint of take."""

    name = "scatter_add"
    latex = r"\mathrm{scatter}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Numbers."""
        if operands[0].dtype.kind == "b":
            raise DTypeError("truth values are not added: cast them to numbers")
        return super().infer(*operands)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.at, on a copy."""
        return scatter_add_kernel, {"axis": self.axis, "batch": self.batch}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The operand's is the cotangent; the updates' is what was read where they went."""
        return cotangent, apply(Take(self.axis, self.batch), cotangent, operands[2])

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One addition for each element of the updates."""
        return element_count(operands[1].static_shape)


def places_of_slabs(indices: Any, shape: Any, axis: int, batch: int, scratch: Any) -> Any:
    """Where the elements that `Take` would read lie in the flattened array of ``shape``, in order."""
    groups, outer = element_count(shape[:batch]), element_count(shape[batch:axis])
    count, inner = element_count(indices.shape[batch:]), element_count(shape[axis + 1 :])
    return flat_places(indices.reshape(groups, 1, count, 1), (groups, outer, count, inner), shape[axis], scratch)


def scatter_add_kernel(x: Any, updates: Any, indices: Any, axis: int, batch: int, scratch: Any, out: Any = None) -> Any:
    """A copy of ``x`` with the updates added; repeated indices accumulate, in order."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    np.copyto(out, x)
    places = places_of_slabs(indices, x.shape, axis, batch, scratch)
    np.add.at(out.reshape(-1), places, updates.reshape(-1))  # numpy is quick at this for one axis only
    return out


@dataclass(frozen=True)
class RavelMultiIndex(Op):
    """The place in a flattened array of ``sizes`` of what one index for each axis names."""

    sizes: Shape
    name = "ravel_multi_index"
    latex = r"\mathrm{ravel}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Integers of one shape, one operand for each size."""
        for indices in operands:
            check_integers(indices)
        if len(operands) != len(self.sizes) or any(x.shape != operands[0].shape for x in operands):
            raise ShapeError(f"{len(self.sizes)} sizes need as many operands, all of one shape")
        return TensorType(operands[0].shape, INT64)

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.ravel_multi_index, into a given array."""
        return ravel_multi_index_kernel, {"sizes": self.sizes}


def ravel_multi_index_kernel(*indices: Array, sizes: Sequence[int], out: Array | None = None) -> Array:
    """Horner's rule on the indices, each checked against its own axis."""
    if out is None:
        out = np.empty(indices[0].shape, np.int64)
    out.fill(0)
    for places, size in zip(indices, sizes, strict=True):
        check_range(places, size)
        np.multiply(out, size, out=out)
        np.add(out, places, out=out, casting="unsafe")  # unsigned ones among them
    return out


@builder
def take(x: Operand, indices: Operand, axis: int | None = None) -> Node:
    """What ``x`` holds at ``indices`` along ``axis``, whose place the indices' axes take; None: of flattened ``x``.

    ``indices`` are integers of any shape. Those that are known now (numbers, lists, arrays) may count from the end;
    those of other nodes are from 0. One outside the axis is an IndexRangeError, now or at the call. The adjoint adds:
    what is taken twice gets both cotangents.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=("batch", 10, 3)), ga.input("i", shape=(4, 5), dtype="int64")
    >>> take(x, i, axis=1)
    <take: float32[batch, 4, 5, 3]>
    """
    node = as_node(x)
    if axis is None:
        node, axis = reshape(node, -1), 0
    return _gathered(node, indices, axis)


def _gathered(x: Node, indices: Operand, axis: int, batch: int = 0) -> Node:
    place = normalize_axis(axis, x.ndim)
    return apply(Take(place, batch), x, as_indices(indices, x.shape[place]))


@builder
def gather(x: Operand, indices: Operand, axis: int = 0, batch_dims: int = 0) -> Node:
    """Slabs of ``x`` at ``indices`` along ``axis``: `take`, for each element of the first ``batch_dims`` axes.

    This is TensorFlow's and, without ``batch_dims``, ONNX's gather: the result has the shape
    ``x.shape[:axis] + indices.shape[batch_dims:] + x.shape[axis+1:]``. PyTorch's gather is `take_along_axis`.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=("batch", 10, 3)), ga.input("i", shape=("batch", 4), dtype="int64")
    >>> gather(x, i, axis=1, batch_dims=1)
    <take: float32[batch, 4, 3]>
    """
    if not is_integer(batch_dims) or batch_dims < 0:
        raise ArgumentError(f"batch_dims is a number of axes, 0 or more; got {batch_dims!r}")
    return _gathered(as_node(x), indices, axis, batch_dims)


@builder
def embedding(table: Operand, ids: Operand) -> Node:
    """The rows of ``table`` (one for each of a vocabulary) that ``ids`` name, in place of the ids.

    Ids are integers from 0; one that has no row is an IndexRangeError. The table's gradient has its shape.

    >>> import graphad as ga
    >>> table, ids = ga.input("table", shape=(1000, 64)), ga.input("ids", shape=("batch", 20), dtype="int32")
    >>> embedding(table, ids)
    <take: float32[batch, 20, 64]>
    """
    node = as_node(table)
    if node.ndim != 2:
        raise ShapeError(f"a table has two axes, (vocabulary, features); this one is {node.type}")
    return _gathered(node, ids, 0)


@builder
def scatter_add(x: Operand, indices: Operand, updates: Operand, axis: int = 0) -> Node:
    """``x``, with each slab of ``updates`` added where its index along ``axis`` says; repeated indices accumulate.

    ``updates`` broadcast to the shape of ``take(x, indices, axis)``. An index outside the axis is an IndexRangeError.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=(10, 3)), ga.input("i", shape=("batch",), dtype="int64")
    >>> scatter_add(x, i, ga.input("updates", shape=("batch", 3)))
    <scatter_add: float32[10, 3]>
    """
    return scattered(ScatterAdd, x, indices, updates, axis)


def scattered(op: type[Scattering], x: Operand, indices: Operand, updates: Operand, axis: int) -> Node:
    """The updates scattered along an axis, of one dtype with ``x`` and broadcast to what the indices take."""
    node, given = unify((x, updates))
    place = normalize_axis(axis, node.ndim)
    chosen = as_indices(indices, node.shape[place])
    shape = taken_shape(node.shape, chosen.shape, place, 0)
    if broadcast_shapes([given.shape, shape]) != shape:
        raise ShapeError(f"updates of shape {given.shape} do not broadcast to {shape}, which these indices take")
    return apply(op(place), node, broadcast(given, shape), chosen)


@builder
def ravel_multi_index(multi_index: Sequence[Operand], dims: Sequence[Dimension]) -> Node:
    """The places in a flattened array of shape ``dims`` of what one index for each axis names, as int64.

    >>> import graphad as ga
    >>> i, j = (ga.input(name, shape=("batch",), dtype="int64") for name in "ij")
    >>> ravel_multi_index((i, j), (3, 4))
    <ravel_multi_index: int64[batch]>
    """
    sizes = shape_of(dims)
    if len(multi_index) != len(sizes) or not sizes:
        raise ShapeError(f"{len(multi_index)} indices for {len(sizes)} sizes: give one for each, and at least one")
    places = [as_indices(index, size) for index, size in zip(multi_index, sizes, strict=True)]
    return apply(RavelMultiIndex(sizes), *broadcast_together(places))
