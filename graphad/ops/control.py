"""Operations that change a gradient, or how it is computed, and not a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import Operand, as_node
from graphad.ops.structure import Copy


@dataclass(frozen=True)
class Identity(Op):
    """The base of operations whose value is their first operand."""

    traits = Traits(view=True, identity=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The type of the first operand."""
        return operands[0]

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The first array itself."""
        return first_kernel, {}


def first_kernel(x: Array, *_: Array) -> Array:
    """The first array itself."""
    return x


@dataclass(frozen=True)
class StopGradient(Identity):
    """The operand itself, of which no gradient is taken."""

    name = "stop_gradient"
    latex = r"\mathrm{stop}"


@dataclass(frozen=True)
class Checkpointed(Copy):
    """A result of a checkpointed function, in memory of its own, so that what it is a part of need not be kept.

    ``since``: the rank at which the function began. What was declared after that, and the result depends on, is
    computed anew for its gradient.
    """

    since: int = field(repr=False, compare=False)
    name = "checkpoint"
    latex = r"\mathrm{checkpoint}"

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The tangent: of what is computed forward nothing is computed anew."""
        return tangents[0]


@dataclass(frozen=True)
class Recompute(Identity):
    """The first operand, as what is computed anew reads it; the second, if there is one, has been computed before.

    It is a barrier: what reads it is not merged with what was computed the first time, which so need not be kept.
    """

    name = "recompute"
    latex = r"\mathrm{again}"
    traits = Traits(view=True, identity=True, barrier=True)

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent, for the first operand."""
        return cotangent, *(None for _ in operands[1:])

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The tangent of the first operand."""
        return tangents[0]


@builder
def stop_gradient(x: Operand) -> Node:
    """``x``, as a constant to differentiation.

    >>> import graphad as ga
    >>> h = ga.input("h", shape=(3,))
    >>> stop_gradient(h)
    <stop_gradient: float32[3]>
    """
    return apply(StopGradient(), as_node(x))
