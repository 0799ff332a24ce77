"""Elementwise work on many arrays that are joined afterwards, done on the joined array at once.

The new values of a block of parameters are such a join. Moved outward through the update rule, it ends at the
gradients: whatever the number of parameters, a rule is then a handful of operations on long vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, apply, labels
from graphad.ops.build import broadcast
from graphad.ops.slicing import Concatenate, Slice, Span
from graphad.ops.structure import BroadcastTo, Reshape
from graphad.rewrite.constants import uniform

Parts: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True)
class JoinFirst:
    """join(f(a, x), f(b, y)) -> f(join(a, b), join(x, y)), for vectors and an elementwise f."""

    name: str = "joins before elementwise work"
    exact: bool = True

    def run(self, graph: Graph) -> Graph:
        """One walk; a join that comes up in several places is made once."""
        joins = _Joins(self.name)

        def change(node: Node, operands: tuple[Node, ...]) -> Node:
            changed = with_operands(node, operands)
            return joins.of(changed) if isinstance(node.op, Concatenate) and node.ndim == 1 else changed

        return graph.transform(change)


JOIN_FIRST = JoinFirst()


@dataclass(eq=False)
class _Joins:
    """The joins that were made, by the parts they join."""

    name: str
    made: dict[Parts, Node] = field(default_factory=dict)

    def of(self, node: Node) -> Node:
        """The join in its new form."""
        with labels(made_by=self.name) as label:
            label.follow(node.origin, self.name)
            pending = [tuple(map(_unshaped, node.operands))]
            while pending:
                parts = pending[-1]
                missing = [inner for inner in _inner(parts) if inner not in self.made]
                if missing:
                    pending += missing
                else:
                    self.made[pending.pop()] = self._join(parts)
        return self.made[tuple(map(_unshaped, node.operands))]

    def _join(self, parts: Parts) -> Node:
        for whole in (_same_number(parts), _neighbours(parts)):
            if whole is not None:
                return whole
        inner = list(_inner(parts))
        if inner:
            return apply(parts[0].op, *(self.made[one] for one in inner))
        return apply(Concatenate(0), *map(_flat, parts))


def _inner(parts: Parts) -> Iterator[Parts]:
    """What is to be joined first: the operands place by place, if the parts are one elementwise operation."""
    op = parts[0].op
    if op.traits.elementwise and all(part.op == op for part in parts):
        places = [tuple(map(_unshaped, place)) for place in zip(*(part.operands for part in parts), strict=True)]
        if not any(_different_numbers(place) for place in places):
            yield from places


def _different_numbers(parts: Parts) -> bool:
    """Numbers that would have to be written out to be joined."""
    return all(uniform(part) is not None for part in parts) and _same_number(parts) is None


def _unshaped(node: Node) -> Node:
    """reshape(x) -> x: the order of the elements is the same."""
    while isinstance(node.op, Reshape):
        (node,) = node.operands
    return node


def _flat(node: Node) -> Node:
    size = (node.type.size,)
    return node if node.shape == size else apply(Reshape(size), node)


def _same_number(parts: Sequence[Node]) -> Node | None:
    """The repeated number, if all parts repeat the same one."""
    length = sum(int(str(part.type.size)) for part in parts)
    constants = [uniform(part) for part in parts]
    if constants[0] is not None and all(constant == constants[0] for constant in constants):
        return broadcast(apply(constants[0]), (length,))
    numbers = [part.operands[0] if isinstance(part.op, BroadcastTo) else part for part in parts]
    if numbers[0].shape == () and all(number is numbers[0] for number in numbers):
        return broadcast(numbers[0], (length,))
    return None


def _neighbours(parts: Sequence[Node]) -> Node | None:
    """x[0:2], x[2:5] -> x[0:5]."""
    spans = [part.op.index[0] for part in parts if isinstance(part.op, Slice) and len(part.op.index) == 1]
    taken = [span for span in spans if isinstance(span, Span) and span.step == 1]
    if len(taken) < len(parts) or any(part.operands[0] is not parts[0].operands[0] for part in parts):
        return None
    if any(after.start != before.start + before.length for before, after in pairwise(taken)):
        return None
    (whole,) = parts[0].operands
    span = Span(taken[0].start, sum(int(str(one.length)) for one in taken))
    return whole if span == Span(0, whole.shape[0]) else apply(Slice((span,)), whole)
