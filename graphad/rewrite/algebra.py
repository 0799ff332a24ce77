"""Simple algebra: what an identity of the operations says can be left out."""

from __future__ import annotations

from graphad.ir.node import Node, apply
from graphad.ops.arithmetic import Add, Negative, Subtract
from graphad.ops.slicing import Assemble, Concatenate, Index, Slice, Span, Stack, full_index
from graphad.ops.structure import BroadcastTo, Cast, Reshape, Sum, Transpose
from graphad.rewrite.constants import is_everywhere
from graphad.rewrite.driver import Rewrites


def drop_identity(node: Node) -> Node | None:
    """stop_gradient(x) -> x: the gradient has been taken."""
    traits = node.op.traits
    return node.operands[0] if traits.identity and not traits.barrier else None


def drop_unit(node: Node) -> Node | None:
    """X * 1, x / 1, x ** 1, x + 0, x - 0 -> x; 1 * x, 0 + x -> x."""
    unit = node.op.traits.unit
    if unit is None:
        return None
    x, y = node.operands
    if is_everywhere(y, unit):
        return x
    return y if node.op.traits.commutative and is_everywhere(x, unit) else None


def drop_same_view(node: Node) -> Node | None:
    """X.reshape(its own shape), broadcast, transposed or sliced to itself, summed over nothing -> x."""
    op = node.op
    if not isinstance(op, (Reshape, BroadcastTo, Transpose, Slice, Sum)):
        return None
    (x,) = node.operands
    if x.type != node.type:
        return None
    moves = isinstance(op, Transpose) and op.axes != tuple(range(x.ndim))
    moves |= isinstance(op, Slice) and op.index != full_index(x.shape)
    moves |= isinstance(op, Sum) and op.axes != ()
    return None if moves else x


def merge_views(node: Node) -> Node | None:
    """X.reshape(a).reshape(b) -> x.reshape(b); x.T.T -> x; broadcast(broadcast(x)) -> broadcast(x)."""
    op = node.op
    if not isinstance(op, (Reshape, BroadcastTo, Transpose)) or type(node.operands[0].op) is not type(op):
        return None
    inner = node.operands[0]
    (x,) = inner.operands
    if isinstance(op, Transpose) and isinstance(inner.op, Transpose):
        return apply(Transpose(tuple(inner.op.axes[axis] for axis in op.axes)), x)
    return apply(op, x)


def merge_negatives(node: Node) -> Node | None:
    """-(-x) -> x; x + -y -> x - y; x - -y -> x + y."""
    op = node.op
    if isinstance(op, Negative) and isinstance(node.operands[0].op, Negative):
        return node.operands[0].operands[0]
    if not isinstance(op, (Add, Subtract)) or not isinstance(node.operands[1].op, Negative):
        return None
    return apply(Subtract() if isinstance(op, Add) else Add(), node.operands[0], node.operands[1].operands[0])


def drop_widening_cast(node: Node) -> Node | None:
    """cast(cast(x, wide), x's dtype) -> x."""
    inner = node.operands[0] if node.operands else node
    if not isinstance(node.op, Cast) or not isinstance(inner.op, Cast):
        return None
    (x,) = inner.operands
    widened = x.dtype.kind == inner.dtype.kind and x.dtype.itemsize <= inner.dtype.itemsize
    return x if x.dtype == node.dtype and widened else None


def slice_of_stack(node: Node) -> Node | None:
    """stack(a, b, c)[1] -> b."""
    op, inner = node.op, node.operands[0] if node.operands else node
    if not isinstance(op, Slice) or not isinstance(inner.op, Stack):
        return None
    place = op.index[inner.op.axis]
    whole = full_index(inner.shape)
    rest = all(
        part == full for axis, (part, full) in enumerate(zip(op.index, whole, strict=True)) if axis != inner.op.axis
    )
    return inner.operands[place] if isinstance(place, int) and rest else None


def assemble_of_neighbours(node: Node) -> Node | None:
    """zeros with a put at [:, :2] and b at [:, 2:], all that there is -> concatenate(a, b, axis=1)."""
    op = node.op
    if not isinstance(op, Assemble) or not node.shape or any(len(_spans(index)) < node.ndim for index in op.indices):
        return None
    whole = full_index(node.shape)
    cut = [axis for axis in range(node.ndim) if any(index[axis] != whole[axis] for index in op.indices)]
    if len(cut) != 1 or any(not span.length or span.step != 1 for index in op.indices for span in _spans(index)):
        return None
    parts = sorted(zip((_spans(index)[cut[0]] for index in op.indices), node.operands, strict=True), key=lambda x: x[0])
    ends = [span.start + span.length for span, _ in parts]
    starts = [span.start for span, _ in parts]
    if starts != [0, *ends[:-1]] or ends[-1] != node.shape[cut[0]]:
        return None
    return apply(Concatenate(cut[0]), *(part for _, part in parts))


def _spans(index: Index) -> list[Span]:
    return [part for part in index if isinstance(part, Span)]


SIMPLIFY = Rewrites(
    "algebra",
    (
        drop_identity,
        drop_unit,
        drop_same_view,
        merge_views,
        merge_negatives,
        drop_widening_cast,
        slice_of_stack,
        assemble_of_neighbours,
    ),
    exact=True,
)
