"""Rounding to whole numbers. Between two steps the result does not change: the derivative is 0, at the steps as well.

Zero is not the same as no derivative: the result does depend on the operand, and a gradient may be asked for. Integers
are whole and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes
from graphad.ops.build import Operand, as_node
from graphad.ops.elementwise import DirectionMap, Numeric, elementwise
from graphad.ops.structure import zeros


@dataclass(frozen=True)
class Step(Numeric):
    """The base of functions that are constant between jumps."""

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """0 for each operand."""
        return (no_change,) * len(operands)


def no_change(direction: Node) -> Node:
    """The direction map of a derivative that is 0."""
    return zeros(direction.type)


@dataclass(frozen=True)
class Floor(Step):
    """The greatest whole number that is not above x; its derivative is 0."""

    name = "floor"
    latex = r"\lfloor\cdot\rfloor"
    ufunc = np.floor


@dataclass(frozen=True)
class Ceil(Step):
    """The least whole number that is not below x; its derivative is 0."""

    name = "ceil"
    latex = r"\lceil\cdot\rceil"
    ufunc = np.ceil


@dataclass(frozen=True)
class Trunc(Step):
    """The whole number next to x on the way to 0; its derivative is 0."""

    name = "trunc"
    latex = r"\mathrm{trunc}"
    ufunc = np.trunc


@dataclass(frozen=True)
class Round(Step):
    """The nearest number with so many decimals, half to even."""

    decimals: int = 0
    name = "round"
    latex = r"\lfloor\cdot\rceil"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """np.round, which leaves integers what they are; np.rint would not."""
        return np.round, {"decimals": self.decimals}


floor = elementwise(Floor())
ceil = elementwise(Ceil())
trunc = elementwise(Trunc())


@builder
def round(x: Operand, decimals: int = 0) -> Node:
    """The nearest number with ``decimals`` decimals, half to even: 0.5 -> 0, 1.5 -> 2. Its derivative is 0.

    With ``decimals=-2``, the nearest multiple of 100. Of integers it is an integer.

    >>> import graphad as ga
    >>> round(ga.input("x", shape=(3,)), decimals=2)
    <round: float32[3]>
    """
    if not is_integer(decimals):
        raise ArgumentError(f"decimals is an integer, such as 2; got {decimals!r}")
    node = as_node(x)
    whole = node.dtype.kind in "iu" and decimals >= 0
    return node if whole else apply(Round(int(decimals)), node)
