"""The error function and its complement, in numpy alone, to the last digits over the whole line.

For x >= 0, erfc(x) = e^(-x^2) g(t) / (1 + 2 x), where t = (x - 4) / (x + 4) runs from -1 to 1 as x runs from 0 to
infinity, and g is so smooth that a polynomial of degree 24 is g to 1e-17 (M. M. Shepherd and J. G. Laframboise,
Chebyshev approximation of (1 + 2x) exp(x^2) erfc x, 1981). erf(x) is 1 - erfc(x), but near 0, where that would lose
digits, x times a polynomial of x^2. The coefficients are those of Chebyshev fits in 50 digits; float32 needs half.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.ir.node import Node
from graphad.ir.op import Attributes
from graphad.ops.arithmetic import square
from graphad.ops.elementwise import Analytic, DirectionMap, elementwise
from graphad.ops.selection import where_kernel
from graphad.ops.transcendental import exp

_SLOPE = 2.0 / math.sqrt(math.pi)


@dataclass(frozen=True)
class Erf(Analytic):
    """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""

    name = "erf"
    latex = r"\mathrm{erf}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Polynomials, and one exponential."""
        return erf_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """2 / sqrt(pi) e^(-x^2)."""
        (x,) = operands
        return (lambda d: d * (_SLOPE * exp(-square(x))),)


@dataclass(frozen=True)
class Erfc(Analytic):
    """1 - erf(x), which keeps its digits where erf(x) is nearly 1."""

    name = "erfc"
    latex = r"\mathrm{erfc}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A polynomial and an exponential."""
        return erfc_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-2 / sqrt(pi) e^(-x^2)."""
        (x,) = operands
        return (lambda d: -(d * (_SLOPE * exp(-square(x)))),)


def erf_kernel(x: Any, out: Any = None) -> Any:
    """Below 1/2 x times a polynomial of x^2, beyond it the complement of erfc."""
    size = np.absolute(x)
    coefficients = (
        (1.4726381680017032e-06, -1.4845900896375835e-05, 0.00012053337222877719, -0.0008548297798086192,
         0.005223977373542183, -0.026866170632921085, 0.11283791670925457, -0.37612638903183476, 1.1283791670955126)
        if size.dtype.itemsize == 8 else
        (0.004719505354, -0.02675794433, 0.1128283474, -0.3761260917, 1.128379166)
    )  # fmt: skip
    near = polynomial_kernel(np.minimum(np.multiply(size, size), 0.25), coefficients)
    near = np.multiply(near, x, out=near)
    far = np.copysign(np.subtract(1, erfc_tail_kernel(size)), x)
    return where_kernel(np.less(size, 0.5), near, far, out=out)


def erfc_kernel(x: Any, out: Any = None) -> Any:
    """Of a negative x it is 2 less that of -x."""
    tail = erfc_tail_kernel(np.absolute(x))
    return where_kernel(np.less(x, 0), np.subtract(2, tail), tail, out=out)


def erfc_tail_kernel(x: Any) -> Any:
    """erfc(x) for x >= 0; x^2 has an exact part, lest its rounding be magnified by the exponential."""
    coefficients, split = (
        ((-2.659599686990393e-10, 9.311744979783833e-10, 3.169588189686187e-09, -1.234686604468204e-08,
          -2.05606492709619e-08, 1.0633855618800967e-07, 7.746992726333302e-08, -8.210939042588693e-07,
          2.9197333780255993e-07, 5.706604414898137e-06, -1.1221287012357253e-05, -2.439774642243775e-05,
          0.00015062149001240623, -0.0001992571466109114, -0.000757773261373096, 0.005031970067657489,
          -0.016197734059799265, 0.03716751552655567, -0.06633036581218697, 0.0937328349990944,
          -0.10103906603630056, 0.06809705425466908, 0.015379652102619604, -0.1396211168405623, 1.2329951186255526),
         134217729)
        if x.dtype.itemsize == 8 else
        ((0.0001142081728, -0.0002484367303, -0.0007091327872, 0.005082269578, -0.01623039198, 0.03714045869,
          -0.06631904409, 0.0937402055, -0.1010409408, 0.06809617491, 0.01537976872, -0.1396210865, 1.232995117),
         4097)
    )  # fmt: skip
    x = np.minimum(x, 30)  # where erfc is 0 already
    tail = polynomial_kernel((x - 4) / (x + 4), coefficients)
    tail /= 1 + 2 * x
    high = split * x
    high = high - (high - x)  # the upper half of the digits: its square is exact
    tail *= np.exp(-high * high)
    tail *= np.exp((high - x) * (high + x))
    return tail


def polynomial_kernel(x: Any, coefficients: Any) -> Any:
    """The polynomial with these coefficients, that of the highest power first."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


erf = elementwise(Erf())
erfc = elementwise(Erfc())
