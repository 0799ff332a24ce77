"""Setting slabs at places that are known only when the graph runs. Of two updates for one place, the last one stays.

So the cotangent goes to the update that stayed, and to the operand where nothing was written.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import BOOL, INT64, Dimension, TensorType
from graphad.ops.build import Operand, broadcast
from graphad.ops.gather import Scattering, Take, places_of_slabs, scattered
from graphad.ops.indexing import check_integers, element_count, multiples, places_scratch
from graphad.ops.selection import where
from graphad.ops.structure import Reshape, zeros


@dataclass(frozen=True)
class LastWrite(Op):
    """For each index, whether no later one names the same place of an axis of ``size``; for each batch by itself."""

    size: Dimension
    batch: int = 0
    name = "last_write"
    latex = r"\mathrm{last}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Truth values of the indices' shape."""
        (indices,) = operands
        check_integers(indices)
        if self.batch > indices.ndim:
            raise ShapeError(f"{indices} has no {self.batch} axes of the batch")
        return TensorType(indices.shape, BOOL)

    def stacked(self, steps: int) -> Op:
        return LastWrite(self.size, self.batch + 1)

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the places, the numbers, what is written and what is read again."""
        shape = operands[0].static_shape
        groups, count = element_count(shape[: self.batch]), element_count(shape)
        size = TensorType((groups, self.size), INT64)
        return (*places_scratch((groups, 1), count), *[TensorType((count,), INT64)] * 2, size)

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Only what lies contiguous, since it is flattened."""
        return operand in contiguous

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The indices' numbers, written and read again."""
        return last_write_kernel, {"size": self.size, "batch": self.batch}


def last_write_kernel(indices: Any, size: int, batch: int, scratch: Any, out: Any = None) -> Any:
    """Each index writes its number at its place; who reads his own number there was the last."""
    if out is None:
        out = np.empty(indices.shape, np.bool_)
    places = places_of_slabs(indices, (*indices.shape[:batch], size), batch, batch, scratch)
    numbers, read, written = multiples(1, scratch[2]), scratch[3], scratch[4]
    np.put(written, places, numbers)  # one after the other
    np.take(written, places, out=read, mode="clip")  # only what was written
    np.equal(read.reshape(out.shape), numbers.reshape(out.shape), out=out)
    return out


@dataclass(frozen=True)
class Scatter(Scattering):
    """The operand, with each slab of the updates set where its index says; the last one stays."""

    name = "scatter"
    latex = r"\mathrm{set}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.put, on a copy."""
        return scatter_kernel, {"axis": self.axis, "batch": self.batch}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The operand's is the cotangent but for what was written; each update's is what it left there."""
        x, updates, indices = operands
        kept = apply(self, cotangent, zeros(updates.type), indices)
        last = apply(LastWrite(x.shape[self.axis], self.batch), indices)
        aligned = (*indices.shape[: self.batch], *(1,) * (self.axis - self.batch), *indices.shape[self.batch :])
        behind = (1,) * (updates.ndim - len(aligned))
        winners = broadcast(apply(Reshape((*aligned, *behind)), last), updates.shape)
        return kept, where(winners, apply(Take(self.axis, self.batch), cotangent, indices), 0.0)


def scatter_kernel(x: Any, updates: Any, indices: Any, axis: int, batch: int, scratch: Any, out: Any = None) -> Any:
    """A copy of ``x`` with the updates written one after the other."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    np.copyto(out, x)
    np.put(out, places_of_slabs(indices, x.shape, axis, batch, scratch), updates)
    return out


@builder
def scatter(x: Operand, indices: Operand, updates: Operand, axis: int = 0) -> Node:
    """``x``, with each slab of ``updates`` set where its index along ``axis`` says; of several, the last one stays.

    Last in the order of the indices, row by row. The cotangent of what was written goes to the update that stayed
    only: the operand and the updates that were written over get zero there. ``updates`` broadcast to the shape of
    ``take(x, indices, axis)``. An index outside the axis is an IndexRangeError.

    >>> import graphad as ga
    >>> x, i = ga.input("x", shape=(10, 3)), ga.input("i", shape=("batch",), dtype="int64")
    >>> scatter(x, i, ga.input("updates", shape=("batch", 3)))
    <scatter: float32[10, 3]>
    """
    return scattered(Scatter, x, indices, updates, axis)
