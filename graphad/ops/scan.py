"""Running sums and products along an axis, and the recurrence that their derivatives are.

The running product y[i] = x[i] y[i-1] is differentiated as the recurrence it is, and not as y / x: so there is no
division, and zeros among the factors are no special case, in any order of derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import Operand, as_node, normalize_axis
from graphad.ops.options import numpy_options
from graphad.ops.shaping import reshape
from graphad.ops.structure import Linear


def accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What sums and products are made of, so that small integers do not wrap: numpy's choice too.

    >>> accumulator(np.dtype("bool")), accumulator(np.dtype("uint8")), accumulator(np.dtype("float32"))
    (dtype('int64'), dtype('uint64'), dtype('float32'))
    """
    return np.add.accumulate(np.empty(0, dtype)).dtype


@dataclass(frozen=True)
class Shift(Linear):
    """Every element moved on by one place along ``axis`` (back, if ``reverse``); where none comes from there is 0."""

    axis: int
    reverse: bool = False
    name = "shift"
    latex = r"\mathrm{shift}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type."""
        return operands[0]

    def stacked(self, steps: int) -> Op:
        return Shift(self.axis + 1, self.reverse)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A copy between parts."""
        return shift_kernel, {"axis": self.axis, "reverse": self.reverse}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Shift the other way."""
        return (apply(Shift(self.axis, not self.reverse), cotangent),)


def shift_kernel(x: Any, axis: int, reverse: bool, out: Any = None) -> Any:
    """0, then ``x`` without its last element; if ``reverse``, ``x`` without its first, then 0."""
    if out is None:
        out = np.empty_like(x)
    source, target = np.swapaxes(x, 0, axis), np.swapaxes(out, 0, axis)
    if reverse:
        source, target = source[::-1], target[::-1]
    target[:1] = 0
    target[1:] = source[:-1]
    return out


@dataclass(frozen=True)
class CumSum(Linear):
    """y[i] = x[i] + y[i-1] along ``axis``, from nothing; if ``reverse``, from the other end."""

    axis: int
    reverse: bool = False
    name = "cumsum"
    latex = r"\mathrm{cumsum}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's shape; integers become int64 or uint64, as in a sum."""
        (x,) = operands
        return TensorType(x.shape, accumulator(x.dtype))

    def stacked(self, steps: int) -> Op:
        return CumSum(self.axis + 1, self.reverse)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.add.accumulate, which is np.cumsum without its ceremony; or the same between flips."""
        return (cumsum_backward_kernel if self.reverse else np.add.accumulate), {"axis": self.axis}

    def adjoint(self, cotangent: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Each element reaches all sums from its place on: the running sum from the other end."""
        return (apply(CumSum(self.axis, not self.reverse), cotangent),)


def cumsum_backward_kernel(x: Any, axis: int, out: Any = None) -> Any:
    """The running sum from the last element to the first."""
    place = None if out is None else np.flip(out, axis)
    return np.flip(np.add.accumulate(np.flip(x, axis), axis=axis, out=place), axis)


@dataclass(frozen=True)
class CumProd(Op):
    """y[i] = x[i] y[i-1] along ``axis``, from 1; if ``exclusive``, y[i-1]; if ``reverse``, from the other end."""

    axis: int
    reverse: bool = False
    exclusive: bool = False
    name = "cumprod"
    latex = r"\mathrm{cumprod}"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's shape; integers become int64 or uint64, as in a product."""
        (x,) = operands
        return TensorType(x.shape, accumulator(x.dtype))

    def stacked(self, steps: int) -> Op:
        return CumProd(self.axis + 1, self.reverse, self.exclusive)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.multiply.accumulate, between views of operand and result."""
        if not (self.reverse or self.exclusive):
            return np.multiply.accumulate, {"axis": self.axis}
        return cumprod_kernel, {"axis": self.axis, "reverse": self.reverse, "exclusive": self.exclusive}

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The product before i, times s[i] = g[i] + x[i+1] s[i+1]; in exclusive products, g[i+1] for g[i]."""
        (x,) = operands
        back = Shift(self.axis, not self.reverse)
        arriving = apply(back, cotangent) if self.exclusive else cotangent
        later = apply(LinearRecurrence(self.axis, not self.reverse), apply(back, x), arriving)
        return (self._before(x, result) * later,)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """y'[i] = x[i] y'[i-1] + x'[i] y[i-1]; of an exclusive product, one place later."""
        (x,), (tangent,) = operands, tangents
        if tangent is None:
            return None
        moved = apply(LinearRecurrence(self.axis, self.reverse), x, tangent * self._before(x, result))
        return apply(Shift(self.axis, self.reverse), moved) if self.exclusive else moved

    def _before(self, x: Node, result: Node) -> Node:
        """For each element, the product of those before it."""
        return result if self.exclusive else apply(CumProd(self.axis, self.reverse, exclusive=True), x)


def cumprod_kernel(x: Any, axis: int, reverse: bool, exclusive: bool, out: Any = None) -> Any:
    """Running products, from either end, with or without the element itself."""
    if out is None:
        out = np.empty(x.shape, np.multiply.accumulate(x[:0], axis=axis).dtype)
    factors, products = np.swapaxes(x, 0, axis), np.swapaxes(out, 0, axis)
    if reverse:
        factors, products = factors[::-1], products[::-1]
    if exclusive:
        products[:1] = 1
        factors, products = factors[:-1], products[1:]
    np.multiply.accumulate(factors, axis=0, out=products)
    return out


@dataclass(frozen=True)
class LinearRecurrence(Op):
    """h[i] = a[i] h[i-1] + b[i] along ``axis``, from h = 0; if ``reverse``, from the other end."""

    axis: int
    reverse: bool = False
    name = "linear_recurrence"
    latex = r"\mathrm{rec}"

    def infer(self, *operands: TensorType) -> TensorType:
        """Two operands of floats, of one type."""
        a, b = operands
        if a.shape != b.shape:
            raise ShapeError("the operands must have one shape: broadcast them first")
        if a.dtype != b.dtype or not a.is_float:
            raise DTypeError("the operands must be floats of one dtype: cast them first")
        return b

    def stacked(self, steps: int) -> Op:
        return LinearRecurrence(self.axis + 1, self.reverse)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A loop over the axis."""
        return linear_recurrence_kernel, {"axis": self.axis, "reverse": self.reverse}

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """s[i] h[i-1] and s[i], where s[i] = g[i] + a[i+1] s[i+1]: the recurrence from the other end."""
        later = apply(Shift(self.axis, not self.reverse), operands[0])
        arriving = apply(LinearRecurrence(self.axis, not self.reverse), later, cotangent)
        return arriving * apply(Shift(self.axis, self.reverse), result), arriving

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """h'[i] = a[i] h'[i-1] + a'[i] h[i-1] + b'[i]."""
        by_a, by_b = tangents
        moved = None if by_a is None else by_a * apply(Shift(self.axis, self.reverse), result)
        terms = [term for term in (moved, by_b) if term is not None]
        return apply(self, operands[0], sum(terms[1:], start=terms[0])) if terms else None

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """One product and one addition for each element."""
        return 2 * super().flops(result, *operands)


def linear_recurrence_kernel(a: Any, b: Any, axis: int, reverse: bool, out: Any = None) -> Any:
    """h[i] = a[i] h[i-1] + b[i]; the first of ``a`` is not used."""
    if out is None:
        out = np.empty_like(b)
    a, b, h = np.swapaxes(a, 0, axis), np.swapaxes(b, 0, axis), np.swapaxes(out, 0, axis)
    if reverse:
        a, b, h = a[::-1], b[::-1], h[::-1]
    h[:1] = b[:1]
    for i in range(1, len(h)):
        here = h[i : i + 1]
        np.multiply(a[i : i + 1], h[i - 1 : i], out=here)
        np.add(here, b[i : i + 1], out=here)
    return out


@builder
@numpy_options
def cumsum(x: Operand, axis: int | None = None) -> Node:
    """y[i] = x[0] + ... + x[i] along ``axis`` (None: of the flattened operand); of integers, as int64 or uint64.

    A ShapeError for an axis that ``x`` does not have.

    >>> import graphad as ga
    >>> cumsum(ga.input("x", shape=("batch", 3)), axis=1)
    <cumsum: float32[batch, 3]>
    """
    node, place = along(x, axis)
    return apply(CumSum(place), node)


@builder
@numpy_options
def cumprod(x: Operand, axis: int | None = None) -> Node:
    """y[i] = x[0] * ... * x[i] along ``axis`` (None: of the flattened operand); of integers, as int64 or uint64.

    The gradient is exact where factors are 0. A ShapeError for an axis that ``x`` does not have.

    >>> import graphad as ga
    >>> cumprod(ga.input("x", shape=(2, 3)))
    <cumprod: float32[6]>
    """
    node, place = along(x, axis)
    return apply(CumProd(place), node)


def along(x: Operand, axis: int | None) -> tuple[Node, int]:
    """The operand and its axis, counted from 0; flattened, if ``axis`` is None."""
    node = as_node(x)
    return (reshape(node, -1), 0) if axis is None else (node, normalize_axis(axis, node.ndim))
