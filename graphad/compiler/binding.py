"""Arguments of a call: which array is which input, whether it fits, and what its shape says of the named sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.leaves import fits
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.tensor_type import Dim


def bind(inputs: Sequence[Node], positional: Sequence[Any], named: Mapping[str, Any]) -> list[Array]:
    """The arrays of the inputs, in order. An ArgumentError for one that is missing, extra or given twice."""
    names = [node.label for node in inputs]
    if len(positional) > len(names):
        raise ArgumentError(f"{len(positional)} arguments for {len(names)} inputs ({', '.join(names) or 'none'})")
    given = dict(zip(names, positional, strict=False))
    for name, value in named.items():
        if name not in names:
            raise ArgumentError(f"there is no input {name!r}: the inputs are {', '.join(names) or 'none'}")
        if name in given:
            raise ArgumentError(f"input {name!r} was given twice, by position and by name")
        given[name] = value
    missing = [name for name in names if name not in given]
    if missing:
        raise ArgumentError(f"missing: {', '.join(missing)}; the inputs are {', '.join(names)}")
    return [_array(node, given[node.label]) for node in inputs]


def _array(node: Node, value: Any) -> Array:
    """The value as a native array of the input's dtype: itself if it is one, else a copy."""
    if type(value) is np.ndarray and value.dtype == node.dtype and value.dtype.isnative:
        return value
    if isinstance(value, Node):
        raise ArgumentError(f"input {node.label!r} was given {value!r}, which is symbolic: give it numbers")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"input {node.label!r}: {error}") from error
    numbers = isinstance(value, (bool, int, float, list, tuple)) and array.dtype.kind in "biuf"
    if not (fits(array, node.dtype) or (numbers and array.size == 0)):
        raise DTypeError(
            f"input {_described(node)} was given an array of {array.dtype}, whose values {node.dtype} does not hold: "
            f"use .astype({node.dtype.name!r}) if that is what you mean"
        )
    with np.errstate(over="ignore"):
        return array.astype(node.dtype)


def _described(node: Node) -> str:
    place = f", declared at {node.origin.place}" if node.origin.place else ""
    return f"{node.label!r} ({node.type}{place})"


def sizes_of(inputs: Sequence[Node], arrays: Sequence[Array]) -> dict[str, int]:
    """The named sizes, from the arrays' shapes; a ShapeError names the input and the axis that do not fit."""
    sizes: dict[str, int] = {}
    for node, array in zip(inputs, arrays, strict=True):
        if array.ndim != node.ndim:
            raise ShapeError(f"input {_described(node)} was given shape {array.shape}: {node.ndim} axes are expected")
        for size, actual in zip(node.shape, array.shape, strict=True):
            name = _name_of(size)
            if name is not None:
                sizes.setdefault(name, actual)
    for node, array in zip(inputs, arrays, strict=True):
        _check_shape(node, array, sizes)
    return sizes


def _name_of(size: int | Dim) -> str | None:
    """The name, if the size is a name alone."""
    return size.names[0] if isinstance(size, Dim) and size == Dim.named(size.names[0]) else None


def _check_shape(node: Node, array: Array, sizes: Mapping[str, int]) -> None:
    for axis, (size, actual) in enumerate(zip(node.shape, array.shape, strict=True)):
        expected = size.specialise(sizes) if isinstance(size, Dim) else size
        if isinstance(expected, Dim):
            raise ShapeError(
                f"input {_described(node)}: nothing says what {size} is; declare an input with that size alone"
            )
        if actual != expected:
            why = f"{size} is {expected} by an earlier argument" if isinstance(size, Dim) else f"it is declared {size}"
            raise ShapeError(
                f"input {_described(node)} was given shape {array.shape}: axis {axis} has size {actual}, but {why}"
            )
