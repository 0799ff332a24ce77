"""Comparisons, choices, and the functions that are made of pieces.

A choice selects and never multiplies by a mask, so what is not taken, be it NaN or infinite, does not leak. At a kink
the derivative is a convention: 0 for abs and relu at 0, one half each for two operands that tie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op, Traits
from graphad.ir.tensor_type import BOOL, TensorType
from graphad.ops.build import Operand, as_float, as_node, broadcast, broadcast_shapes, broadcast_together, unify
from graphad.ops.elementwise import Analytic, DirectionMap, Elementwise, Numeric, elementwise
from graphad.ops.rounding import Step, no_change


@dataclass(frozen=True)
class Comparison(Elementwise):
    """The base of comparisons: two operands of one type, a result of bool."""

    def infer(self, *operands: TensorType) -> TensorType:
        """Bool, of the operands' shape."""
        return TensorType(super().infer(*operands).shape, BOOL)


def _comparison(class_name: str, symbol: str, function: np.ufunc, *, symmetric: bool = False) -> type[Comparison]:
    facts = {
        "name": function.__name__,
        "latex": symbol,
        "ufunc": function,
        "traits": Traits(elementwise=True, commutative=symmetric),
        "__doc__": f"Elementwise ``{function.__name__}``, as bool; it carries no gradient.",
        "__module__": __name__,
    }
    return dataclass(frozen=True)(type(class_name, (Comparison,), facts))


Equal = _comparison("Equal", "=", np.equal, symmetric=True)
NotEqual = _comparison("NotEqual", r"\neq", np.not_equal, symmetric=True)
Less = _comparison("Less", "<", np.less)
LessEqual = _comparison("LessEqual", r"\leq", np.less_equal)
Greater = _comparison("Greater", ">", np.greater)
GreaterEqual = _comparison("GreaterEqual", r"\geq", np.greater_equal)
LogicalAnd = _comparison("LogicalAnd", r"\wedge", np.logical_and, symmetric=True)
LogicalOr = _comparison("LogicalOr", r"\vee", np.logical_or, symmetric=True)
LogicalXor = _comparison("LogicalXor", r"\oplus", np.logical_xor, symmetric=True)
LogicalNot = _comparison("LogicalNot", r"\neg", np.logical_not)
IsFinite = _comparison("IsFinite", r"\mathrm{finite}", np.isfinite)
IsInf = _comparison("IsInf", r"\mathrm{inf}", np.isinf)
IsNan = _comparison("IsNan", r"\mathrm{nan}", np.isnan)


@dataclass(frozen=True)
class Where(Op):
    """x where the condition holds, y elsewhere."""

    name = "where"
    latex = r"\mathrm{where}"
    traits = Traits(elementwise=True, multipass=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """A condition of bool, and two operands of one type, all of one shape."""
        condition, x, y = operands
        if condition.dtype != BOOL:
            raise DTypeError(f"the condition must be bool, not {condition.dtype}: compare it with something")
        if x.dtype != y.dtype or not condition.shape == x.shape == y.shape:
            raise ShapeError("the condition and both choices must have one shape, the choices one dtype")
        return x

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.where, into a given array."""
        return where_kernel, {}

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Each choice gets the cotangent where it was taken, 0 elsewhere."""
        condition = operands[0]
        return None, where(condition, cotangent, 0.0), where(condition, 0.0, cotangent)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The tangent of the choice that was taken."""
        _, x, y = tangents
        return None if x is y is None else where(operands[0], 0.0 if x is None else x, 0.0 if y is None else y)


def where_kernel(condition: Any, x: Any, y: Any, out: Any = None) -> Any:
    """np.where, into ``out`` if it is given: y ^ ((x ^ y) * condition) on the bits, which selects without a branch.

    Where choices alternate at random, a processor that guesses branches takes twenty times as long as three passes do.
    """
    if out is None:
        return np.where(condition, x, y)
    bits = f"i{out.itemsize}"
    chosen, other, result = (np.asarray(choice, out.dtype).view(bits) for choice in (x, y, out))
    if other.ndim == 0 and other == 0:
        np.multiply(chosen, condition, out=result)
        return out
    np.bitwise_xor(chosen, other, out=result)
    np.multiply(result, condition, out=result)
    np.bitwise_xor(result, other, out=result)
    return out


@builder
def where(condition: Operand, x: Operand, y: Operand) -> Node:
    """``x`` where ``condition`` (bool) holds, ``y`` elsewhere; all three broadcast together.

    >>> import graphad as ga
    >>> a = ga.input("a", shape=(3,))
    >>> where(a > 0, a, 0.0)
    <where: float32[3]>
    """
    test, (first, second) = as_node(condition), unify((x, y))
    shape = broadcast_shapes([test.shape, first.shape, second.shape])
    return apply(Where(), broadcast(test, shape), broadcast(first, shape), broadcast(second, shape))


@dataclass(frozen=True)
class Absolute(Elementwise):
    """The absolute value; its derivative at 0 is 0."""

    name = "absolute"
    latex = r"|\cdot|"
    ufunc = np.absolute

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Sign x."""
        (x,) = operands
        return (lambda d: d * sign(x),)


@dataclass(frozen=True)
class Sign(Step):
    """-1, 0 or 1; its derivative is 0."""

    name = "sign"
    latex = r"\mathrm{sign}"
    ufunc = np.sign


@dataclass(frozen=True)
class Heaviside(Analytic):
    """0 where x is negative, 1 where it is positive, the second operand where it is 0."""

    name = "heaviside"
    latex = r"\Theta"
    ufunc = np.heaviside

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """0, and 1 where x is 0."""
        x, _ = operands
        return no_change, lambda d: where(equal(x, 0.0), d, 0.0)


@dataclass(frozen=True)
class Relu(Numeric):
    """max(x, 0); its derivative at 0 is 0."""

    name = "relu"
    latex = r"\mathrm{relu}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The maximum of x and 0, NaN staying NaN."""
        return relu_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 where the result is positive."""
        return (lambda d: where(result > 0, d, 0.0),)


def relu_kernel(x: Any, out: Any = None) -> Any:
    """max(x, 0)."""
    return np.maximum(x, 0, out=out)


@dataclass(frozen=True)
class Extremum(Elementwise):
    """The base of maximum and minimum: the operand that was chosen gets the direction, two that tie get half of it."""

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 where the operand is the result and the other is not, 1/2 where both are, 0 elsewhere."""
        x, y = operands
        return lambda d: _share(d, x, y, result), lambda d: _share(d, y, x, result)


def _share(direction: Node, mine: Node, other: Node, result: Node) -> Node:
    tied = where(equal(mine, other), 0.5 * direction, direction)
    return where(equal(mine, result), tied, 0.0)


@dataclass(frozen=True)
class Maximum(Extremum):
    """The greater of two; NaN if either is."""

    name = "maximum"
    latex = r"\max"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.maximum


@dataclass(frozen=True)
class Minimum(Extremum):
    """The lesser of two; NaN if either is."""

    name = "minimum"
    latex = r"\min"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.minimum


@dataclass(frozen=True)
class FMax(Extremum):
    """The greater of two; if one is NaN, the other."""

    name = "fmax"
    latex = r"\max"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.fmax


@dataclass(frozen=True)
class FMin(Extremum):
    """The lesser of two; if one is NaN, the other."""

    name = "fmin"
    latex = r"\min"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.fmin


@dataclass(frozen=True)
class Clip(Numeric):
    """min(max(x, low), high); a value at a bound is inside."""

    name = "clip"
    latex = r"\mathrm{clip}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.clip."""
        return np.clip, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 for x from low to high, and for the bound that is the result elsewhere."""
        x, low, high = operands
        inside = logical_and(less_equal(low, x), less_equal(x, high))
        lowest = logical_and(less(x, low), less_equal(low, high))
        highest = logical_or(less(high, x), less(high, low))
        return tuple((lambda d, taken=taken: where(taken, d, 0.0)) for taken in (inside, lowest, highest))


equal = elementwise(Equal())
not_equal = elementwise(NotEqual())
less = elementwise(Less())
less_equal = elementwise(LessEqual())
greater = elementwise(Greater())
greater_equal = elementwise(GreaterEqual())
logical_and = elementwise(LogicalAnd())
logical_or = elementwise(LogicalOr())
logical_xor = elementwise(LogicalXor())
logical_not = elementwise(LogicalNot())
isfinite = elementwise(IsFinite())
isinf = elementwise(IsInf())
isnan = elementwise(IsNan())
absolute = elementwise(Absolute())
abs = absolute
sign = elementwise(Sign())
relu = elementwise(Relu())
maximum = elementwise(Maximum())
minimum = elementwise(Minimum())
fmax = elementwise(FMax())
fmin = elementwise(FMin())
heaviside = elementwise(Heaviside())


@builder
def clip(x: Operand, a_min: Operand = None, a_max: Operand = None, *, min: Operand = None, max: Operand = None) -> Node:
    """``x``, but no less than ``a_min`` and no more than ``a_max``, either of which may be None; all three broadcast.

    ``min`` and ``max`` are numpy's other names for the bounds. At a bound the gradient passes, outside it is 0; a bound
    gets it where it is the result. If the bounds cross, the result is ``a_max``.

    >>> import graphad as ga
    >>> clip(ga.input("x", shape=(3,)), 0.0, 1.0)
    <clip: float32[3]>
    """
    low, high = _one_of("min", a_min, min), _one_of("max", a_max, max)
    given = unify([x] + [bound for bound in (low, high) if bound is not None])
    least, greatest = _limits(given[0].dtype)
    bounds = least if low is None else given[1], greatest if high is None else given[-1]
    return apply(Clip(), *broadcast_together(unify((given[0], *bounds))))


def _one_of(name: str, first: Operand, second: Operand) -> Operand:
    if first is not None and second is not None:
        raise ArgumentError(f"a_{name} and {name} are one bound: give one of them")
    return second if first is None else first


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The least and the greatest value of a dtype; a DTypeError for truth values."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    if dtype == BOOL:
        raise DTypeError("the operands are truth values: cast them to numbers first")
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


@builder
def fabs(x: Operand) -> Node:
    """The absolute value as a float, also of integers: ``absolute`` keeps their dtype.

    >>> fabs([1, -2])
    <absolute: float32[2]>
    """
    return absolute(as_float(x))
