"""Common subexpressions: nodes that compute the same thing become one."""

from __future__ import annotations

from dataclasses import dataclass

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node
from graphad.ir.op import Op
from graphad.rewrite.driver import in_body


@dataclass(frozen=True)
class MergeEqual:
    """op(x, y), op(x, y) -> one of them; for commutative ops op(y, x) too.

    Ops are equal when their attributes are; leaves with state, which are equal only to themselves, never merge.
    """

    name: str = "common subexpressions"
    exact: bool = True

    def run(self, graph: Graph) -> Graph:
        """One walk, remembering the first node of each kind."""
        first: dict[tuple[Op, tuple[int, ...]], Node] = {}

        def merge(node: Node, operands: tuple[Node, ...]) -> Node:
            numbers = map(id, operands)
            key = (node.op, tuple(sorted(numbers) if node.op.traits.commutative else numbers))
            found = first.get(key)
            if found is None:
                found = first[key] = in_body(self, with_operands(node, operands))
            return found

        return graph.transform(merge)


MERGE_EQUAL = MergeEqual()
