"""The driver of rewrites: one walk, operands first, trying small rules at each node until none applies.

A rule is a function ``node -> node | None`` whose docstring reads ``before -> after``; None means "not here". The
rule sees operands that are rewritten already. What it builds carries the origin of the node it replaces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from graphad.errors import VerificationError
from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, labels
from graphad.ops.loop import Loop, with_body

Rule: TypeAlias = Callable[[Node], Node | None]
_MOST_REWRITES_OF_ONE_NODE = 100


class Pass(Protocol):
    """From a graph to an equal graph; the same object back means that there was nothing to do.

    ``exact``: results are equal, element by element; otherwise they agree to rounding, where they were finite.
    """

    @property
    def name(self) -> str:
        """What reports and messages call the pass."""

    @property
    def exact(self) -> bool:
        """Whether every value stays the same."""

    def run(self, graph: Graph) -> Graph:
        """The rewritten graph."""


@dataclass(frozen=True)
class Rewrites:
    """The pass that applies ``rules``, in their order, everywhere, in the bodies of loops too."""

    name: str
    rules: tuple[Rule, ...]
    exact: bool

    def run(self, graph: Graph) -> Graph:
        """One walk over the graph."""
        with labels() as label:
            return graph.transform(lambda node, operands: self._rewrite(with_operands(node, operands), label))

    def _rewrite(self, node: Node, label: labels) -> Node:
        node = in_body(self, node)
        for _ in range(_MOST_REWRITES_OF_ONE_NODE):
            label.follow(node.origin, self.name)
            found = self._applied(node)
            if found is None:
                return node
            rule, after = found
            if after.type != node.type:
                raise VerificationError(
                    f"pass {self.name}, {rule.__name__}: {node!r} became {after!r}, which is of another type"
                )
            node = _with_origin_of(node, after, self.name)
        raise VerificationError(f"pass {self.name} does not come to rest at {node!r}, at {node.origin.place}")

    def _applied(self, node: Node) -> tuple[Rule, Node] | None:
        """The first rule that applies, and what it gives."""
        for rule in self.rules:
            after = rule(node)
            if after is not None:
                return rule, after
        return None


def in_body(one: Pass, node: Node) -> Node:
    """The loop with its body rewritten by the pass; any other node as it is."""
    if not isinstance(node.op, Loop):
        return node
    body = one.run(node.op.body)
    return node if body is node.op.body else with_body(node, body, {})


def _with_origin_of(before: Node, after: Node, name: str) -> Node:
    """``after`` with the origin and the name of what it replaces, if the rule built it."""
    if after.origin.made_by != name:
        return after
    return Node(after.op, after.operands, after.type, after.name or before.name, before.origin)  # of the same rank
