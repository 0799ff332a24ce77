"""Shapes that a few nodes make together: a softmax, a value less its greatest element, a positive number.

What is found is found by the nodes themselves, so equal ones must have been merged. Each look goes a few nodes deep.
"""

from __future__ import annotations

from typing import NamedTuple

from graphad.ir.node import Node
from graphad.ir.op import Op
from graphad.ops.arithmetic import Add, Divide, Multiply, Subtract
from graphad.ops.control import Checkpointed
from graphad.ops.reduction import Max
from graphad.ops.selection import Where
from graphad.ops.structure import BroadcastTo, Copy, Reshape, Sum, reduced_shape
from graphad.ops.transcendental import Exp, Sigmoid
from graphad.rewrite.constants import is_everywhere, uniform

_DEPTH = 5


def bare(node: Node) -> Node:
    """The node without what only repeats or reshapes it, or changes its gradient."""
    while isinstance(node.op, (BroadcastTo, Reshape, Copy, Checkpointed)) or node.op.traits.identity:
        node = node.operands[0]
    return node


def unshifted(node: Node) -> Node | None:
    """x, if the node is x - max(x), also where the maximum is replaced if it is not finite."""
    if not isinstance(node.op, Subtract):
        return None
    whole, greatest = node.operands[0], bare(node.operands[1])
    choices = greatest.operands[1:] if isinstance(greatest.op, Where) else (greatest,)
    is_one = any(
        isinstance(one.op, Max) and bare(one.operands[0]) is bare(whole) for one in map(bare, choices) if one.operands
    )
    return whole if is_one else None


class Total(NamedTuple):
    """A sum, and the axes over which it was taken."""

    node: Node
    axes: tuple[int, ...]


def total_of(terms: Node, divisor: Node) -> Total | None:
    """The sum of the terms, if it is what the divisor repeats, along the axes over which it was taken."""
    inner = divisor.operands[0] if isinstance(divisor.op, BroadcastTo) else divisor
    shape = (1,) * (terms.ndim - inner.ndim) + inner.shape
    while isinstance(inner.op, Reshape):
        (inner,) = inner.operands
    if not isinstance(inner.op, Sum) or inner.operands[0] is not terms or divisor.shape != terms.shape:
        return None
    axes = inner.op.axes
    return Total(inner, axes) if shape == reduced_shape(terms.shape, axes, keepdims=True) else None


def softmax_terms(node: Node) -> Node | None:
    """What is exponentiated, if the node is exp(x) / sum(exp(x))."""
    if not isinstance(node.op, Divide) or not isinstance(node.operands[0].op, Exp):
        return None
    terms, divisor = node.operands
    return None if total_of(terms, divisor) is None else terms.operands[0]


def complement(node: Node) -> Node | None:
    """x, if the node is 1 - x."""
    is_one = isinstance(node.op, Subtract) and is_everywhere(node.operands[0], 1.0)
    return node.operands[1] if is_one else None


def opposite(node: Node) -> Node | None:
    """x, if the node is 1 - sigmoid(x)."""
    rest = complement(node)
    return rest.operands[0] if rest is not None and isinstance(rest.op, Sigmoid) else None


def one_plus(node: Node) -> Node | None:
    """x, if the node is 1 + x or x + 1."""
    if not isinstance(node.op, Add):
        return None
    x, y = node.operands
    if is_everywhere(x, 1.0):
        return y
    return x if is_everywhere(y, 1.0) else None


def picks(op: Op) -> bool:
    """Whether each element of the result is one of the first operand's."""
    traits = op.traits
    return traits.picks or ((traits.view or traits.contiguous_view) and not traits.leaf and not traits.barrier)


def is_positive(node: Node, depth: int = _DEPTH) -> bool:
    """Whether the value is above 0 for all real operands, so that only rounding makes it 0."""
    number = uniform(node)
    if number is not None:
        return bool(number.value > 0)
    if node.op.traits.positive or opposite(node) is not None:
        return True
    if isinstance(node.op, (Add, Multiply, Divide)):
        return depth > 0 and all(is_positive(operand, depth - 1) for operand in node.operands)
    keeps = picks(node.op) or (isinstance(node.op, Sum) and node.operands[0].type.size != 0)
    return depth > 0 and keeps and is_positive(node.operands[0], depth - 1)


def alike(x: Node, y: Node, depth: int = _DEPTH) -> bool:
    """Whether both compute the same thing in the same way; as rules build nodes, equal ones need not be one node."""
    if x is y:
        return True
    if x.type != y.type:
        return False
    number = uniform(x)
    if number is not None and number == uniform(y):
        return True
    if not depth or x.op != y.op or len(x.operands) != len(y.operands) or not x.operands:
        return False
    return all(alike(a, b, depth - 1) for a, b in zip(x.operands, y.operands, strict=True))
