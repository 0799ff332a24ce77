"""Folding: labelled copies of one cell become series, one vertex for all their steps.

Nodes of one template at consecutive steps form a `Series` if they are one operation on alike operands: the same node
at every step, or a series read with the same delay (``h[t]`` reads ``h[t-1]``: delay -1; its cotangent reads delay
1). Where a delay reaches beyond a series' ends, what the copy there reads instead is the series' boundary value.
Nodes that fit in no series stay as they are, so any graph can be folded, and folding back out gives the same graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from graphad.ir.graph import Graph, node_text, unique_names
from graphad.ir.node import Node, rebuild
from graphad.ir.op import Op
from graphad.ir.tensor_type import TensorType

Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Delayed:
    """An operand that is the copy of another template (or the same) ``delay`` steps later; earlier if negative."""

    key: Key
    delay: int


Reference: TypeAlias = Node | Delayed
"""What all copies of a series read: one node, or the copies of a template at a delay."""


@dataclass(frozen=True, eq=False)
class Series:
    """The copies of one template from step ``first`` on.

    ``op`` is the operation of the copy at step 0, were there one; ``op.advanced(t)`` that of step t. ``boundary``
    holds, for each place in the operands and each step where a delay reaches beyond the other series, what is read
    instead.
    """

    key: Key
    first: int
    nodes: tuple[Node, ...]
    stride: tuple[int, ...]
    references: tuple[Reference, ...]
    boundary: Mapping[tuple[int, int], Node] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The step of the last copy."""
        return self.first + len(self.nodes) - 1

    @property
    def steps(self) -> range:
        """The steps of the copies."""
        return range(self.first, self.last + 1)

    def beyond(self, place: int) -> dict[int, Node]:
        """What is read at one place beyond the ends of the other series, by that series' step."""
        reference = self.references[place]
        delay = reference.delay if isinstance(reference, Delayed) else 0
        return {step + delay: node for (at, step), node in self.boundary.items() if at == place}

    def op_at(self, step: int) -> Op:
        """The operation of the copy at a step."""
        return self.nodes[0].op.advanced(self.stride, step - self.first)


@dataclass(frozen=True, eq=False)
class FoldedGraph:
    """A graph, its series, for each copy the series it belongs to, and the copies of each template by step."""

    graph: Graph
    series: tuple[Series, ...]
    member: Mapping[Node, Series]
    copies: Mapping[Key, Mapping[int, Node]]

    @cached_property
    def readers(self) -> Mapping[Node, Sequence[Node | None]]:
        """Who reads each node; None is the caller, who reads the outputs."""
        readers: dict[Node, list[Node | None]] = {node: [] for node in self.graph.nodes}
        for node in self.graph.nodes:
            for operand in node.operands:
                readers[operand].append(node)
        for output in self.graph.outputs:
            readers[output].append(None)
        return readers

    def unfold(self) -> Graph:
        """The graph again, each copy built anew from what its series says of it."""
        mapped: dict[Node, Node] = {}
        for node in self.graph.nodes:
            series = self.member.get(node)
            if series is None:
                op, operands = node.op, node.operands
            else:
                op, operands = series.op_at(node.origin.step or 0), tuple(self._operands(series, node.origin.step or 0))
            leaf = node.op.traits.leaf
            mapped[node] = node if leaf else rebuild(node, op, tuple(mapped[operand] for operand in operands))
        return self.graph.mapped(mapped)

    def _operands(self, series: Series, step: int) -> Iterator[Node]:
        for place, reference in enumerate(series.references):
            if (place, step) in series.boundary:
                yield series.boundary[place, step]
            elif isinstance(reference, Delayed):
                yield self.copies[reference.key][step + reference.delay]
            else:
                yield reference

    def __str__(self) -> str:
        """One line for each series and each node in none, in order: ``name[t] = op(other[t-1], W) for t in 0..9``."""
        names = unique_names(self.graph.nodes)
        seen = dict.fromkeys(self.member.get(node, node) for node in self.graph.nodes)
        lines = [self._series_text(one, names) if isinstance(one, Series) else node_text(one, names) for one in seen]
        return "\n".join(lines)

    def _series_text(self, series: Series, names: Mapping[Node, str]) -> str:
        operands = (self._reference_text(reference, names) for reference in series.references)
        call = f"{series.nodes[0].op.name}({', '.join(operands)})"
        steps = f"t in {series.first}..{series.last}"
        return f"{names[series.nodes[0]]}[t] = {call} for {steps} : {series.nodes[0].type}"

    def _reference_text(self, reference: Reference, names: Mapping[Node, str]) -> str:
        if not isinstance(reference, Delayed):
            return names[reference]
        first = next(iter(self.copies[reference.key].values()))
        return f"{names[self._first_copy(first)]}[t{f'{reference.delay:+d}' if reference.delay else ''}]"

    def _first_copy(self, node: Node) -> Node:
        """The copy that a series is called after."""
        return self.member[node].nodes[0] if node in self.member else node


def fold(graph: Graph) -> FoldedGraph:
    """Find the series of a graph."""
    groups = _groups(graph)
    key_of = {node: key for key, group in groups.items() for node in group.values()}
    series = [found for key, group in groups.items() for found in _series(key, group, key_of, groups)]
    member = {node: one for one in series for node in one.nodes}
    return FoldedGraph(graph, tuple(series), member, groups)


def _groups(graph: Graph) -> dict[Key, dict[int, Node]]:
    """The copies of each template by step; templates with one copy, or two at one step, are none."""
    groups: dict[Key, dict[int, Node]] = {}
    doubled: set[Key] = set()
    for node in graph.nodes:
        origin = node.origin
        if origin.template is None or origin.step is None or node.op.traits.leaf:
            continue
        key = (origin.scope, origin.template, node.type)
        if groups.setdefault(key, {}).setdefault(origin.step, node) is not node:
            doubled.add(key)
    return {key: dict(sorted(group.items())) for key, group in groups.items() if len(group) > 1 and key not in doubled}


@dataclass(frozen=True)
class _Pattern:
    """What two neighbouring copies have in common, and so what a third must have.

    ``copies``: where a reference is delayed, the copies of its template; to look them up by its key at each step would
    take longer than all the rest.
    """

    step: int
    op: Op
    stride: tuple[int, ...]
    references: tuple[Reference, ...]
    copies: tuple[Mapping[int, Node], ...]
    types: tuple[TensorType, ...]

    @staticmethod
    def of(
        first: Node, second: Node, key_of: Mapping[Node, Key], groups: Mapping[Key, Mapping[int, Node]]
    ) -> _Pattern | None:
        """The pattern of copies at consecutive steps; None if they have none."""
        stride = second.op.stride_from(first.op)
        if stride is None or first.origin.step is None or len(first.operands) != len(second.operands):
            return None
        references: list[Reference] = []
        for x, y in zip(first.operands, second.operands, strict=True):
            if x is y:
                references.append(x)
            elif x in key_of and key_of[x] == key_of.get(y) and (y.origin.step or 0) - (x.origin.step or 0) == 1:
                references.append(Delayed(key_of[x], (x.origin.step or 0) - first.origin.step))
            else:
                return None
        copies = tuple(groups[one.key] if isinstance(one, Delayed) else {} for one in references)
        types = tuple(operand.type for operand in first.operands)
        return _Pattern(first.origin.step, first.op, stride, tuple(references), copies, types)

    def boundary(self, node: Node, step: int) -> dict[int, Node] | None:
        """What the copy reads beyond the ends of other series, by place; None if it does not fit the pattern."""
        if node.op != self.op.advanced(self.stride, step - self.step) or len(node.operands) != len(self.references):
            return None
        found: dict[int, Node] = {}
        for place, (reference, operand) in enumerate(zip(self.references, node.operands, strict=True)):
            expected = self.copies[place].get(step + reference.delay) if isinstance(reference, Delayed) else reference
            if expected is None and operand.type == self.types[place]:
                found[place] = operand
            elif expected is not operand:
                return None
        return found


def _series(
    key: Key, group: Mapping[int, Node], key_of: Mapping[Node, Key], groups: Mapping[Key, Mapping[int, Node]]
) -> Iterator[Series]:
    """The series among the copies of one template: the longest around the middle, then those on either side of it."""
    pending = list(_consecutive(sorted(group)))
    while pending:
        steps = pending.pop()
        if len(steps) < 2:
            continue
        middle = (len(steps) - 2) // 2
        pattern = _Pattern.of(group[steps[middle]], group[steps[middle + 1]], key_of, groups)
        if pattern is None:
            pending += [steps[: middle + 1], steps[middle + 1 :]]
            continue
        low, high, boundary = _extent(pattern, steps, middle, group)
        nodes = tuple(group[step] for step in steps[low : high + 1])
        yield Series(key, steps[low], nodes, pattern.stride, pattern.references, boundary)
        pending += [steps[:low], steps[high + 1 :]]


def _consecutive(steps: Sequence[int]) -> Iterator[range]:
    """The steps as ranges without gaps."""
    start = 0
    for i in range(1, len(steps) + 1):
        if i == len(steps) or steps[i] != steps[i - 1] + 1:
            yield range(steps[start], steps[i - 1] + 1)
            start = i


def _extent(
    pattern: _Pattern, steps: range, middle: int, group: Mapping[int, Node]
) -> tuple[int, int, dict[tuple[int, int], Node]]:
    """How far the pattern holds to either side of the middle, and the boundary values there."""
    boundary: dict[tuple[int, int], Node] = {}

    def reach(indices: range) -> int:
        end = indices.start - indices.step
        for i in indices:
            found = pattern.boundary(group[steps[i]], steps[i])
            if found is None:
                break
            for place, node in found.items():
                boundary[place, steps[i]] = node
            end = i
        return end

    return reach(range(middle, -1, -1)), reach(range(middle + 1, len(steps))), boundary
