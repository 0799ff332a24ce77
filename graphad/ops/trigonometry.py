"""Functions of angles, which are in radians, of hyperbolas, and of the sides of a right-angled triangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphad.ir.node import Node
from graphad.ir.op import Traits
from graphad.ops.arithmetic import sqrt, square
from graphad.ops.elementwise import Analytic, DirectionMap, elementwise
from graphad.ops.selection import equal, where


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
class Tan(Analytic):
    """The tangent of radians."""

    name = "tan"
    latex = r"\tan"
    ufunc = np.tan

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 + tan^2."""
        return (lambda d: d * (1.0 + square(result)),)


@dataclass(frozen=True)
class Arcsin(Analytic):
    """The angle from -pi/2 to pi/2 whose sine is x; its derivative at -1 and 1 is infinite."""

    name = "arcsin"
    latex = r"\arcsin"
    ufunc = np.arcsin

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / sqrt(1 - x^2)."""
        (x,) = operands
        return (lambda d: d / sqrt((1.0 - x) * (1.0 + x)),)


@dataclass(frozen=True)
class Arccos(Analytic):
    """The angle from 0 to pi whose cosine is x; its derivative at -1 and 1 is infinite."""

    name = "arccos"
    latex = r"\arccos"
    ufunc = np.arccos

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-1 / sqrt(1 - x^2)."""
        (x,) = operands
        return (lambda d: -(d / sqrt((1.0 - x) * (1.0 + x))),)


@dataclass(frozen=True)
class Arctan(Analytic):
    """The angle from -pi/2 to pi/2 whose tangent is x."""

    name = "arctan"
    latex = r"\arctan"
    ufunc = np.arctan

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (1 + x^2)."""
        (x,) = operands
        return (lambda d: d / (1.0 + square(x)),)


@dataclass(frozen=True)
class Arctan2(Analytic):
    """The angle from -pi to pi of the point (x, y), as arctan2(y, x); its derivatives at the origin are 0."""

    name = "arctan2"
    latex = r"\mathrm{arctan2}"
    ufunc = np.arctan2

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """x / r^2 and -y / r^2, where r^2 = x^2 + y^2, which is not computed, since it might overflow."""
        y, x = operands
        r = hypot(x, y)
        return lambda d: d * _over(_over(x, r), r), lambda d: -(d * _over(_over(y, r), r))


@dataclass(frozen=True)
class Hypot(Analytic):
    """sqrt(x^2 + y^2), without overflow; its derivatives at the origin are 0."""

    name = "hypot"
    latex = r"\mathrm{hypot}"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.hypot

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """x / r and y / r."""
        x, y = operands
        return lambda d: d * _over(x, result), lambda d: d * _over(y, result)


def _over(x: Node, radius: Node) -> Node:
    """x / radius, and 0 at the origin."""
    origin = equal(radius, 0.0)
    return where(origin, 0.0, x / where(origin, 1.0, radius))


@dataclass(frozen=True)
class Sinh(Analytic):
    """The hyperbolic sine."""

    name = "sinh"
    latex = r"\sinh"
    ufunc = np.sinh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Cosh x."""
        (x,) = operands
        return (lambda d: d * cosh(x),)


@dataclass(frozen=True)
class Cosh(Analytic):
    """The hyperbolic cosine."""

    name = "cosh"
    latex = r"\cosh"
    ufunc = np.cosh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """Sinh x."""
        (x,) = operands
        return (lambda d: d * sinh(x),)


@dataclass(frozen=True)
class Arcsinh(Analytic):
    """The number whose hyperbolic sine is x."""

    name = "arcsinh"
    latex = r"\mathrm{arcsinh}"
    ufunc = np.arcsinh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / sqrt(1 + x^2)."""
        (x,) = operands
        return (lambda d: d / hypot(1.0, x),)


@dataclass(frozen=True)
class Arccosh(Analytic):
    """The number, not negative, whose hyperbolic cosine is x; its derivative at 1 is infinite."""

    name = "arccosh"
    latex = r"\mathrm{arccosh}"
    ufunc = np.arccosh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / sqrt(x^2 - 1)."""
        (x,) = operands
        return (lambda d: d / (sqrt(x - 1.0) * sqrt(x + 1.0)),)


@dataclass(frozen=True)
class Arctanh(Analytic):
    """The number whose hyperbolic tangent is x, from -1 to 1, where its derivative is infinite."""

    name = "arctanh"
    latex = r"\mathrm{arctanh}"
    ufunc = np.arctanh

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (1 - x^2)."""
        (x,) = operands
        return (lambda d: d / ((1.0 - x) * (1.0 + x)),)


sin = elementwise(Sin())
cos = elementwise(Cos())
tan = elementwise(Tan())
arcsin = elementwise(Arcsin())
arccos = elementwise(Arccos())
arctan = elementwise(Arctan())
arctan2 = elementwise(Arctan2())
hypot = elementwise(Hypot())
sinh = elementwise(Sinh())
cosh = elementwise(Cosh())
arcsinh = elementwise(Arcsinh())
arccosh = elementwise(Arccosh())
arctanh = elementwise(Arctanh())
