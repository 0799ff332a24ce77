"""Operations that change a gradient and not a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op, Traits
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import Operand, as_node


@dataclass(frozen=True)
class StopGradient(Op):
    """The operand itself, of which no gradient is taken."""

    name = "stop_gradient"
    latex = r"\mathrm{stop}"
    traits = Traits(view=True, identity=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type."""
        return operands[0]

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The array itself."""
        return itself_kernel, {}


def itself_kernel(x: Array) -> Array:
    """The array itself."""
    return x


@builder
def stop_gradient(x: Operand) -> Node:
    """``x``, as a constant to differentiation.

    >>> import graphad as ga
    >>> h = ga.input("h", shape=(3,))
    >>> stop_gradient(h)
    <stop_gradient: float32[3]>
    """
    return apply(StopGradient(), as_node(x))
