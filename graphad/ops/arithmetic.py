"""Arithmetic: the operations behind Python's operators. Each rule reads as its partial derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ir.op import Attributes, Traits
from graphad.ops.build import Operand, as_node
from graphad.ops.elementwise import Analytic, DirectionMap, Elementwise, Numeric, elementwise, itself


@dataclass(frozen=True)
class Add(Elementwise):
    """x + y."""

    name = "add"
    latex = "+"
    traits = Traits(elementwise=True, linear=True, commutative=True, unit=0.0)
    ufunc = np.add

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 and 1."""
        return itself, itself


@dataclass(frozen=True)
class Subtract(Numeric):
    """x - y."""

    name = "subtract"
    latex = "-"
    traits = Traits(elementwise=True, linear=True, unit=0.0)
    ufunc = np.subtract

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 and -1."""
        return itself, negative


@dataclass(frozen=True)
class Multiply(Elementwise):
    """x * y."""

    name = "multiply"
    latex = r"\odot"
    traits = Traits(elementwise=True, commutative=True, unit=1.0)
    ufunc = np.multiply

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Y and x."""
        x, y = operands
        return lambda d: d * y, lambda d: d * x


@dataclass(frozen=True)
class Divide(Analytic):
    """x / y, a float whatever the operands."""

    name = "divide"
    latex = "/"
    traits = Traits(elementwise=True, unit=1.0)
    ufunc = np.divide

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / y and -(x / y) / y."""
        _, y = operands
        return lambda d: d / y, lambda d: -(d * result / y)


@dataclass(frozen=True)
class Negative(Numeric):
    """-x."""

    name = "negative"
    latex = "-"
    traits = Traits(elementwise=True, linear=True)
    ufunc = np.negative

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-1."""
        return (negative,)


@dataclass(frozen=True)
class Square(Numeric):
    """x * x."""

    name = "square"
    latex = "{}^2"
    ufunc = np.square

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """2 x."""
        (x,) = operands
        return (lambda d: d * (2.0 * x),)


@dataclass(frozen=True)
class Sqrt(Analytic):
    """The square root; its derivative at 0 is infinite."""

    name = "sqrt"
    latex = r"\sqrt{}"
    ufunc = np.sqrt

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (2 sqrt x)."""
        return (lambda d: d / (2.0 * result),)


@dataclass(frozen=True)
class Cbrt(Analytic):
    """The cube root, also of negative numbers; its derivative at 0 is infinite."""

    name = "cbrt"
    latex = r"\sqrt[3]{}"
    ufunc = np.cbrt

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (3 y^2)."""
        return (lambda d: d / (3.0 * square(result)),)


@dataclass(frozen=True)
class Rsqrt(Analytic):
    """1 / sqrt(x)."""

    name = "rsqrt"
    latex = "{}^{-1/2}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The square root and its reciprocal, in place."""
        return rsqrt_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-y / (2 x), which overflows no earlier than it must."""
        (x,) = operands
        return (lambda d: d * (-0.5 * result / x),)


def rsqrt_kernel(x: Any, out: Any = None) -> Any:
    """1 / sqrt(x)."""
    out = np.sqrt(x, out=np.empty_like(x) if out is None else out)
    return np.reciprocal(out, out=out)


@dataclass(frozen=True)
class Reciprocal(Analytic):
    """1 / x."""

    name = "reciprocal"
    latex = "{}^{-1}"
    ufunc = np.reciprocal

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-1 / x^2."""
        return (lambda d: -(d * square(result)),)


add = elementwise(Add())
subtract = elementwise(Subtract())
multiply = elementwise(Multiply())
divide = elementwise(Divide())
negative = elementwise(Negative())
square = elementwise(Square())
sqrt = elementwise(Sqrt())
cbrt = elementwise(Cbrt())
rsqrt = elementwise(Rsqrt())
reciprocal = elementwise(Reciprocal())


@builder
def positive(x: Operand) -> Node:
    """+x, which is x; truth values have no sign.

    >>> import graphad as ga
    >>> positive(ga.input("x", shape=(3,)))
    <x: float32[3]>
    """
    node = as_node(x)
    Numeric().infer(node.type)
    return node
