"""One less a sigmoid, which somebody divides by or takes the logarithm of: the sigmoid of the opposite.

``1 - sigmoid(x)`` has no digits left where the sigmoid rounds to 1. That matters to a quotient and to a logarithm only;
elsewhere, as in the gradient of every gate, one more exponential would double the work. Where it is replaced, it is so
for all who read it: what is divided by itself stays 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, labels
from graphad.ops.arithmetic import Divide
from graphad.ops.structure import BroadcastTo
from graphad.ops.transcendental import Log, sigmoid
from graphad.rewrite.driver import in_body
from graphad.rewrite.patterns import opposite, picks


@dataclass(frozen=True)
class OppositeSigmoids:
    """1 - sigmoid(x) -> sigmoid(-x), if it is divided by, or its logarithm is taken."""

    name: str = "opposite sigmoids"
    exact: bool = False

    def run(self, graph: Graph) -> Graph:
        """Find what is divided by and what logarithms are taken of; then replace."""
        found = {node for node in _divisors(graph) if opposite(node) is not None}
        with labels() as label:

            def change(node: Node, operands: tuple[Node, ...]) -> Node:
                now = in_body(self, with_operands(node, operands))
                x = opposite(now) if node in found else None
                label.follow(node.origin, self.name)
                return now if x is None else sigmoid(-x)

            return graph.transform(change)


OPPOSITES = OppositeSigmoids()


def _divisors(graph: Graph) -> set[Node]:
    """What is divided by, or taken the logarithm of; and what that is a view, a part or a repetition of."""
    found: set[Node] = set()
    for node in reversed(graph.nodes):
        if isinstance(node.op, Divide):
            found.add(node.operands[1])
        elif isinstance(node.op, Log) or (node in found and (isinstance(node.op, BroadcastTo) or picks(node.op))):
            found.add(node.operands[0])
    return found
