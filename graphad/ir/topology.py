"""What follows from the edges alone: order, readers, reachability. The only module that knows networkx.

Unrolled time is deep, so nothing here recurses. The order of a graph is that of its declaration, which rewrites keep:
so it is the same in every process, and what is declared step by step runs step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import networkx as nx

from graphad.ir.node import RANK, Node

V = TypeVar("V", bound=Hashable)


def topological_order(outputs: Iterable[Node], inside: Callable[[Node], bool] | None = None) -> tuple[Node, ...]:
    """The outputs and all that they depend on, operands first, in the order of declaration.

    With ``inside``, no further than it holds.
    """
    order: dict[Node, None] = {}
    stack = [*outputs][::-1]
    while stack:
        node, height = stack[-1], len(stack)
        for x in () if node in order else reversed(node.operands):
            if x not in order and (inside is None or inside(x)):
                stack.append(x)
        if len(stack) == height:
            order[stack.pop()] = None
    return tuple(sorted(order, key=RANK))  # stable: of equal rank, operands stay first


def reachable(sources: Sequence[Node], outputs: Sequence[Node]) -> tuple[Node, ...]:
    """In topological order, the nodes that depend on a source and that an output depends on, both ends included."""
    order = topological_order(outputs)
    reached = set(sources)
    for node in order:
        if not reached.isdisjoint(node.operands):
            reached.add(node)
    return tuple(node for node in order if node in reached)


def components(vertices: Sequence[V], edges: Iterable[tuple[V, V]], rank: Callable[[V], int]) -> list[list[V]]:
    """The strongly connected components of a graph, each after those that it depends on, by ``rank`` where free."""
    ranks = {vertex: rank(vertex) for vertex in vertices}
    graph: nx.DiGraph[V] = nx.DiGraph()
    graph.add_nodes_from(vertices)
    graph.add_edges_from(dict.fromkeys(edges))
    condensed = nx.condensation(graph)
    members = {number: sorted(condensed.nodes[number]["members"], key=ranks.__getitem__) for number in condensed}
    order = nx.lexicographical_topological_sort(condensed, key=lambda number: ranks[members[number][0]])
    return [members[number] for number in order]


def minimum_cut(edges: Iterable[tuple[V, V, int | None]], source: V, sink: V) -> list[V]:
    """The vertices behind the cut of least capacity between source and sink: those on the sink's side, in order.

    ``edges`` are from, to, and capacity; None: may not be cut. Of all least cuts it is the one nearest to the sink.
    That side, the vertices from which the sink can still be reached when all that is possible flows, is the same for
    every maximum flow, so it does not matter in which order one is found.

    >>> minimum_cut([("s", "a", 3), ("a", "b", 2), ("a", "b", 1), ("b", "t", None)], "s", "t")
    ['b', 't']
    """
    graph: nx.DiGraph[V] = nx.DiGraph()
    for tail, head, capacity in edges:
        known = graph.get_edge_data(tail, head, {"capacity": 0}).get("capacity")
        if known is None or capacity is None:
            graph.add_edge(tail, head)
            graph[tail][head].pop("capacity", None)
        else:
            graph.add_edge(tail, head, capacity=known + capacity)
    graph.add_nodes_from((source, sink))
    _, (_, behind) = nx.minimum_cut(graph, source, sink)
    return [vertex for vertex in graph if vertex in behind]
