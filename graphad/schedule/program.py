"""The program: what a backend emits. Each node of the graph is a statement, a view of another value, or a leaf.

A view costs nothing: it is made once, on memory that does not move. So an input that is read through views, or by a
loop, gets a place in the arena too, and is copied there at each call. The values that a call must not lose before its
end (results, and the new values of parameters) are statements as well, in memory of their own. A loop's body is a
program too, whose arena lies within the outer one's, and whose results lie in the loop's own value.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field

from graphad.ir.graph import Graph, with_operands
from graphad.ir.leaves import Parameter
from graphad.ir.node import Node, apply, labels
from graphad.ir.op import Op
from graphad.ops.loop import Earlier, Loop
from graphad.ops.structure import Copy
from graphad.schedule.liveness import Lifetimes, MemoryPlan, plan_memory
from graphad.schedule.repetition import repeated
from graphad.schedule.tiles import IN_CACHE, Tiles, readers_of, tiled
from graphad.schedule.tiling import Tiling
from graphad.schedule.views import layouts_of, needed_views, roots_of


@dataclass(frozen=True, eq=False)
class Program:
    """A schedule and a plan of memory.

    ``staged``: inputs that are copied into the arena; ``layouts``: the order of axes in which some of them lie there.
    ``views``: nodes that share another's memory, in order; ``roots`` says whose. ``statements``: nodes that compute,
    in order. ``bodies``: the programs of those that are loops; ``tilings``: loops that are run tile by tile, as
    ``tiles`` says.
    ``parameters``: those that are read or updated, one node each. ``updates``: the node of each updated one, with that
    of its new value.
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
    tilings: Mapping[Node, Tiling] = field(default_factory=dict)
    tiles: Tiles = IN_CACHE

    @property
    def results(self) -> tuple[Node, ...]:
        """The outputs that the caller gets."""
        return self.graph.outputs[: len(self.graph.outputs) - len(self.updates)]

    @property
    def flops(self) -> int:
        """Floating-point operations of one call."""
        again = (
            node for one in self.tilings.values() if one.repeated_by is not None for node in (*one.before, one.loop)
        )
        computed = (*self.statements, *again)
        return sum(node.op.flops(node.type, *(x.type for x in node.operands)) for node in computed)


def schedule(graph: Graph, parameters: tuple[Node, ...], tiles: Tiles = IN_CACHE) -> Program:
    """Plan a graph with integer sizes, whose last outputs are the new values of ``parameters``."""
    keep = len(graph.outputs) - len(parameters)
    graph = Graph(graph.inputs, (*graph.outputs[:keep], *_owned(graph, graph.outputs[keep:])))
    layouts = layouts_of(graph)
    graph = _packed(graph, layouts)
    roots, contiguous = roots_of(graph, layouts)
    views = needed_views(graph, roots)
    statements, tilings = _tiled(_statements(graph, roots), roots, graph.outputs, tiles)
    bodies = {node: _body(node, node.op, contiguous) for node in statements if isinstance(node.op, Loop)}
    immovable = {roots[view] for view in views} | {operand for loop in bodies for operand in loop.operands}
    immovable |= {roots[node] for tiling in tilings.values() for node in tiling.cuts}
    staged = tuple(node for node in graph.inputs if node in immovable)
    memory = _planned(statements, staged, graph.outputs, roots, bodies, tilings)
    known: dict[Op, Node] = {node.op: node for node in graph.nodes if isinstance(node.op, Parameter)}
    updated = [known.setdefault(parameter.op, parameter) for parameter in parameters]
    updates = tuple(zip(updated, graph.outputs[keep:], strict=True))
    found = tuple(known.values())
    return Program(graph, roots, staged, views, statements, memory, bodies, found, updates, layouts, tilings, tiles)


def _tiled(
    statements: tuple[Node, ...], roots: Mapping[Node, Node], outputs: tuple[Node, ...], tiles: Tiles
) -> tuple[tuple[Node, ...], dict[Node, Tiling]]:
    """The statements in order, and which of them are run tile by tile."""
    readers = readers_of(statements, roots, outputs)
    ordered, tilings = tiled(statements, roots, readers, tiles)
    return ordered, repeated(tilings, roots, readers, outputs) if tiles.repeated else tilings


def _planned(
    statements: tuple[Node, ...],
    staged: tuple[Node, ...],
    outputs: tuple[Node, ...],
    roots: Mapping[Node, Node],
    bodies: Mapping[Node, Program],
    tilings: Mapping[Node, Tiling],
) -> MemoryPlan:
    """The memory of a program whose loops and tilings need some of their own."""
    number = {node: number for number, node in enumerate(statements)}
    groups: dict[Node, range] = {}
    sizes: dict[Node, int] = {}
    passing: set[Node] = set()
    scratch = {**_scratch(statements), **{loop: (body.memory.arena_bytes,) for loop, body in bodies.items()}}
    for loop, tiling in tilings.items():
        until = tiling if tiling.repeated_by is None else tilings[tiling.repeated_by]
        first, last = tiling.statements[0], until.statements[-1]
        groups.update(dict.fromkeys(tiling.statements, range(number[first], number[last] + 1)))
        sizes.update(tiling.local)
        scratch.update({node: (node.type.nbytes,) for node in tiling.sums})
        passing.update(node for node in tiling.local if node is not loop and tiling.repeated_by is None)
        if tiling.repeated_by is not None:
            (inside,) = scratch.pop(loop)  # needed as long as the loop's records are
            sizes[loop] += inside
    lifetimes = Lifetimes.of(statements, staged, outputs, roots, groups, passing)
    return plan_memory(statements, staged, lifetimes, scratch, sizes)


def _body(node: Node, loop: Loop, contiguous: Container[Node]) -> Program:
    """The program of a loop's body: its inputs and its outputs lie elsewhere, and move from step to step."""
    reads = zip(loop.body.inputs, loop.reads, strict=True)
    strided = {
        x for x, read in reads if not isinstance(read, Earlier) and node.operands[read.operand] not in contiguous
    }
    graph = _packed(Graph(loop.body.inputs, _owned(loop.body, loop.body.outputs)), strided)
    roots, _ = roots_of(graph, strided)
    statements = _statements(graph, roots)
    lifetimes = Lifetimes.of(statements, (), graph.outputs, roots).without(graph.outputs)
    memory = plan_memory(statements, (), lifetimes, _scratch(statements))
    return Program(graph, roots, (), needed_views(graph, roots), statements, memory)


def _scratch(statements: Iterable[Node]) -> dict[Node, tuple[int, ...]]:
    """For the statements whose kernels need arrays beside their operands and results, the bytes of each."""
    needed = ((node, node.op.scratch(*(operand.type for operand in node.operands))) for node in statements)
    return {node: tuple(type.nbytes for type in types) for node, types in needed if types}


def _packed(graph: Graph, strided: Collection[Node]) -> Graph:
    """What a kernel would have to copy before it reads it -> a copy, one for all of its readers."""
    _, contiguous = roots_of(graph, strided)
    copies: dict[Node, Node] = {}

    def packed(reader: Node, number: int, now: Node) -> Node:
        operand = reader.operands[number]
        if reader.op.reads_in_place(number, operand, contiguous):
            return now
        label.follow(reader.origin, "contiguous memory")
        return copies.setdefault(operand, apply(Copy(), now))

    def change(node: Node, operands: tuple[Node, ...]) -> Node:
        return with_operands(node, tuple(packed(node, number, now) for number, now in enumerate(operands)))

    with labels() as label:
        return graph.transform(change)


def _owned(graph: Graph, values: tuple[Node, ...]) -> tuple[Node, ...]:
    """The values, each in memory of its own: a leaf, a view, or one that comes twice -> a copy.

    So parameters may be exchanged, and all read the old values.
    """
    roots, _ = roots_of(graph)
    owned: dict[Node, None] = {}
    for value in values:
        with labels(source=value.origin.source, made_by="memory of its own"):
            shared = roots[value] is not value or value.op.traits.leaf or value in owned
            owned[apply(Copy(), value) if shared else value] = None
    return tuple(owned)


def _statements(graph: Graph, roots: Mapping[Node, Node]) -> tuple[Node, ...]:
    return tuple(node for node in graph.nodes if roots[node] is node and not node.op.traits.leaf)
