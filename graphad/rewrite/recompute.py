"""Values that are computed again after a point in the order of statements, instead of being kept across it.

What is kept is a minimum cut between what can't be computed again and what is read after the point: to keep a value
costs its bytes, to compute it again its operations. This is done after all passes, so nobody merges the copies with
what was computed first; and each has the rank of its first reader, so it is computed just before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, apply, labels_from
from graphad.ir.topology import minimum_cut
from graphad.ops.loop import Loop

RECOMPUTE = "recompute"
"""The ``made_by`` of what is computed again; its twin is what was computed first."""
_Vertex: TypeAlias = tuple[str, Node | None]
_SOURCE: _Vertex = ("source", None)
_SINK: _Vertex = ("sink", None)


@dataclass(frozen=True, eq=False)
class RecomputeAfter:
    """reader(v) after a point -> reader(v'), where v' is v computed again and v is not kept across the point.

    ``kept``: the values that there are before the point, in order, and the bytes that it costs to keep each; all else
    is there anyway. ``readers``: the statements after the point, in order. ``roots``: for each node the one whose
    memory holds its value. ``flops_per_byte``: how much is computed again to save a byte. ``fixed``: values that are
    not computed again, and nor are loops. What is drawn at random is drawn alike.
    """

    kept: Mapping[Node, int]
    readers: Sequence[Node]
    roots: Mapping[Node, Node]
    flops_per_byte: int
    fixed: AbstractSet[Node] = frozenset()
    name: str = RECOMPUTE
    exact: bool = True

    def run(self, graph: Graph) -> Graph:
        """One walk; nodes before the point stay as they are."""
        ranks = self._ranks(self.recomputed())
        if not ranks:
            return graph
        late, read = set(self.readers), dict[Node, Node]()  # what is read after the point for each node
        for node in graph.nodes:
            root, operands = self.roots[node], tuple(read[operand] for operand in node.operands)
            if root in ranks:
                read[node] = _copy(node, operands, ranks[root])
            else:
                read[node] = with_operands(node, operands) if node in late or root is not node else node
        return graph.mapped(read)

    def recomputed(self) -> list[Node]:
        """The values that are computed again, in order."""
        behind = set(minimum_cut(self._edges(), _SOURCE, _SINK))
        return [node for node in self.kept if ("made", node) in behind and ("at hand", node) in behind]

    def _edges(self) -> Iterator[tuple[_Vertex, _Vertex, int | None]]:
        """From what a value is made of to it made, from there to it at hand, and from there to whoever reads it."""
        wanted = dict.fromkeys(root for reader in self.readers for root in self._reads(reader))
        yield from ((("at hand", node), _SINK, None) for node in wanted)
        for node in reversed(tuple(self.kept)):
            if node not in wanted:
                continue
            yield ("made", node), ("at hand", node), self.kept[node] * self.flops_per_byte
            if node.op.traits.leaf or isinstance(node.op, Loop) or node in self.fixed:
                yield _SOURCE, ("made", node), None
                continue
            yield _SOURCE, ("made", node), node.op.flops(node.type, *(operand.type for operand in node.operands))
            for root in self._reads(node):
                wanted[root] = None
                yield ("at hand", root), ("made", node), None

    def _reads(self, reader: Node) -> list[Node]:
        """The values before the point that a statement reads."""
        return [root for root in (self.roots[operand] for operand in reader.operands) if root in self.kept]

    def _ranks(self, recomputed: Sequence[Node]) -> dict[Node, int]:
        """For each value that is computed again, the rank of who reads that first."""
        ranks: dict[Node, int] = {}
        again = set(recomputed)
        for reader in (*reversed(self.readers), *reversed(recomputed)):
            rank = ranks.get(reader, reader.origin.rank)
            for root in self._reads(reader):
                if root in again:
                    ranks[root] = min(rank, ranks.get(root, rank))
        return ranks


def _copy(node: Node, operands: tuple[Node, ...], rank: int) -> Node:
    with labels_from(node.origin, RECOMPUTE, node) as label:
        label.rank = rank
        return apply(node.op, *operands, name=node.name)


def computed_first(node: Node) -> Node:
    """What was computed first, for a node that is computed again; any other node itself."""
    while node.origin.made_by == RECOMPUTE and node.origin.twin is not None:
        node = node.origin.twin
    return node
