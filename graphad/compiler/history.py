"""What became of a node: from the user's line through each rewrite to the statements that compute it.

Rewrites hand origins on, so what was made in a node's place bears the node's rank in the order of declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphad.ir.graph import Graph, node_text, unique_names
from graphad.ir.node import Node
from graphad.ops.loop import Loop
from graphad.rewrite.driver import Pass
from graphad.rewrite.recompute import computed_first


@dataclass(frozen=True)
class History:
    """``stages``: for each stage of compilation after which something else bears the node's mark, what that is."""

    node: Node
    stages: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        first = f"{self.node!r}, declared at {self.node.origin.place or 'an unknown line'}"
        if self.node.origin.made_by is not None:
            first += f" by {self.node.origin.made_by}"
        if self.node.origin.twin is not None:
            first += f" for {self.node.origin.twin!r}"
        return "\n".join([first, *(f"{name}: {'; '.join(texts)}" for name, texts in self.stages)])


def history(node: Node, graph: Graph, passes: Sequence[Pass], statements: Mapping[Node, str]) -> History:
    """Run the passes on ``graph`` again and follow the node to the statements of the emitted program."""
    stages: list[tuple[str, tuple[str, ...]]] = []
    known = tuple(_marked(graph, node))
    stages.append(("as declared", known or ("no output depends on it",)))
    for one in passes:
        graph = one.run(graph)
        found = tuple(_marked(graph, node))
        if found != known:
            stages.append((one.name, found or ("gone: merged with another, folded, or not needed",)))
        known = found
    emitted = tuple(statements[one] for one in marked(statements, node))
    return History(node, (*stages, ("emitted", emitted or ("nothing",))))


def _marked(graph: Graph, node: Node) -> Iterator[str]:
    texts = {one: text for one, text in _texts(graph) if not one.op.traits.leaf}
    yield from (texts[one] for one in marked(texts, node))


def _texts(graph: Graph) -> Iterator[tuple[Node, str]]:
    names = unique_names(graph.nodes)
    yield from ((one, node_text(one, names)) for one in graph.nodes)
    for loop in graph.nodes:
        if isinstance(loop.op, Loop):
            inside = unique_names(loop.op.body.nodes)
            when = f"in a loop of {loop.op.steps} steps"
            yield from ((one, f"{when}, {node_text(one, inside)}") for one in loop.op.body.nodes)


def marked(nodes: Iterable[Node], node: Node) -> list[Node]:
    """Those that stand where the node stood, or compute that again; if none does, those that stand for all steps of
    what it is one step of.
    """
    among = list(nodes)
    exact = [one for one in among if computed_first(one).origin.rank == node.origin.rank]
    return exact or [one for one in among if node.origin.step is not None and _is_like(one, node)]


def _is_like(one: Node, node: Node) -> bool:
    same = one.op.name == node.op.name and one.origin.source == node.origin.source
    return same and one.origin.step is None and (one.origin.twin is None) == (node.origin.twin is None)
