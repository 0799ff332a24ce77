"""Clipping of gradients: where they pass a node, or when they are known, each element by itself or all together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from graphad.errors import ArgumentError, DTypeError
from graphad.ir import nest
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import Operand, as_node, constant
from graphad.ops.control import Identity
from graphad.ops.selection import clip, isfinite, maximum, where
from graphad.ops.shaping import stack
from graphad.ops.statistics import norm


@dataclass(frozen=True)
class ClipGradient(Identity):
    """The operand itself, whose cotangent is clipped on its way back."""

    low: float
    high: float
    name = "clip_gradient"
    latex = r"\mathrm{clip}'"

    def infer(self, *operands: TensorType) -> TensorType:
        """The operand's type, a float."""
        if not operands[0].is_float:
            raise DTypeError("the operand has no gradient that could be clipped: it is no float")
        return operands[0]

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """min(max(cotangent, low), high)."""
        return (clip(cotangent, self.low, self.high),)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The tangent: the value is not clipped."""
        return tangents[0]


@builder
def clip_gradient(x: Operand, low: float, high: float) -> Node:
    """``x``; its cotangent is clipped, each element by itself, to ``low`` ... ``high`` before it goes on.

    NaN stays NaN. Forward mode knows no cotangents and passes through unclipped, so here the two modes are not adjoint.

    >>> import graphad as ga
    >>> h = ga.input("h", shape=(3,))
    >>> ga.compile([h], ga.grad(ga.sum(ga.square(clip_gradient(h, -1, 1))), h))([-3.0, 0.25, 2.0])
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    _check_bounds(low, high)
    return apply(ClipGradient(float(low), float(high)), as_node(x))


@builder
def clip_by_value(gradients: Any, low: float, high: float) -> Any:
    """Each element of each of ``gradients`` (a node, or tuples, lists or dicts of them) no less than ``low``, no more
    than ``high``; NaN stays NaN.

    >>> import graphad as ga
    >>> clip_by_value({"W": ga.input("dW", shape=(3, 4))}, -0.5, 0.5)
    {'W': <clip: float32[3, 4]>}
    """
    _check_bounds(low, high)
    return nest.mapped(lambda gradient: clip(_checked(gradient), low, high), gradients)


@builder
def clip_by_global_norm(gradients: Any, max_norm: float) -> tuple[Any, Node]:
    """All ``gradients`` (a node, or tuples, lists or dicts of them), scaled so that together they are not too long.

    The norm is the root of the sum of the squares of all their elements; if it is more than ``max_norm``, each is
    multiplied by max_norm / norm (Pascanu, Mikolov and Bengio, 2013). Gradients of norm 0 stay 0. If the norm is not
    finite, all of them become NaN, so that a step that trains with them refuses with a DivergenceError and changes
    nothing. Returns the scaled gradients, in the same structure, and the norm before.

    >>> import graphad as ga
    >>> g = ga.input("g", shape=(2,))
    >>> (clipped,), length = clip_by_global_norm([g], 1.0)
    >>> ga.compile([g], [clipped, length])([3.0, 4.0])
    [array([0.6, 0.8], dtype=float32), np.float32(5.0)]
    """
    if not 0 < max_norm < math.inf:
        raise ArgumentError(f"max_norm is a number > 0; got {max_norm!r}")
    leaves = [_checked(gradient) for gradient in nest.leaves(gradients)]
    length = norm(stack([norm(leaf) for leaf in leaves])) if leaves else constant(0.0)
    scale = where(isfinite(length), float(max_norm) / maximum(length, float(max_norm)), math.nan)
    return nest.rebuilt(gradients, iter([leaf * scale.astype(leaf.dtype) for leaf in leaves])), length


def _check_bounds(low: float, high: float) -> None:
    if not low <= high:
        raise ArgumentError(f"the bounds are two numbers, the lower one first; got {low!r} and {high!r}")


def _checked(gradient: Any) -> Node:
    node = as_node(gradient)
    if not node.type.is_float:
        raise DTypeError(f"gradients are floats; got {node!r}")
    return node
