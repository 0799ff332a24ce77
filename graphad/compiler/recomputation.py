"""Less memory for more work: programs that compute values again after the point where the most are alive.

What is cheap is tried first: values that take few operations for each byte that is not kept. Where everything could be
computed again from the arguments, all of it would be alive at once later; so the work before the point is cut into
segments at its narrow places, and what lives across these is computed once (Chen, Xu, Zhang and Guestrin, "Training
deep nets with sublinear memory cost", 2016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.rewrite.recompute import RecomputeAfter
from graphad.schedule.program import Program
from graphad.schedule.tiles import IN_CACHE, Tiles


class Plan(Protocol):
    """How a graph is scheduled."""

    def __call__(self, graph: Graph, *, tiles: Tiles = IN_CACHE) -> Program:
        """The program of a graph."""


_FLOPS_PER_BYTE = (1, 64, 2**20)
"""How much is computed again to save a byte: elementwise work; small products; anything."""
_SEGMENTS = (1, 2, 4, 8, 16, 32)
_MOST_POINTS = 8
"""One after the other, each where the most is alive when the former have been dealt with."""
_PATIENCE = 2
"""Points in a row that may leave the arena as large as it was."""


def recomputed(program: Program, plan: Plan, budget: int) -> Iterator[Program]:
    """Programs that do the same in less memory, from cheap to dear: of each price the one with the least work within
    the budget, or else the one with the smallest arena.
    """
    for price in _FLOPS_PER_BYTE:
        found = [_smaller(program, plan, budget, price, segments) for segments in _SEGMENTS]
        fitting = [one for one in found if _arena(one) <= budget]
        yield min(fitting, key=lambda one: one.flops) if fitting else min(found, key=_arena)


def _smaller(program: Program, plan: Plan, budget: int, price: int, segments: int) -> Program:
    """The program, with values computed again after one point after the other, until it fits."""
    least, vain = program, 0
    for _ in range(_MOST_POINTS):
        point = _point_of_peak(program)
        graph = program.graph if point is None else point.pass_of(price, segments).run(program.graph)
        if graph is program.graph:
            break
        program = plan(graph, tiles=program.tiles)
        least, vain = (least, vain + 1) if _arena(program) >= _arena(least) else (program, 0)
        if _arena(least) <= budget or vain == _PATIENCE:
            break
    return least


def _arena(program: Program) -> int:
    return program.memory.arena_bytes


def _point_of_peak(program: Program) -> _Point | None:
    """The first point from the peak on that separates earlier ranks from later ones, and no statements of one tiling:
    what is computed again takes the rank of its reader, and so comes behind the point.
    """
    statements, groups = program.statements, program.memory.lifetimes.groups
    for number in range(max(program.memory.peak, 0), len(statements) - 1):
        node, following = statements[number : number + 2]
        inside = node in groups and number < groups[node][-1]
        if not inside and node.origin.rank < following.origin.rank:
            return _Point(program, number)
    return None


@dataclass(frozen=True, eq=False)
class _Point:
    """A point in a program: just behind the statement of a number."""

    program: Program
    number: int

    def pass_of(self, price: int, segments: int) -> RecomputeAfter:
        """The pass that computes values again after this point."""
        readers, roots = self.program.statements[self.number + 1 :], self.program.roots
        return RecomputeAfter(self._kept, readers, roots, price, self._between(segments))

    @cached_property
    def _kept(self) -> Mapping[Node, int]:
        """The bytes of what there is at the point, but for results, which are kept in any case."""
        program, last_read = self.program, self.program.memory.lifetimes.last_read
        values, end = (*program.staged, *program.statements[: self.number + 1]), len(program.statements)
        return {node: node.type.nbytes for node in values if last_read.get(node, end) < end}

    @cached_property
    def _spans(self) -> dict[Node, range]:
        """For each value the numbers of the statements, before the point, behind which it is still to be read there."""
        number = {node: number for number, node in enumerate(self.program.statements)}
        last = {node: number.get(node, 0) for node in self._kept}
        for reader in self.program.statements[: self.number + 1]:
            last.update((root, number[reader]) for root in map(self.program.roots.get, reader.operands) if root in last)
        return {node: range(number.get(node, 0), end) for node, end in last.items()}

    def _between(self, segments: int) -> set[Node]:
        """The values that live across the narrowest places between so many segments, from all of which about as much
        is read after the point.
        """
        last_read = self.program.memory.lifetimes.last_read
        change, late = [0] * (self.number + 2), [0] * (self.number + 2)
        for node, span in self._spans.items():
            change[span.start] += self._kept[node]
            change[span.stop] -= self._kept[node]
            late[span.start] += self._kept[node] if last_read[node] > self.number else 0
        widths, passed = list(accumulate(change)), list(accumulate(late))
        places = (_narrowest(widths, passed, number, segments) for number in range(1, segments))
        found = [place for place in places if place is not None]
        return {node for place in found for node, span in self._spans.items() if place in span}


def _narrowest(widths: Sequence[int], passed: Sequence[int], number: int, segments: int) -> int | None:
    """The place with the fewest bytes alive among those near the end of a segment."""
    low, high = (2 * number - 1) * passed[-1], (2 * number + 1) * passed[-1]
    near = [place for place, size in enumerate(passed) if low <= 2 * segments * size < high]
    return min(near, key=lambda place: widths[place], default=None)
