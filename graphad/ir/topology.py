"""What follows from the edges alone: order, readers, reachability. The only module that knows networkx.

Unrolled time is deep, so nothing here recurses. The order of a graph is that of its declaration, which rewrites keep:
so it is the same in every process, and what is declared step by step runs step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import networkx as nx

from graphad.ir.node import Node

V = TypeVar("V", bound=Hashable)
if TYPE_CHECKING:
    Dependences = nx.DiGraph[Node]


def topological_order(outputs: Iterable[Node], inside: Callable[[Node], bool] | None = None) -> tuple[Node, ...]:
    """The outputs and all that they depend on, operands first, in the order of declaration.

    With ``inside``, no further than it holds.
    """
    order: dict[Node, None] = {}
    for output in outputs:
        stack = [] if output in order else [(output, iter(output.operands))]
        while stack:
            node, operands = stack[-1]
            pending = next((x for x in operands if x not in order and (inside is None or inside(x))), None)
            if pending is None:
                order[node] = None
                stack.pop()
            else:
                stack.append((pending, iter(pending.operands)))
    return tuple(sorted(order, key=lambda node: node.origin.rank))  # stable: of equal rank, operands stay first


def dependence_graph(order: Iterable[Node]) -> Dependences:
    """An edge from each operand to each of its readers, nodes inserted in the order given."""
    graph: Dependences = nx.DiGraph()
    for node in order:
        graph.add_node(node)
        graph.add_edges_from((operand, node) for operand in node.operands)
    return graph


def reachable(sources: Sequence[Node], outputs: Sequence[Node]) -> tuple[Node, ...]:
    """In topological order, the nodes that depend on a source and that an output depends on, both ends included."""
    order = topological_order(outputs)
    graph = dependence_graph(order)
    starts = [source for source in sources if source in graph]
    reached = {node for layer in nx.bfs_layers(graph, starts) for node in layer} if starts else set()
    return tuple(node for node in order if node in reached)


def components(vertices: Sequence[V], edges: Iterable[tuple[V, V]], rank: Callable[[V], int]) -> list[list[V]]:
    """The strongly connected components of a graph, each after those that it depends on, by ``rank`` where free."""
    graph: nx.DiGraph[V] = nx.DiGraph()
    graph.add_nodes_from(vertices)
    graph.add_edges_from(edges)
    condensed = nx.condensation(graph)
    members = {number: sorted(condensed.nodes[number]["members"], key=rank) for number in condensed}
    order = nx.lexicographical_topological_sort(condensed, key=lambda number: rank(members[number][0]))
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
