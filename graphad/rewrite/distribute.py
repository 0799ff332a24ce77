"""Loop distribution and vectorisation over time (Allen and Kennedy, 1987), on a graph that reverse mode made too.

The graph is folded. A strongly connected component of the folded graph that is no cycle does not wait for the past: its
series becomes one node, on operands stacked over time. A sum that runs along the steps becomes one sum over time. What
is left, the true recurrences, become `Loop` nodes. What fits none of these stays as it was, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import RANK, Node, apply, labels
from graphad.ir.topology import components
from graphad.ops.slicing import Slice, Span, Stack, full_index
from graphad.ops.structure import BroadcastTo, Reshape, Sum, Transpose
from graphad.recurrence.fold import Delayed, FoldedGraph, Key, Series, fold
from graphad.rewrite.recurrences import Accumulation, Recurrence, loop_over, timeless

Vertex = Node | Series


@dataclass(frozen=True)
class Distribute:
    """copies of a cell -> stacked operations, sums over time, and loops over what is truly recurrent."""

    name: str = "distribute over time"
    exact: bool = False

    def run(self, graph: Graph) -> Graph:
        """Fold, order the components, and build each anew."""
        folded = fold(graph)
        return _Distribution(folded).run() if folded.series else graph


DISTRIBUTE = Distribute()


@dataclass(frozen=True, eq=False)
class Stacked:
    """A node that holds the copies of a template, stacked: its first element is the one of step ``first``.

    ``beyond``: the steps at which it holds not a copy, but what is read in its place beyond the template's ends.
    """

    node: Node
    first: int
    beyond: Mapping[int, Node] = field(default_factory=dict)

    def covers(self, steps: range, beyond: Mapping[int, Node]) -> bool:
        """Whether it holds all these steps: copies, and beyond their ends what is named."""
        inside = self.first <= steps.start and steps.stop <= self.first + len(self.node)
        return inside and all(
            self.beyond.get(step) is beyond.get(step) for step in (*self.beyond, *beyond) if step in steps
        )

    def at(self, step: int) -> Node:
        """The copy of one step."""
        index = full_index(self.node.shape)
        return apply(Slice((step - self.first, *index[1:])), self.node)

    def over(self, steps: range) -> Node:
        """The copies of some steps, stacked."""
        if len(steps) == len(self.node):
            return self.node
        index = full_index(self.node.shape)
        return apply(Slice((Span(steps.start - self.first, len(steps)), *index[1:])), self.node)


@dataclass(eq=False)
class _Distribution:
    """The work on one graph: what each node and each template has become."""

    folded: FoldedGraph
    image: dict[Node, Node] = field(default_factory=dict)
    stacks: dict[Key, list[Stacked]] = field(default_factory=dict)

    @cached_property
    def position(self) -> Mapping[Node, int]:
        """Where each node stands in an order in which operands come first."""
        return {node: number for number, node in enumerate(self.folded.graph.nodes)}

    def run(self) -> Graph:
        """Build every component after those that it depends on."""
        for component in components(self._vertices(), self._edges(), _rank):
            with labels(made_by="distribute over time") as label:
                label.follow(timeless(_node_of(component[0]).origin), "distribute over time")
                self._build(component)
        graph = self.folded.graph
        return Graph(graph.inputs, tuple(self.value(output) for output in graph.outputs))

    def _vertices(self) -> list[Vertex]:
        return list(dict.fromkeys(self.folded.member.get(node, node) for node in self.folded.graph.nodes))

    def _edges(self) -> Iterator[tuple[Vertex, Vertex]]:
        member = self.folded.member
        for node in self.folded.graph.nodes:
            reader = member.get(node, node)
            for operand in node.operands:
                yield member.get(operand, operand), reader

    def _build(self, component: Sequence[Vertex]) -> None:
        series = [vertex for vertex in component if isinstance(vertex, Series)]
        if len(series) < len(component):
            self._build_each(component)
        elif len(series) == 1 and not _reads_itself(series[0]):
            self._build_stacked(series[0])
        elif not (len(series) == 1 and self._build_sum(series[0])) and not self._build_loop(series):
            self._build_each(component)

    def _build_each(self, component: Sequence[Vertex]) -> None:
        """Step by step, as it was."""
        nodes = [node for vertex in component for node in (vertex.nodes if isinstance(vertex, Series) else (vertex,))]
        for node in sorted(nodes, key=self.position.__getitem__):
            self.image[node] = self._anew(node)

    def _anew(self, node: Node) -> Node:
        stacked = self._restacked(node)
        return with_operands(node, tuple(map(self.value, node.operands))) if stacked is None else stacked

    def _restacked(self, node: Node) -> Node | None:
        """stack(all copies of a template) -> the stacked template, its time axis moved."""
        if not isinstance(node.op, Stack) or node.operands[0] not in self.folded.member:
            return None
        first = node.operands[0]
        key, start = self.folded.member[first].key, first.origin.step or 0
        steps = range(start, start + len(node.operands))
        copies = self.folded.copies[key]
        if any(copies.get(step) is not operand for step, operand in zip(steps, node.operands, strict=True)):
            return None
        whole = self.stacked(key, steps)
        axes = list(range(1, whole.ndim))
        axes.insert(node.op.axis, 0)
        return apply(Transpose(tuple(axes)), whole)

    def value(self, node: Node) -> Node:
        """What a node has become: its image, or an element of its template's stack."""
        if node not in self.image and node in self.folded.member:
            series, step = self.folded.member[node], node.origin.step or 0
            found = next(stack for stack in self.stacks[series.key] if stack.covers(range(step, step + 1), {}))
            self.image[node] = found.at(step)
        return self.image[node]

    def stacked(self, key: Key, steps: range, beyond: Mapping[int, Node] = MappingProxyType({})) -> Node:
        """The copies of a template at some steps, stacked: a view of one array if there is one that holds them."""
        for stack in self.stacks.get(key, ()):
            if stack.covers(steps, beyond):
                return stack.over(steps)
        copies = self.folded.copies[key]
        return apply(Stack(0), *(self.value(beyond[step] if step in beyond else copies[step]) for step in steps))

    def operand(self, series: Series, place: int) -> Node:
        """What a series reads at one place, stacked over its steps; the same node for all steps is repeated."""
        reference = series.references[place]
        if not isinstance(reference, Delayed):
            same = self.value(reference)
            return apply(BroadcastTo((len(series.nodes), *same.shape)), same)
        steps = range(series.first + reference.delay, series.last + 1 + reference.delay)
        return self.stacked(reference.key, steps, series.beyond(place))

    def _build_stacked(self, series: Series) -> None:
        node = self._along(series) if series.stride else self._all_at_once(series)
        if node is None:
            self._build_each([series])
        else:
            self.stacks.setdefault(series.key, []).append(Stacked(node, series.first))

    def _all_at_once(self, series: Series) -> Node | None:
        """op(a[t], b[t]) at every step -> op'(a, b), on operands stacked over time."""
        count = len(series.nodes)
        op = series.nodes[0].op.stacked(count)
        if op is None:
            return None
        operands = [self.operand(series, place) for place in range(len(series.references))]
        if op.traits.broadcast:
            operands = [_with_axes(operands[0], series.nodes[0].ndim + 1)]
        return apply(op, *operands)

    def _along(self, series: Series) -> Node | None:
        """op_t(a) at every step, the attributes moving on -> one node that holds them all: a whole axis, many draws."""
        sources = [reference for reference in series.references if not isinstance(reference, Delayed)]
        if len(sources) < len(series.references):
            return None
        return series.nodes[0].op.along(series.stride, len(series.nodes), *map(self.value, sources))

    def _build_sum(self, series: Series) -> bool:
        """a[t] = a[t+1] + b[t], of which only the last is read -> b summed over time, plus the first a."""
        found = Accumulation.of(series, self.folded)
        if found is None:
            return False
        total = apply(Sum((0,)), self.stacked(found.terms, found.steps))
        self.image[found.final] = total if found.start is None else total + self.value(found.start)
        return True

    def _build_loop(self, series: Sequence[Series]) -> bool:
        """What truly waits for the past -> a loop."""
        recurrence = Recurrence.of(series, self.folded)
        if recurrence is None or self._reads_members(recurrence):
            return False
        self._build_each(recurrence.before)
        for key, node, first, beyond in loop_over(recurrence, self.value, self.stacked):
            self.stacks.setdefault(key, []).insert(0, Stacked(node, first, beyond))
        return True

    def _reads_members(self, recurrence: Recurrence) -> bool:
        """Whether the loop needs one of its own copies before it has run, as a value from beyond a series' ends."""
        first = [node for one in recurrence.series for node in one.boundary.values()]
        first += [operand for node in recurrence.before for operand in node.operands]
        members, before = set(recurrence.series), set(recurrence.before)
        return any(self.folded.member.get(node) in members and node not in before for node in first)


def _with_axes(x: Node, ndim: int) -> Node:
    """Axes of size 1 behind the first, up to ``ndim`` axes."""
    missing = (1,) * (ndim - x.ndim)
    return apply(Reshape((x.shape[0], *missing, *x.shape[1:])), x) if missing else x


def _node_of(vertex: Vertex) -> Node:
    return vertex.nodes[0] if isinstance(vertex, Series) else vertex


def _rank(vertex: Vertex) -> int:
    nodes = vertex.nodes if isinstance(vertex, Series) else (vertex,)
    rank: int = min(map(RANK, nodes))
    return rank


def _reads_itself(series: Series) -> bool:
    delayed = any(isinstance(reference, Delayed) and reference.key == series.key for reference in series.references)
    return delayed or not set(series.nodes).isdisjoint(series.boundary.values())
