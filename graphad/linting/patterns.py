"""Numbers that are known, and comparisons with them."""

from __future__ import annotations

from dataclasses import dataclass

from graphad.ir.leaves import Constant, SizeOf
from graphad.ir.node import Node
from graphad.ops.selection import (
    Comparison,
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalNot,
    NotEqual,
)
from graphad.rewrite.patterns import bare

MIRRORED: dict[type, type] = {Less: Greater, LessEqual: GreaterEqual, Greater: Less, GreaterEqual: LessEqual}
NEGATED: dict[type, type] = {
    Less: GreaterEqual,
    LessEqual: Greater,
    Greater: LessEqual,
    GreaterEqual: Less,
    Equal: NotEqual,
    NotEqual: Equal,
}


def number(node: Node) -> float | None:
    """The number that a node is everywhere, if it is one that is known."""
    found = bare(node)
    if isinstance(found.op, Constant) and found.op.value.size and (found.op.value == found.op.value.flat[0]).all():
        return float(found.op.value.flat[0])
    return None


def is_fixed(node: Node) -> bool:
    """Whether the value is a constant or a size."""
    return isinstance(bare(node).op, (Constant, SizeOf))


@dataclass(frozen=True, eq=False)
class Test:
    """A comparison of a node with a number: the ``relation`` is a class of comparisons."""

    subject: Node
    relation: type
    bound: float

    @property
    def negated(self) -> Test:
        """The test that holds where this one does not."""
        return Test(self.subject, NEGATED[self.relation], self.bound)


def test_of(condition: Node) -> Test | None:
    """The test that a truth value is, if it compares a node with a number."""
    node = bare(condition)
    if isinstance(node.op, LogicalNot):
        inner = test_of_one(bare(node.operands[0]))
        return None if inner is None else inner.negated
    return test_of_one(node)


def test_of_one(node: Node) -> Test | None:
    """Likewise, of a comparison itself."""
    relation = type(node.op)
    if relation not in NEGATED:
        return None
    left, right = node.operands
    if (bound := number(right)) is not None:
        return Test(bare(left), relation, bound)
    if (bound := number(left)) is not None:
        return Test(bare(right), MIRRORED.get(relation, relation), bound)
    return None


def compared(condition: Node) -> list[Node]:
    """The floats that a condition looks at, through truth values."""
    found, pending, seen = [], [condition], set()
    while pending:
        node = bare(pending.pop())
        if node in seen:
            continue
        seen.add(node)
        if node.type.is_float:
            found.append(node)
        elif isinstance(node.op, Comparison):
            pending.extend(node.operands)
    return found
