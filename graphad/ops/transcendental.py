"""Exponentials, logarithms and their kin. Rules use the result where that saves work or keeps digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphad.errors import DTypeError
from graphad.ir.builder import builder
from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Traits
from graphad.ops.arithmetic import square
from graphad.ops.build import Operand, as_float, broadcast_together, unify
from graphad.ops.elementwise import Analytic, DirectionMap, Numeric, elementwise
from graphad.ops.selection import equal, isfinite, logical_and, logical_not, where


@dataclass(frozen=True)
class Exp(Analytic):
    """e^x."""

    name = "exp"
    latex = r"\exp"
    traits = Traits(elementwise=True, positive=True)
    ufunc = np.exp

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """e^x."""
        return (lambda d: d * result,)


@dataclass(frozen=True)
class Exp2(Analytic):
    """2^x."""

    name = "exp2"
    latex = r"2^{}"
    traits = Traits(elementwise=True, positive=True)
    ufunc = np.exp2

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """2^x log 2."""
        return (lambda d: d * (math.log(2.0) * result),)


@dataclass(frozen=True)
class Log(Analytic):
    """The natural logarithm."""

    name = "log"
    latex = r"\log"
    ufunc = np.log

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / x."""
        (x,) = operands
        return (lambda d: d / x,)


@dataclass(frozen=True)
class Log2(Analytic):
    """The logarithm to base 2."""

    name = "log2"
    latex = r"\log_2"
    ufunc = np.log2

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (x log 2)."""
        (x,) = operands
        return (lambda d: d / (math.log(2.0) * x),)


@dataclass(frozen=True)
class Log10(Analytic):
    """The logarithm to base 10."""

    name = "log10"
    latex = r"\log_{10}"
    ufunc = np.log10

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (x log 10)."""
        (x,) = operands
        return (lambda d: d / (math.log(10.0) * x),)


@dataclass(frozen=True)
class Log1p(Analytic):
    """log(1 + x), exact for small x."""

    name = "log1p"
    latex = r"\mathrm{log1p}"
    ufunc = np.log1p

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (1 + x)."""
        (x,) = operands
        return (lambda d: d / (1.0 + x),)


@dataclass(frozen=True)
class Expm1(Analytic):
    """e^x - 1, exact for small x."""

    name = "expm1"
    latex = r"\mathrm{expm1}"
    ufunc = np.expm1

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """e^x, which is the result plus 1."""
        return (lambda d: d * (result + 1.0),)


@dataclass(frozen=True)
class Tanh(Analytic):
    """The hyperbolic tangent."""

    name = "tanh"
    latex = r"\tanh"
    ufunc = np.tanh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 - tanh^2."""
        return (lambda d: d * (1.0 - square(result)),)


@dataclass(frozen=True)
class Sigmoid(Analytic):
    """1 / (1 + e^-x), without overflow in either tail."""

    name = "sigmoid"
    latex = r"\sigma"
    traits = Traits(elementwise=True, positive=True)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Four ufuncs in place."""
        return sigmoid_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Y (1 - y)."""
        return (lambda d: d * (result * (1.0 - result)),)


def sigmoid_kernel(x: Any, out: Any = None) -> Any:
    """1 / (1 + e^-x): where e^-x overflows to infinity, the result is the 0 that it should be."""
    out = np.negative(x, out=np.empty_like(x) if out is None else out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.reciprocal(out, out=out)


@dataclass(frozen=True)
class Softplus(Analytic):
    """log(1 + e^x), for any x."""

    name = "softplus"
    latex = r"\mathrm{softplus}"
    traits = Traits(elementwise=True, positive=True)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.logaddexp with 0."""
        return softplus_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Sigmoid x."""
        (x,) = operands
        return (lambda d: d * sigmoid(x),)


def softplus_kernel(x: Any, out: Any = None) -> Any:
    """log(e^x + e^0)."""
    return np.logaddexp(x, 0, out=out)


@dataclass(frozen=True)
class LogAddExp(Analytic):
    """log(e^x + e^y), without overflow; where x and y are the same infinity the derivatives are 0."""

    name = "logaddexp"
    latex = r"\mathrm{logaddexp}"
    traits = Traits(elementwise=True, commutative=True)
    ufunc: ClassVar[Callable[..., Any]] = np.logaddexp
    rate: ClassVar[float] = 1.0

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """sigmoid(x - y) and sigmoid(y - x)."""
        x, y = operands
        stuck = logical_and(equal(x, y), logical_not(isfinite(x)))
        gap = self.rate * (where(stuck, 0.0, x) - where(stuck, 0.0, y))
        return lambda d: where(stuck, 0.0, d * sigmoid(gap)), lambda d: where(stuck, 0.0, d * sigmoid(-gap))


@dataclass(frozen=True)
class LogAddExp2(LogAddExp):
    """log2(2^x + 2^y), without overflow; where x and y are the same infinity the derivatives are 0."""

    name = "logaddexp2"
    latex = r"\mathrm{logaddexp2}"
    ufunc = np.logaddexp2
    rate = math.log(2.0)


@dataclass(frozen=True)
class Power(Numeric):
    """x ** y; the derivative by x is 0 where y is 0, the derivative by y is 0 where x is 0."""

    name = "power"
    latex = r"\hat{}"
    traits = Traits(elementwise=True, unit=1.0)
    ufunc = np.power

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Y x^(y-1) and x^y log x; a constant exponent gets none."""
        x, y = operands
        return lambda d: d * _power_by_base(x, y), lambda d: d * _power_by_exponent(result, x)


def _power_by_base(x: Node, y: Node) -> Node:
    zero = equal(y, 0.0)
    return where(zero, 0.0, y * power(x, where(zero, 1.0, y - 1.0)))


def _power_by_exponent(result: Node, x: Node) -> Node:
    zero = equal(x, 0.0)
    return where(zero, 0.0, result * log(where(zero, 1.0, x)))


exp = elementwise(Exp())
exp2 = elementwise(Exp2())
log = elementwise(Log())
log2 = elementwise(Log2())
log10 = elementwise(Log10())
log1p = elementwise(Log1p())
expm1 = elementwise(Expm1())
tanh = elementwise(Tanh())
sigmoid = elementwise(Sigmoid())
softplus = elementwise(Softplus())
logaddexp = elementwise(LogAddExp())
logaddexp2 = elementwise(LogAddExp2())


@builder
def log_sigmoid(x: Operand) -> Node:
    """log(1 / (1 + e^-x)), which keeps its digits in both tails.

    >>> import graphad as ga
    >>> log_sigmoid(ga.input("x", shape=(3,)))
    <negative: float32[3]>
    """
    return -softplus(-as_float(x))


@builder
def power(x: Operand, y: Operand) -> Node:
    """x ** y; the derivative by x is 0 where y is 0, the derivative by y is 0 where x is 0.

    Of integers it is an integer, so that a negative exponent is a DTypeError if it is known now, else an error of the
    call.

    >>> import graphad as ga
    >>> power(ga.input("x", shape=(3,)), 2)
    <power: float32[3]>
    """
    base, exponent = unify((x, y))
    number = exponent.op
    if base.dtype.kind == "i" and isinstance(number, Constant) and np.any(number.value < 0):
        raise DTypeError("an integer has no negative integer powers: cast the base to a float, or write 2.0 for 2")
    return apply(Power(), *broadcast_together([base, exponent]))
