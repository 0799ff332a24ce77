"""Operations that rearrange or repeat elements, and the sum, which undoes repetition.

All are linear. They stand together because each is the adjoint of another: a reshape of a reshape, a permutation of its
inverse, a sum of a broadcast. So one rule, the adjoint, gives both modes of differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from graphad.errors import ShapeError
from graphad.ir.cut import AxisLabels, Cut, Cuts
from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import Shape, TensorType


@dataclass(frozen=True)
class Linear(Op):
    """An operation that is linear in all of its operands together."""

    traits = Traits(linear=True)

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The transposed map, applied to the cotangent; of ``operands`` only the types matter."""
        raise TypeError(f"{type(self).__name__} has no adjoint")

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The adjoint."""
        return self.adjoint(cotangent, *operands)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The operation itself, on the tangents."""
        if all(tangent is None for tangent in tangents):
            return None
        return apply(self, *(zeros(x.type) if t is None else t for t, x in zip(tangents, operands, strict=True)))


def zeros(type: TensorType) -> Node:
    """Zeros of a type."""
    zero = apply(Constant.of(np.zeros((), type.dtype)))
    return apply(BroadcastTo(type.shape), zero) if type.shape else zero


@dataclass(frozen=True)
class Reshape(Linear):
    """The same elements, in order, in another shape."""

    shape: Shape
    name = "reshape"
    latex = r"\mathrm{reshape}"
    traits = Traits(contiguous_view=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """Any shape with as many elements."""
        (x,) = operands
        target = TensorType(self.shape, x.dtype)
        if target.size != x.size:
            raise ShapeError(
                f"{x} has {x.size} elements and cannot take the shape {self.shape}, which has {target.size}"
            )
        return target

    def stacked(self, steps: int) -> Op:
        return Reshape((steps, *self.shape))

    def cut(self, place: int, cut: Cut, result: TensorType, *operands: TensorType) -> Cuts | None:
        """Steps that lie one after another, each in one piece, do so in any shape."""
        here, there = (result, operands[0]) if place == 0 else (operands[0], result)
        moved = _in_another_shape(cut, here.static_shape, there.static_shape)
        return None if moved is None else (cut, moved) if place == 0 else (moved, cut)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """x.reshape(shape)."""
        return reshape_kernel, {"shape": self.shape}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Reshape back."""
        return (apply(Reshape(operands[0].shape), cotangent),)


def _in_another_shape(cut: Cut, here: tuple[int, ...], there: tuple[int, ...]) -> Cut | None:
    """The cut of the same elements in another shape, if a step of it is a number of rows."""
    axis = next((axis for axis, size in enumerate(there) if size != 1), 0)
    if prod(here[: cut.axis]) != 1 or not there or 0 in there:
        return None
    rows, rest = divmod(cut.rows * prod(here[cut.axis + 1 :]), prod(there[axis + 1 :]))
    return None if rest else Cut(axis, rows, cut.first)


def reshape_kernel(x: Array, shape: tuple[int, ...], out: Array | None = None) -> Array:
    """A view where the memory allows it; into ``out`` where it does not."""
    if out is None:
        return x.reshape(shape)
    np.copyto(out.reshape(x.shape), x)
    return out


@dataclass(frozen=True)
class Transpose(Linear):
    """The axes in another order: axis i of the result is axis ``axes[i]`` of the operand."""

    axes: tuple[int, ...]
    name = "transpose"
    latex = r"{}^\top"
    traits = Traits(view=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The axes must be a permutation."""
        (x,) = operands
        if sorted(self.axes) != list(range(x.ndim)):
            raise ShapeError(f"{self.axes} is no permutation of the {x.ndim} axes of {x}")
        return TensorType(tuple(x.shape[axis] for axis in self.axes), x.dtype)

    def stacked(self, steps: int) -> Op:
        return Transpose((0, *(axis + 1 for axis in self.axes)))

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels:
        """Axis i goes with axis ``axes[i]``."""
        return self.axes, tuple(range(len(self.axes)))

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.transpose."""
        return np.transpose, {"axes": self.axes}

    def adjoint(self, cotangent: Node, *_: Node) -> tuple[Node | None, ...]:
        """The inverse permutation."""
        return (apply(Transpose(tuple(int(i) for i in np.argsort(self.axes))), cotangent),)


@dataclass(frozen=True)
class BroadcastTo(Linear):
    """The operand repeated along new leading axes and along axes of size 1."""

    shape: Shape
    name = "broadcast_to"
    latex = r"\mathrm{broadcast}"
    traits = Traits(view=True, broadcast=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """Trailing sizes must be equal or 1."""
        (x,) = operands
        trailing = self.shape[len(self.shape) - x.ndim :]
        if len(self.shape) < x.ndim or any(a not in (1, b) for a, b in zip(x.shape, trailing, strict=True)):
            raise ShapeError(f"{x} does not broadcast to the shape {self.shape}")
        return TensorType(self.shape, x.dtype)

    def stacked(self, steps: int) -> Op:
        """The same, one axis further: numpy aligns last axes, so new axes of the operand must stand behind its first.

        An operand of shape (steps, 3) that is to become (steps, 5, 3) is given as (steps, 1, 3).
        """
        return BroadcastTo((steps, *self.shape))

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels:
        """Last axes go together, unless they are repeated."""
        new = result.ndim - operands[0].ndim
        sizes = zip(operands[0].shape, result.shape[new:], strict=True)
        own = tuple(new + i if size == repeated else None for i, (size, repeated) in enumerate(sizes))
        return tuple(range(result.ndim)), own

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.broadcast_to."""
        return np.broadcast_to, {"shape": self.shape}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Sum over what was repeated."""
        return (sum_to(cotangent, operands[0].shape),)


def sum_to(x: Node, shape: Shape) -> Node:
    """Sum ``x`` over the axes along which ``shape`` would be repeated to become the shape of ``x``."""
    new = x.ndim - len(shape)
    repeated = (i for i, size in enumerate(shape) if size == 1 and x.shape[new + i] != 1)
    axes = (*range(new), *(new + i for i in repeated))
    total = apply(Sum(axes, keepdims=False), x) if axes else x
    return total if total.shape == shape else apply(Reshape(shape), total)


@dataclass(frozen=True)
class Copy(Linear):
    """The operand, in memory of its own."""

    name = "copy"
    latex = r"\mathrm{copy}"
    traits = Traits(elementwise=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type."""
        return operands[0]

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.copyto."""
        return copy_kernel, {}

    def adjoint(self, cotangent: Node, *_: Node) -> tuple[Node | None, ...]:
        """The cotangent."""
        return (cotangent,)


def copy_kernel(x: Array, out: Array | None = None) -> Array:
    """A copy of ``x``."""
    if out is None:
        return x.copy()
    np.copyto(out, x)
    return out


@dataclass(frozen=True)
class Cast(Linear):
    """The same values in another dtype; the gradient passes from float to float only."""

    dtype: np.dtype[Any]
    name = "cast"
    latex = r"\mathrm{cast}"
    traits = Traits(elementwise=True, linear=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's shape."""
        return TensorType(operands[0].shape, self.dtype)

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.copyto, with casting."""
        return cast_kernel, {"dtype": self.dtype.name}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Cast back."""
        x = operands[0].type
        return (apply(Cast(x.dtype), cotangent) if x.is_float and cotangent.type.is_float else None,)


def cast_kernel(x: Array, dtype: str, out: Array | None = None) -> Array:
    """The values of ``x`` in another dtype."""
    if out is None:
        return x.astype(dtype)
    np.copyto(out, x, casting="unsafe")
    return out


_SUMS = {"b": np.dtype(np.int64), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}
"""What sums of small integers are made of, so that they do not wrap: numpy's choice too."""


@dataclass(frozen=True)
class Sum(Linear):
    """The sum over ``axes``; of nothing, zero. Integers are summed as int64 or uint64, and so are truth values."""

    axes: tuple[int, ...]
    keepdims: bool = False
    name = "sum"
    latex = r"\sum"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand without the axes, or with size 1 in their place."""
        (x,) = operands
        return TensorType(reduced_shape(x.shape, self.axes, self.keepdims), _SUMS.get(x.dtype.kind, x.dtype))

    def stacked(self, steps: int) -> Op:
        return Sum(tuple(axis + 1 for axis in self.axes), self.keepdims)

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels:
        """The result lacks the axes that are summed over."""
        own = tuple(range(operands[0].ndim))
        kept = (None if axis in self.axes else axis for axis in own)
        return tuple(kept) if self.keepdims else tuple(axis for axis in own if axis not in self.axes), own

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.reduce, which is np.sum without its ceremony."""
        return np.add.reduce, reduction_keywords(self.axes, self.keepdims)

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Repeat the cotangent over the axes."""
        return (spread(cotangent, operands[0].shape, self.axes),)

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One addition for each element."""
        return int(np.prod(operands[0].static_shape))


def reduced_shape(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape after a reduction over ``axes``."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def reduction_keywords(axes: tuple[int, ...], keepdims: bool) -> Attributes:
    """The keywords of numpy's reductions, and no more of them than needed."""
    axis = axes[0] if len(axes) == 1 else axes
    return {"axis": axis, "keepdims": True} if keepdims else {"axis": axis}


def spread(reduced: Node, shape: Shape, axes: tuple[int, ...]) -> Node:
    """A value that was reduced over ``axes``, with or without keepdims, repeated to ``shape``, as it was before."""
    kept = reduced_shape(shape, axes, keepdims=True)
    aligned = reduced if reduced.shape == kept else apply(Reshape(kept), reduced)
    return aligned if kept == shape else apply(BroadcastTo(shape), aligned)
