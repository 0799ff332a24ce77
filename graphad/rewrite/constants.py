"""What is known before the graph runs is computed before it runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphad.ir.leaves import Constant
from graphad.ir.node import Node, apply
from graphad.ir.op import KERNEL_ERRORS, Array, Op
from graphad.ops.build import broadcast
from graphad.rewrite.driver import Rewrites

_LARGEST_FOLDED = 65_536
"""Elements; a larger constant would cost more memory than computing it costs time."""


def uniform(node: Node) -> Constant | None:
    """The 0-d constant that the node repeats, if it is one number everywhere."""
    op = _repeated(node).op
    if not isinstance(op, Constant) or op.type.size != 1:
        return None
    return op if op.type.shape == () else Constant.of(op.value.reshape(()))


def is_everywhere(node: Node, value: float) -> bool:
    """Whether the node repeats this number."""
    number = uniform(node)
    return number is not None and bool(number.value == value)


def _repeated(node: Node) -> Node:
    while node.op.traits.broadcast:
        (node,) = node.operands
    return node


def fold_constants(node: Node) -> Node | None:
    """f(constants) -> constant; if f is elementwise, also where some constants are repeated to the shape of another."""
    if not node.operands or node.op.traits.broadcast or not _is_small(node):
        return None
    spread = node.op.traits.elementwise and any(isinstance(operand.op, Constant) for operand in node.operands)
    ops = [_repeated(operand).op if spread else operand.op for operand in node.operands]
    values = [op.value for op in ops if isinstance(op, Constant)]
    return None if len(values) < len(ops) else _computed(node.op, values)


def _computed(op: Op, values: Sequence[Array]) -> Node | None:
    """The constant op(values); None if that fails: then it fails again when the program runs, which says where."""
    try:
        with np.errstate(all="ignore"):
            return apply(Constant.of(op.kernel(*values)))
    except KERNEL_ERRORS:
        return None


def _is_small(node: Node) -> bool:
    size = node.type.size
    return isinstance(size, int) and size <= _LARGEST_FOLDED


def fold_uniform_elementwise(node: Node) -> Node | None:
    """f(broadcast(a), broadcast(b)) -> broadcast(f(a, b)), for elementwise f and numbers a, b."""
    if not node.op.traits.elementwise or node.shape == ():
        return None
    numbers = [number for number in map(uniform, node.operands) if number is not None]
    if len(numbers) < len(node.operands):
        return None
    number = _computed(node.op, [number.value for number in numbers])
    return None if number is None else broadcast(number, node.shape)


def fold_uniform_structure(node: Node) -> Node | None:
    """view(broadcast(a)) -> broadcast(a): a reshape, slice or transpose of one number is that number."""
    traits = node.op.traits
    if not (traits.view or traits.contiguous_view) or not node.operands or node.operands[0].op.traits.leaf:
        return None
    number = uniform(node.operands[0])
    if number is None or (traits.broadcast and node.operands[0].shape == ()):
        return None
    return broadcast(apply(number), node.shape)


FOLD_CONSTANTS = Rewrites("constants", (fold_constants, fold_uniform_elementwise, fold_uniform_structure), exact=True)
