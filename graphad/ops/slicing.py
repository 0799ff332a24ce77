"""Taking arrays apart and putting them together: slices and their adjoint, concatenate and stack.

The adjoint of a slice puts a part into an array of zeros. T slices of one array would give T such arrays to be added
up; `Assemble` takes any number of parts instead, and `joined` is how reverse mode adds assemblies: by making one of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.cut import AxisLabels, Cut, Cuts
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import Dimension, Shape, Sizes, TensorType, known, specialise
from graphad.ops.structure import Linear, Transpose


class Span(NamedTuple):
    """Elements ``start, start + step, ...`` of an axis, ``length`` of them; ``start`` counts from 0.

    Of none or one element, the step is 1: so equal spans are written alike, and none runs backwards from place 0.
    """

    start: Dimension
    length: Dimension
    step: int = 1

    @property
    def last(self) -> Dimension:
        """The last place, if there is one."""
        return self.start + self.step * (self.length - 1)

    def specialise(self, sizes: Sizes) -> Span:
        """The span with integers for named sizes; one of no elements begins at 0, whichever way it ran."""
        length = specialise(self.length, sizes)
        if length == 0:
            return Span(0, 0)
        return Span(specialise(self.start, sizes), length, 1 if length == 1 else self.step)

    def as_slice(self) -> slice:
        """The Python slice, once the sizes are integers."""
        start, length = known(self.start), known(self.length)
        stop = start + self.step * length
        return slice(start, None if stop < 0 else stop, self.step)


Index: TypeAlias = tuple[int | Span, ...]
"""For each axis of an array, the one place that is taken, which drops the axis, or the span that is kept."""


def full_index(shape: Shape) -> Index:
    """The index that takes everything."""
    return tuple(Span(0, size) for size in shape)


def reversed_span(size: Dimension) -> Span:
    """The whole of an axis from its end to its beginning."""
    return Span(0, size) if size in (0, 1) else Span(size - 1, size, -1)


def specialise_index(index: Index, sizes: Sizes) -> Index:
    """The index with integers for named sizes."""
    return tuple(part.specialise(sizes) if isinstance(part, Span) else part for part in index)


def numpy_index(index: Index) -> tuple[int | slice, ...]:
    """The index as numpy takes it."""
    return tuple(part if isinstance(part, int) else part.as_slice() for part in index)


def indexed_shape(index: Index) -> Shape:
    """The shape of what an index takes."""
    return tuple(part.length for part in index if isinstance(part, Span))


@dataclass(frozen=True)
class Slice(Linear):
    """A part of an array: a view."""

    index: Index
    name = "slice"
    latex = r"\mathrm{slice}"
    traits = Traits(view=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The index must fit the operand."""
        (x,) = operands
        check_index(self.index, x.shape)
        return TensorType(indexed_shape(self.index), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Slice((Span(0, steps), *self.index))

    def cut(self, place: int, cut: Cut, result: TensorType, *operands: TensorType) -> Cuts | None:
        """A span of the axis of time holds the steps from a later one on; one place of it holds none."""
        kept = [axis for axis, part in enumerate(self.index) if isinstance(part, Span)]
        axis = kept[cut.axis] if place == 0 else cut.axis
        part = self.index[axis]
        if not isinstance(part, Span) or part.step != 1:
            return None
        skipped, rest = divmod(known(part.start), cut.rows)
        if rest or known(part.length) % cut.rows:
            return None
        if place == 0:
            return cut, Cut(axis, cut.rows, cut.first - skipped)
        return Cut(kept.index(axis), cut.rows, cut.first + skipped), cut

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """x[index]."""
        return take_slice_kernel, {"index": numpy_index(self.index)}

    def stride_from(self, earlier: Op) -> tuple[int, ...] | None:
        """How far the places that are taken move along each axis."""
        if self == earlier:
            return ()
        if not isinstance(earlier, Slice) or len(earlier.index) != len(self.index):
            return None
        pairs = list(zip(earlier.index, self.index, strict=True))
        if any(new != old and (isinstance(old, Span) or isinstance(new, Span)) for old, new in pairs):
            return None
        moved = [(old, new) if isinstance(old, int) and isinstance(new, int) else (0, 0) for old, new in pairs]
        return tuple(new - old for old, new in moved)

    def advanced(self, stride: tuple[int, ...], steps: int) -> Op:
        """The places moved on."""
        if not stride:
            return self
        pairs = zip(self.index, stride, strict=True)
        return Slice(tuple(part + steps * by if isinstance(part, int) else part for part, by in pairs))

    def specialise(self, sizes: Sizes) -> Slice:
        """The spans specialised, each in its own way."""
        index = specialise_index(self.index, sizes)
        return self if index == self.index else Slice(index)

    def along(self, stride: tuple[int, ...], steps: int, *operands: Node) -> Node | None:
        """x[:, t] at every step -> x, its axis of time moved to the front."""
        if [by for by in stride if by] != [1]:
            return None
        axis = stride.index(1)
        start = self.index[axis]
        if not isinstance(start, int):
            return None
        part = apply(Slice((*self.index[:axis], Span(start, steps), *self.index[axis + 1 :])), *operands)
        front = sum(isinstance(one, Span) for one in self.index[:axis])
        axes = (front, *(i for i in range(part.ndim) if i != front))
        return part if front == 0 else apply(Transpose(axes), part)

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent in its place, zero elsewhere."""
        return (apply(Assemble(operands[0].shape, (self.index,)), cotangent),)


def take_slice_kernel(x: Array, index: tuple[int | slice, ...]) -> Array:
    """x[index], as a view even of one element, of which numpy would make a number."""
    return x[(*index, ...)]


def check_index(index: Index, shape: Shape) -> None:
    """A ShapeError unless the index lies inside the shape."""
    if len(index) != len(shape):
        raise ShapeError(f"an index of {len(index)} parts for {len(shape)} axes")
    for axis, (part, size) in enumerate(zip(index, shape, strict=True)):
        first, last = (part.start, part.last) if isinstance(part, Span) else (part, part)
        empty = isinstance(part, Span) and part.length == 0
        if not empty and (_is_outside(first, size) or _is_outside(last, size)):
            raise ShapeError(f"index {first} to {last} is outside axis {axis} of size {size}")


def _is_outside(place: Dimension, size: Dimension) -> bool:
    """Whether the place is certainly outside the axis, as far as the sizes are known."""
    left = size - place
    return (isinstance(place, int) and place < 0) or (isinstance(left, int) and left <= 0)


@dataclass(frozen=True)
class Assemble(Linear):
    """Parts added into an array of zeros of shape ``shape``, each at its index: the adjoint of slices."""

    shape: Shape
    indices: tuple[Index, ...]
    name = "assemble"
    latex = r"\mathrm{assemble}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Each part must have the shape of its place."""
        for part, index in zip(operands, self.indices, strict=True):
            check_index(index, self.shape)
            if part.shape != indexed_shape(index):
                raise ShapeError(f"a part of shape {part.shape} for a place of shape {indexed_shape(index)}")
        return TensorType(self.shape, operands[0].dtype)

    def specialise(self, sizes: Sizes) -> Assemble:
        """The spans specialised, each in its own way."""
        shape, indices = specialise(self.shape, sizes), tuple(specialise_index(one, sizes) for one in self.indices)
        return self if (shape, indices) == (self.shape, self.indices) else Assemble(shape, indices)

    def stacked(self, steps: int) -> Op:
        return Assemble((steps, *self.shape), tuple((Span(0, steps), *index) for index in self.indices))

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Zeros, then each part added in its place."""
        return assemble_kernel, {"shape": self.shape, "indices": tuple(numpy_index(index) for index in self.indices)}

    def adjoint(self, cotangent: Node, *_: Node) -> tuple[Node | None, ...]:
        """Each part's place in the cotangent."""
        return tuple(apply(Slice(index), cotangent) for index in self.indices)


def assemble_kernel(*parts: Array, shape: tuple[int, ...], indices: Sequence[Any], out: Array | None = None) -> Array:
    """Zeros, with each part added at its index."""
    if out is None:
        out = np.empty(shape, parts[0].dtype)
    out.fill(0)
    for part, index in zip(parts, indices, strict=True):
        out[index] += part
    return out


def joined(assemblies: Sequence[Node]) -> Node:
    """assemble(a) + assemble(b) -> assemble(a, b), for nodes of `Assemble` of one shape."""
    ops = [node.op for node in assemblies if isinstance(node.op, Assemble)]
    if len(ops) == 1:
        return assemblies[0]
    parts = [part for node in assemblies for part in node.operands]
    return apply(Assemble(ops[0].shape, tuple(index for op in ops for index in op.indices)), *parts)


@dataclass(frozen=True)
class Join(Linear):
    """The base of concatenate and stack: operands side by side along ``axis``."""

    axis: int

    def infer(self, *operands: TensorType) -> TensorType:
        """One dtype; the axis in range."""
        if not operands:
            raise ShapeError("joining needs at least one operand")
        if len({x.dtype for x in operands}) > 1:
            raise DTypeError("the operands have different dtypes: cast them to one")
        if not 0 <= self.axis < operands[0].ndim + isinstance(self, Stack):
            raise ShapeError(f"axis {self.axis} is out of range for {operands[0]}")
        return operands[0]


@dataclass(frozen=True)
class Concatenate(Join):
    """The operands one after the other along an axis they have."""

    name = "concatenate"
    latex = r"\mathrm{concat}"

    def infer(self, *operands: TensorType) -> TensorType:
        """All sizes but the axis's must be equal."""
        first = super().infer(*operands)
        rests = {x.shape[: self.axis] + x.shape[self.axis + 1 :] for x in operands if x.ndim == first.ndim}
        if len(rests) > 1 or any(x.ndim != first.ndim for x in operands):
            raise ShapeError(f"the operands must agree in every axis but axis {self.axis}")
        total = sum((x.shape[self.axis] for x in operands[1:]), start=first.shape[self.axis])
        return TensorType((*first.shape[: self.axis], total, *first.shape[self.axis + 1 :]), first.dtype)

    def stacked(self, steps: int) -> Op:
        return Concatenate(self.axis + 1)

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels:
        """All axes go together but the one along which the operands are joined."""
        own = tuple(None if axis == self.axis else axis for axis in range(result.ndim))
        return (own,) * (1 + len(operands))

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.concatenate."""
        return concatenate_kernel, {"axis": self.axis}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Each operand's part of the cotangent."""
        from_zero = full_index(cotangent.shape)
        parts: list[Node] = []
        start: Dimension = 0
        for x in operands:
            span = Span(start, x.shape[self.axis], 1)
            parts.append(apply(Slice((*from_zero[: self.axis], span, *from_zero[self.axis + 1 :])), cotangent))
            start = start + x.shape[self.axis]
        return tuple(parts)


def concatenate_kernel(*parts: Array, axis: int, out: Array | None = None) -> Array:
    """np.concatenate with its operands as arguments."""
    return np.concatenate(parts, axis=axis, out=out)


@dataclass(frozen=True)
class Stack(Join):
    """The operands, all of one shape, along a new axis."""

    name = "stack"
    latex = r"\mathrm{stack}"

    def infer(self, *operands: TensorType) -> TensorType:
        """All shapes must be equal."""
        first = super().infer(*operands)
        if any(x.shape != first.shape for x in operands):
            raise ShapeError("the operands must have one shape")
        return TensorType((*first.shape[: self.axis], len(operands), *first.shape[self.axis :]), first.dtype)

    def stacked(self, steps: int) -> Op:
        return Stack(self.axis + 1)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.stack."""
        return stack_kernel, {"axis": self.axis}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Each operand's place in the cotangent."""
        index = full_index(cotangent.shape)
        before, after = index[: self.axis], index[self.axis + 1 :]
        return tuple(apply(Slice((*before, i, *after)), cotangent) for i in range(len(operands)))


def stack_kernel(*parts: Array, axis: int, out: Array | None = None) -> Array:
    """np.stack with its operands as arguments."""
    return np.stack(parts, axis=axis, out=out)
