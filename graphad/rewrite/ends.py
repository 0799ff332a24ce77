"""One end of a stack, read alone: the first or the last step of what is stacked over time.

Whoever reads ``hs[:, -1]`` wants the last state and no stack, and only this state has a cotangent. Here the stack and
its mostly empty cotangent go, before time is folded, and the recurrence is the same as if the state had been named.
"""

from __future__ import annotations

from graphad.ir.node import Node
from graphad.ops.arithmetic import Add
from graphad.ops.slicing import Assemble, Index, Slice, full_index
from graphad.rewrite.algebra import slice_of_stack
from graphad.rewrite.driver import Rewrites


def slice_of_end(node: Node) -> Node | None:
    """(zeros with a put at [:, -1])[:, -1] -> a."""
    place = _place_in_end(node)
    return node.operands[0].operands[0] if place is not None and place[0] == place[1] else None


def sum_with_nothing(node: Node) -> Node | None:
    """X + (zeros with a put at [:, -1])[:, 3] -> x."""
    if not isinstance(node.op, Add):
        return None
    for x, other in (node.operands, node.operands[::-1]):
        place = _place_in_end(other)
        if place is not None and place[0] != place[1]:
            return x
    return None


def _place_in_end(node: Node) -> tuple[int, int] | None:
    """For one place along an axis of zeros with something put at one end of it: the two places."""
    filled = node.operands[0] if node.operands else node
    if not isinstance(node.op, Slice) or not isinstance(filled.op, Assemble) or len(filled.op.indices) != 1:
        return None
    read, written = _only_place(node.op.index, filled), _only_place(filled.op.indices[0], filled)
    if read is None or written is None or read[0] != written[0]:
        return None
    axis, end = written
    return (read[1], end) if end in (0, filled.shape[axis] - 1) else None


def _only_place(index: Index, x: Node) -> tuple[int, int] | None:
    """The axis and the place, for an index that takes one place along one axis, and all of the others."""
    whole = full_index(x.shape)
    parts = [(axis, part) for axis, part in enumerate(index) if part != whole[axis]]
    if len(parts) != 1:
        return None
    axis, place = parts[0]
    return (axis, place) if isinstance(place, int) else None


ENDS_OF_STACKS = Rewrites("ends of stacks", (slice_of_stack, slice_of_end, sum_with_nothing), exact=True)
