"""Division with a remainder. ``x == floor_divide(x, y) * y + remainder(x, y)``, by numpy's rule of signs.

Of integers divided by 0, the quotient and the remainder are 0, as numpy's are; of floats they are infinite and NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ops.build import Operand
from graphad.ops.elementwise import DirectionMap, Numeric, elementwise, itself
from graphad.ops.rounding import Step, trunc


@dataclass(frozen=True)
class FloorDivide(Step):
    """floor(x / y), in the dtype of the operands; its derivatives are 0."""

    name = "floor_divide"
    latex = r"\lfloor\cdot/\cdot\rfloor"
    ufunc = np.floor_divide


@dataclass(frozen=True)
class Remainder(Numeric):
    """What is left of x by floor(x / y) times y: it has the sign of y. numpy also calls it mod."""

    name = "remainder"
    latex = r"\bmod"
    ufunc = np.remainder

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 and -floor(x / y)."""
        x, y = operands
        return itself, lambda d: -(d * floor_divide(x, y))


@dataclass(frozen=True)
class Fmod(Numeric):
    """What is left of x by trunc(x / y) times y: it has the sign of x."""

    name = "fmod"
    latex = r"\mathrm{fmod}"
    ufunc = np.fmod

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 and -trunc(x / y)."""
        x, y = operands
        return itself, lambda d: -(d * trunc(x / y))


floor_divide = elementwise(FloorDivide())
remainder = elementwise(Remainder())
mod = remainder
fmod = elementwise(Fmod())


@builder
def divmod(x: Operand, y: Operand) -> tuple[Node, Node]:
    """The quotient ``floor_divide(x, y)`` and the ``remainder(x, y)``.

    >>> import graphad as ga
    >>> divmod(ga.input("x", shape=(3,)), 2.0)
    (<floor_divide: float32[3]>, <remainder: float32[3]>)
    """
    return floor_divide(x, y), remainder(x, y)
