"""The program: what a backend emits. Each node of the graph is a statement, a view of another value, or a leaf.

A view costs nothing: it is made once, on memory that does not move. So an input that is read through views, or by a
loop, gets a place in the arena too, and is copied there at each call. The values that a call must not lose before its
end (results, and the new values of parameters) are statements as well, in memory of their own. A loop's body is a
program too, whose arena lies within the outer one's, and whose results lie in the loop's own value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from graphad.ir.graph import Graph
from graphad.ir.leaves import Parameter
from graphad.ir.node import Node, apply, labels
from graphad.ir.op import Op
from graphad.ops.loop import Loop
from graphad.ops.slicing import Slice, Span, full_index
from graphad.ops.structure import Copy, Transpose
from graphad.schedule.liveness import Lifetimes, MemoryPlan, plan_memory


@dataclass(frozen=True, eq=False)
class Program:
    """A schedule and a plan of memory.

    ``staged``: inputs that are copied into the arena; ``layouts``: the order of axes in which some of them lie there.
    ``views``: nodes that share another's memory, in order; ``roots`` says whose. ``statements``: nodes that compute,
    in order. ``bodies``: the programs of those that are loops. ``parameters``: those that are read or updated, one
    node each. ``updates``: the node of each updated one, with that of its new value.
    """

    graph: Graph
    roots: Mapping[Node, Node]
    staged: tuple[Node, ...]
    views: tuple[Node, ...]
    statements: tuple[Node, ...]
    memory: MemoryPlan
    bodies: Mapping[Node, Program] = field(default_factory=dict)
    parameters: tuple[Node, ...] = ()
    updates: tuple[tuple[Node, Node], ...] = ()
    layouts: Mapping[Node, tuple[int, ...]] = field(default_factory=dict)

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
    keep = len(graph.outputs) - len(parameters)
    graph = Graph(graph.inputs, (*graph.outputs[:keep], *_owned(graph, graph.outputs[keep:])))
    layouts = _layouts(graph)
    roots = _roots(graph, layouts)
    views = _needed_views(graph, roots)
    statements = _statements(graph, roots)
    bodies = {node: _body(node.op) for node in statements if isinstance(node.op, Loop)}
    immovable = {roots[view] for view in views} | {operand for loop in bodies for operand in loop.operands}
    staged = tuple(node for node in graph.inputs if node in immovable)
    lifetimes = Lifetimes.of(statements, staged, graph.outputs, roots)
    scratch = {loop: body.memory.arena_bytes for loop, body in bodies.items()}
    memory = plan_memory(statements, staged, lifetimes, scratch)
    known: dict[Op, Node] = {node.op: node for node in graph.nodes if isinstance(node.op, Parameter)}
    updated = [known.setdefault(parameter.op, parameter) for parameter in parameters]
    updates = tuple(zip(updated, graph.outputs[keep:], strict=True))
    return Program(graph, roots, staged, views, statements, memory, bodies, tuple(known.values()), updates, layouts)


def _body(loop: Loop) -> Program:
    """The program of a loop's body: its inputs and its outputs lie elsewhere, and move from step to step."""
    graph = Graph(loop.body.inputs, _owned(loop.body, loop.body.outputs))
    roots = _roots(graph)
    statements = _statements(graph, roots)
    lifetimes = Lifetimes.of(statements, (), graph.outputs, roots).without(graph.outputs)
    memory = plan_memory(statements, (), lifetimes, {})
    return Program(graph, roots, (), _needed_views(graph, roots), statements, memory)


def _owned(graph: Graph, values: tuple[Node, ...]) -> tuple[Node, ...]:
    """The values, each in memory of its own: a leaf, a view, or one that comes twice -> a copy.

    So parameters may be exchanged, and all read the old values.
    """
    roots = _roots(graph)
    owned: dict[Node, None] = {}
    for value in values:
        with labels(source=value.origin.source, made_by="memory of its own"):
            shared = roots[value] is not value or value.op.traits.leaf or value in owned
            owned[apply(Copy(), value) if shared else value] = None
    return tuple(owned)


def _statements(graph: Graph, roots: Mapping[Node, Node]) -> tuple[Node, ...]:
    return tuple(node for node in graph.nodes if roots[node] is node and not node.op.traits.leaf)


def _layouts(graph: Graph) -> dict[Node, tuple[int, ...]]:
    """Inputs that are read in one other order of axes only are staged in that order, so that nobody copies again."""
    found = {}
    readers = graph.readers()
    for node in graph.inputs:
        orders = {reader.op.axes if isinstance(reader.op, Transpose) else None for reader in readers.get(node, ())}
        if len(orders) == 1 and (order := orders.pop()) is not None:
            found[node] = order
    for output in graph.outputs:
        found.pop(output, None)
    return found


def _roots(graph: Graph, layouts: Mapping[Node, tuple[int, ...]] = MappingProxyType({})) -> dict[Node, Node]:
    """For each node, the node whose memory holds its value: itself, unless it is a view."""
    roots: dict[Node, Node] = {}
    contiguous: set[Node] = set()
    for node in graph.nodes:
        traits = node.op.traits
        whole = bool(node.operands) and node.operands[0] in contiguous
        is_view = traits.view or (traits.contiguous_view and whole)
        roots[node] = roots[node.operands[0]] if is_view else node
        turned_back = is_view and isinstance(node.op, Transpose) and layouts.get(node.operands[0]) == node.op.axes
        if (
            (node not in layouts and not is_view)
            or turned_back
            or (whole and (traits.contiguous_view or traits.identity or _is_leading(node)))
        ):
            contiguous.add(node)
    return roots


def _is_leading(node: Node) -> bool:
    """Whether a view takes consecutive elements of a contiguous array's first axis, and all of the other axes."""
    if not isinstance(node.op, Slice):
        return False
    index, whole = node.op.index, full_index(node.operands[0].shape)
    step = index[0].step if index and isinstance(index[0], Span) else 1
    return step == 1 and index[1:] == whole[1:]


def _needed_views(graph: Graph, roots: Mapping[Node, Node]) -> tuple[Node, ...]:
    """The views that are read as such, or that others are made from."""
    needed = {node for node in graph.outputs if roots[node] is not node}
    for node in reversed(graph.nodes):
        if roots[node] is node or node in needed:
            needed.update(x for x in (read(node, operand) for operand in node.operands) if roots[x] is not x)
    return tuple(node for node in graph.nodes if node in needed)
