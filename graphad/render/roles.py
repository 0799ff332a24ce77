"""What a node is in the story that a picture tells: forward or backward, whose cotangent, and so how it looks."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from graphad.ir.leaves import Constant, Input, Parameter, SizeOf
from graphad.ir.node import COTANGENT, Node
from graphad.ops.structure import Cast, Copy, Transpose
from graphad.render import style
from graphad.render.style import BoxStyle


def depth_of(node: Node) -> int:
    """How many reverse modes stand between the node and what was declared: 0 forward, 1 backward, 2 backward of it."""
    depth, origin = 0, node.origin
    while origin.twin is not None:
        depth += not _is_tangent(origin.made_by)
        origin = origin.twin.origin
    return depth


def _is_tangent(made_by: str | None) -> bool:
    return (made_by or "").startswith("jvp")


def cotangents(nodes: Iterable[Node]) -> dict[Node, Node]:
    """Each primal among the nodes that has a cotangent among them, with it: of several partial sums, the last."""
    order = tuple(nodes)
    known = frozenset(order)
    return {node.origin.twin: node for node in order if node.origin.made_by == COTANGENT and node.origin.twin in known}


def style_of(node: Node, outputs: AbstractSet[Node]) -> BoxStyle:
    """The kind of box that the node is."""
    op, origin = node.op, node.origin
    if op.traits.leaf:
        return _leaf_style(node)
    if origin.twin is None or _is_tangent(origin.made_by):
        inner = style.OPERATION if origin.twin is None else style.TANGENT
        return style.OUTPUT if node in outputs else inner
    if node in outputs:
        return style.GRADIENT
    return style.COTANGENT if origin.made_by == COTANGENT else style.BACKWARD


def _leaf_style(node: Node) -> BoxStyle:
    if isinstance(node.op, Input):
        return style.INPUT
    if isinstance(node.op, Parameter):
        return style.PARAMETER if node.op.trainable else style.STATE
    return style.CONSTANT


def is_number(node: Node) -> bool:
    """Whether the node is one number that is known before the call."""
    return isinstance(node.op, (Constant, SizeOf)) and node.shape == ()


def is_transpose(node: Node) -> bool:
    """Whether the node is the transpose of a matrix."""
    return isinstance(node.op, Transpose) and node.ndim == 2


def is_bookkeeping(node: Node) -> bool:
    """Whether the node only hands on its operand: in another shape or dtype, a part of it, or without gradient."""
    traits = node.op.traits
    return traits.view or traits.contiguous_view or traits.identity or isinstance(node.op, (Cast, Copy))
