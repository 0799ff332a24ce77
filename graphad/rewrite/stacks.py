"""What is taken apart into steps and put together again: one stack.

The gradient of an array that is read step by step is an assembly of T parts, one for each step; once time is folded,
each part is a step of one stacked array. So the assembly is that array, its axis of time moved.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphad.ir.node import Node, apply
from graphad.ops.slicing import Assemble, Index, Slice, Span, Stack, full_index
from graphad.ops.structure import Transpose
from graphad.rewrite.driver import Rewrites


def assemble_of_steps(node: Node) -> Node | None:
    """zeros with a put at [:, 1] and b at [:, 0], all that there is -> stack(b, a, axis=1)."""
    if not isinstance(node.op, Assemble):
        return None
    found = _steps(node.op.indices, node)
    if found is None or sorted(found[1]) != list(range(int(str(node.shape[found[0]])))):
        return None
    axis, places = found
    parts = dict(zip(places, node.operands, strict=True))
    return apply(Stack(axis), *(parts[place] for place in sorted(parts)))


def stack_of_steps(node: Node) -> Node | None:
    """stack(x[:, 2], x[:, 3], x[:, 4], axis=0) -> x[:, 2:5], with that axis moved to the front."""
    first = node.operands[0] if node.operands else node
    if not isinstance(node.op, Stack) or not isinstance(first.op, Slice):
        return None
    (x,) = first.operands
    if any(not isinstance(part.op, Slice) or part.operands[0] is not x for part in node.operands):
        return None
    found = _steps([part.op.index for part in node.operands if isinstance(part.op, Slice)], x)
    if found is None or list(found[1]) != list(range(found[1][0], found[1][0] + len(found[1]))):
        return None
    axis, places = found
    index = full_index(x.shape)
    part = apply(Slice((*index[:axis], Span(places[0], len(places)), *index[axis + 1 :])), x)
    axes = [other for other in range(x.ndim) if other != axis]
    axes.insert(node.op.axis, axis)
    return apply(Transpose(tuple(axes)), part)


def _steps(indices: Sequence[Index], x: Node) -> tuple[int, Sequence[int]] | None:
    """The axis along which each index takes one place, all of the other axes being taken whole; and the places."""
    axis = next((axis for axis, part in enumerate(indices[0]) if isinstance(part, int)), None)
    whole = full_index(x.shape)
    places: list[int] = []
    for index in indices:
        part = None if axis is None else index[axis]
        if axis is None or not isinstance(part, int):
            return None
        if (*index[:axis], *index[axis + 1 :]) != (*whole[:axis], *whole[axis + 1 :]):
            return None
        places.append(part)
    return None if axis is None else (axis, places)


STACKS_OF_STEPS = Rewrites("stacks of steps", (assemble_of_steps, stack_of_steps), exact=True)
