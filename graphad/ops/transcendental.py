"""Exponentials, logarithms and their kin. Rules use the result where that saves work or keeps digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.ir.node import Node
from graphad.ir.op import Attributes, Traits
from graphad.ops.arithmetic import square
from graphad.ops.elementwise import Analytic, DirectionMap, Numeric, elementwise
from graphad.ops.selection import equal, where


@dataclass(frozen=True)
class Exp(Analytic):
    """e^x."""

    name = "exp"
    latex = r"\exp"
    ufunc = np.exp

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """e^x."""
        return (lambda d: d * result,)


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
class Sin(Analytic):
    """The sine of radians."""

    name = "sin"
    latex = r"\sin"
    ufunc = np.sin

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Cos x."""
        (x,) = operands
        return (lambda d: d * cos(x),)


@dataclass(frozen=True)
class Cos(Analytic):
    """The cosine of radians."""

    name = "cos"
    latex = r"\cos"
    ufunc = np.cos

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-sin x."""
        (x,) = operands
        return (lambda d: -(d * sin(x)),)


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
log = elementwise(Log())
log1p = elementwise(Log1p())
expm1 = elementwise(Expm1())
tanh = elementwise(Tanh())
sigmoid = elementwise(Sigmoid())
softplus = elementwise(Softplus())
sin = elementwise(Sin())
cos = elementwise(Cos())
power = elementwise(Power())
