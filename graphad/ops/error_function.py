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
from graphad.ir.tensor_type import BOOL, TensorType
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

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the truth values of a comparison, and for numbers of five kinds."""
        (x,) = operands
        return (TensorType(x.shape, BOOL), *[x] * 5)

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

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """For the truth values of a comparison, and for numbers of four kinds."""
        (x,) = operands
        return (TensorType(x.shape, BOOL), *[x] * 4)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """A polynomial and an exponential."""
        return erfc_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """-2 / sqrt(pi) e^(-x^2)."""
        (x,) = operands
        return (lambda d: -(d * (_SLOPE * exp(-square(x)))),)


def erf_kernel(x: Any, scratch: Any, out: Any = None) -> Any:
    """Below 1/2 x times a polynomial of x^2, beyond it the complement of erfc."""
    is_near, size, tail, high, low, near = scratch
    np.absolute(x, out=size)
    np.less(size, 0.5, out=is_near)
    coefficients = (
        (1.4726381680017032e-06, -1.4845900896375835e-05, 0.00012053337222877719, -0.0008548297798086192,
         0.005223977373542183, -0.026866170632921085, 0.11283791670925457, -0.37612638903183476, 1.1283791670955126)
        if size.dtype.itemsize == 8 else
        (0.004719505354, -0.02675794433, 0.1128283474, -0.3761260917, 1.128379166)
    )  # fmt: skip
    np.minimum(np.multiply(size, size, out=low), 0.25, out=low)
    np.multiply(polynomial_kernel(low, coefficients, near), x, out=near)
    np.subtract(1, erfc_tail_kernel(size, tail, high, low), out=tail)
    return where_kernel(is_near, near, np.copysign(tail, x, out=tail), out=out)


def erfc_kernel(x: Any, scratch: Any, out: Any = None) -> Any:
    """Of a negative x it is 2 less that of -x."""
    is_negative, size, tail, high, low = scratch
    np.less(x, 0, out=is_negative)
    erfc_tail_kernel(np.absolute(x, out=size), tail, high, low)
    return where_kernel(is_negative, np.subtract(2, tail, out=high), tail, out=out)


def erfc_tail_kernel(x: Any, tail: Any, high: Any, low: Any) -> Any:
    """erfc(x) for x >= 0, into ``tail``; x^2 has an exact part, lest its rounding be magnified by the exponential.

    The other arrays are overwritten, ``x`` among them.
    """
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
    np.minimum(x, 30, out=x)  # where erfc is 0 already
    np.divide(np.subtract(x, 4, out=low), np.add(x, 4, out=high), out=low)
    polynomial_kernel(low, coefficients, tail)
    np.divide(tail, np.add(np.multiply(x, 2, out=low), 1, out=low), out=tail)
    np.multiply(x, split, out=high)
    np.subtract(high, np.subtract(high, x, out=low), out=high)  # the upper half of the digits: its square is exact
    np.exp(np.negative(np.multiply(high, high, out=low), out=low), out=low)
    np.multiply(tail, low, out=tail)
    np.multiply(np.subtract(high, x, out=low), np.add(high, x, out=high), out=low)
    return np.multiply(tail, np.exp(low, out=low), out=tail)


def polynomial_kernel(x: Any, coefficients: Any, out: Any) -> Any:
    """The polynomial with these coefficients, that of the highest power first."""
    out.fill(coefficients[0])
    for coefficient in coefficients[1:]:
        np.multiply(out, x, out=out)
        np.add(out, coefficient, out=out)
    return out


erf = elementwise(Erf())
erfc = elementwise(Erfc())
