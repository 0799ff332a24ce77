"""Reading and adding at places of a flat array that are known to lie in it.

What reads one element of each row, and what adds to the same elements on the way back, need the same places: checked
and computed by themselves, they are shared. Rewrites make these operations, from those of `indexing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op, Traits
from graphad.ir.tensor_type import INT64, TensorType
from graphad.ops.indexing import Indexed, check_range
from graphad.ops.structure import zeros


@dataclass(frozen=True)
class PlacesInRows(Op):
    """result[i] = starts[i] + indices[i]: the place of one element of each row, if rows of ``size`` start there."""

    size: int
    name = "places_in_rows"
    latex = r"\mathrm{places}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Two lists of as many int64."""
        starts, indices = operands
        if starts.dtype != INT64 or starts != indices or starts.ndim != 1:
            raise ShapeError(f"a start is needed for each index, all of int64; got {starts} and {indices}")
        return starts

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add, with the range of the indices checked."""
        return places_in_rows_kernel, {"size": self.size}


def places_in_rows_kernel(starts: Any, indices: Any, size: int, out: Any = None) -> Any:
    """The sum, if all indices are in range."""
    check_range(indices, size)
    return np.add(starts, indices, out=out)


@dataclass(frozen=True)
class ReadPlaces(Indexed):
    """result[i] = x[places[i]], for a flat array and places that lie in it."""

    name = "read_places"
    latex = r"\mathrm{take}"

    def infer(self, *operands: TensorType) -> TensorType:
        """A flat array, and a list of int64."""
        x, places = operands
        _check_flat(x, places)
        return TensorType(places.shape, x.dtype)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The method take."""
        return read_places_kernel, {}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Add each cotangent at the place it was read from."""
        x, places = operands
        return (apply(AddPlaces(), zeros(x.type), cotangent, places),)


def read_places_kernel(x: Any, places: Any, out: Any = None) -> Any:
    """x at the places."""
    return x.take(places, None, out, "clip")  # "raise" would buffer the result


@dataclass(frozen=True)
class AddPlaces(Indexed):
    """The flat array x, with values[i] added at places[i], which lie in it; repeated places accumulate, in order."""

    name = "add_places"
    latex = r"\mathrm{scatter}"
    traits = Traits(over_first=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """A flat array, a list of values of its dtype, and as many int64."""
        x, values, places = operands
        _check_flat(x, places)
        if values != TensorType(places.shape, x.dtype):
            raise ShapeError(f"{places} are places for {TensorType(places.shape, x.dtype)}; got {values}")
        return x

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.at."""
        return add_places_kernel, {}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The operand's is the cotangent; the values' is what was read where they went."""
        return cotangent, apply(ReadPlaces(), cotangent, operands[2])

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One addition for each value."""
        return int(np.prod(operands[1].static_shape))


def add_places_kernel(x: Any, values: Any, places: Any, out: Any = None) -> Any:
    """The sum, over ``x`` itself if that is ``out``."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    if out is not x:
        np.copyto(out, x)
    np.add.at(out, places, values)
    return out


def _check_flat(x: TensorType, places: TensorType) -> None:
    if x.ndim != 1 or places.ndim != 1 or places.dtype != INT64:
        raise ShapeError(f"a flat array and a list of int64 are needed; got {x} and {places}")
