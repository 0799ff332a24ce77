"""The program: what a backend emits. Each node of the graph is a statement, a view of another value, or a leaf.

A view costs nothing: it is made once, on memory that does not move. So an input that is read through views gets a place
in the arena too, and is copied there at each call. The values that a call must not lose before its end (results, and
the new values of parameters) are statements as well, in memory of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphad.ir.graph import Graph
from graphad.ir.node import Node, apply, labels
from graphad.ops.structure import Copy
from graphad.schedule.liveness import Lifetimes, plan_memory


@dataclass(frozen=True, eq=False)
class Program:
    """A schedule and a plan of memory.

    ``staged``: inputs that are copied into the arena. ``views``: nodes that share another's memory, in order.
    ``statements``: nodes that compute, in order. ``offsets``: the place in the arena of each statement and staged
    input. ``updates``: each parameter with the node of its new value. ``live_bytes``: the most that is alive at one
    time.
    """

    graph: Graph
    staged: tuple[Node, ...]
    views: tuple[Node, ...]
    statements: tuple[Node, ...]
    offsets: Mapping[Node, int]
    arena_bytes: int
    live_bytes: int
    updates: tuple[tuple[Node, Node], ...]

    @property
    def results(self) -> tuple[Node, ...]:
        """The outputs that the caller gets."""
        return self.graph.outputs[: len(self.graph.outputs) - len(self.updates)]

    @property
    def flops(self) -> int:
        """Floating-point operations of one call."""
        return sum(node.op.flops(node.type, *(x.type for x in node.operands)) for node in self.statements)


def read(reader: Node, operand: Node) -> Node:
    """What the reader reads for this operand: elementwise kernels broadcast by themselves."""
    while reader.op.traits.elementwise and operand.op.traits.broadcast:
        (operand,) = operand.operands
    return operand


def schedule(graph: Graph, parameters: tuple[Node, ...]) -> Program:
    """Plan a graph with integer sizes, whose last outputs are the new values of ``parameters``."""
    graph = _with_own_updates(graph, len(parameters))
    roots = _roots(graph)
    read_through_views = {roots[node] for node in graph.nodes if roots[node] is not node}
    staged = tuple(node for node in graph.inputs if node in read_through_views)
    statements = tuple(node for node in graph.nodes if roots[node] is node and not node.op.traits.leaf)
    lifetimes = Lifetimes.of(statements, staged, graph.outputs, roots)
    offsets, arena_bytes, live_bytes = plan_memory(statements, staged, lifetimes)
    views = _needed_views(graph, roots)
    updates = tuple(zip(parameters, graph.outputs[len(graph.outputs) - len(parameters) :], strict=True))
    return Program(graph, staged, views, statements, offsets, arena_bytes, live_bytes, updates)


def _with_own_updates(graph: Graph, count: int) -> Graph:
    """A new value that is (a view of) a leaf -> a copy: parameters may be exchanged, and all read the old values."""
    roots = _roots(graph)
    keep = len(graph.outputs) - count

    def own(node: Node) -> Node:
        with labels(source=node.origin.source, made_by="own memory for a new value"):
            return apply(Copy(), node) if roots[node].op.traits.leaf else node

    return Graph(graph.inputs, (*graph.outputs[:keep], *map(own, graph.outputs[keep:])))


def _roots(graph: Graph) -> dict[Node, Node]:
    """For each node, the node whose memory holds its value: itself, unless it is a view."""
    roots: dict[Node, Node] = {}
    contiguous: set[Node] = set()
    for node in graph.nodes:
        traits = node.op.traits
        whole = bool(node.operands) and node.operands[0] in contiguous
        is_view = traits.view or (traits.contiguous_view and whole)
        roots[node] = roots[node.operands[0]] if is_view else node
        if not is_view or (whole and (traits.contiguous_view or traits.identity)):
            contiguous.add(node)
    return roots


def _needed_views(graph: Graph, roots: Mapping[Node, Node]) -> tuple[Node, ...]:
    """The views that are read as such, or that others are made from."""
    needed = {node for node in graph.outputs if roots[node] is not node}
    for node in reversed(graph.nodes):
        if roots[node] is node or node in needed:
            needed.update(x for x in (read(node, operand) for operand in node.operands) if roots[x] is not x)
    return tuple(node for node in graph.nodes if node in needed)
