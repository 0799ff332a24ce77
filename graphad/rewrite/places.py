"""One element of each row, read or added to: by its place in the flat array, which reading and adding share."""

from __future__ import annotations

import numpy as np

from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import INT64, TensorType, known
from graphad.ops.arithmetic import Add
from graphad.ops.build import cast
from graphad.ops.indexing import AddAlongAxis, TakeAlongAxis
from graphad.ops.places import AddPlaces, PlacesInRows, ReadPlaces
from graphad.ops.structure import Reshape, zeros
from graphad.rewrite.constants import uniform
from graphad.rewrite.driver import Rewrites


def read_of_each_row(node: Node) -> Node | None:
    """take_along_axis(x, one index for each row) -> x.reshape(-1)[places]."""
    if not isinstance(node.op, TakeAlongAxis):
        return None
    x, indices = node.operands
    if not _is_one_of_each_row(indices, node.op.axis):
        return None
    return _shaped(apply(ReadPlaces(), _flat(x), _places(indices, known(x.shape[-1]))), node)


def sum_of_each_row(node: Node) -> Node | None:
    """add_along_axis(values, one index for each row) -> zeros with the values added at places."""
    if not isinstance(node.op, AddAlongAxis):
        return None
    values, indices = node.operands
    if not _is_one_of_each_row(indices, node.op.axis):
        return None
    places = _places(indices, known(node.op.size))
    nothing = zeros(TensorType((node.type.size,), node.dtype))
    return _shaped(apply(AddPlaces(), nothing, _flat(values), places), node)


def sum_in_places(node: Node) -> Node | None:
    """X + zeros with values added at places -> x with the values added at places."""
    if not isinstance(node.op, Add):
        return None
    for x, other in (node.operands, node.operands[::-1]):
        added = other.operands[0] if isinstance(other.op, Reshape) else other
        if isinstance(added.op, AddPlaces) and _is_zero(added.operands[0]) and x.type == node.type:
            return _shaped(apply(added.op, _flat(x), *added.operands[1:]), node)
    return None


def _is_one_of_each_row(indices: Node, axis: int) -> bool:
    return axis == indices.ndim - 1 and indices.shape[axis] == 1


def _places(indices: Node, size: int) -> Node:
    """Where in the flat array the element of each row is that its index, which is checked, names."""
    flat = cast(_flat(indices), INT64)
    rows = known(flat.shape[0])
    return apply(PlacesInRows(size), apply(Constant.of(size * np.arange(rows))), flat)


def _flat(node: Node) -> Node:
    return apply(Reshape((node.type.size,)), node)


def _shaped(node: Node, like: Node) -> Node:
    return apply(Reshape(like.shape), node)


def _is_zero(node: Node) -> bool:
    number = uniform(node)
    return number is not None and bool(number.value == 0)


PLACES_IN_ROWS = Rewrites("places in rows", (read_of_each_row, sum_of_each_row, sum_in_places), exact=False)
