"""When a value is last read, and what place in the arena it gets for that long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from graphad.ir.node import Node
from graphad.ops.slicing import Join
from graphad.ops.structure import Reshape
from graphad.schedule.arena import Arena

Placed: TypeAlias = dict[Node, tuple[Node, int]]
"""For values that are computed in their places in a join: the join, and how many bytes from its beginning."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``last_read``: for each value in the arena, the number of the statement that reads it last; none for results."""

    last_read: Mapping[Node, int]
    roots: Mapping[Node, Node]

    @staticmethod
    def of(
        statements: Sequence[Node], staged: Iterable[Node], outputs: Iterable[Node], roots: Mapping[Node, Node]
    ) -> Lifetimes:
        """The lifetimes of statements' results and staged inputs."""
        last_read = dict.fromkeys(staged, -1) | {node: number for number, node in enumerate(statements)}
        for number, node in enumerate(statements):
            for operand in node.operands:
                if roots[operand] in last_read:
                    last_read[roots[operand]] = number
        for output in outputs:
            if roots[output] in last_read:
                last_read[roots[output]] = len(statements)
        return Lifetimes(last_read, roots)

    def joined(self, statements: Sequence[Node]) -> Placed:
        """The values that are computed in their places in a join along the first axis, and so need not be copied there.

        They are computed for nobody who would read them longer than the join, and lie in memory as the join does.
        """
        placed: Placed = {}
        for join in statements:
            if not isinstance(join.op, Join) or join.op.axis != 0 or join not in self.last_read:
                continue
            offset = 0
            for part in join.operands:
                root = self.roots[part]
                if self._may_be_placed(root, part, join) and root not in placed:
                    placed[root] = (join, offset)
                offset += part.type.nbytes
        return placed

    def _may_be_placed(self, root: Node, part: Node, join: Node) -> bool:
        views = [part]
        while views[-1] is not root:
            views.append(views[-1].operands[0])
        whole = all(isinstance(view.op, Reshape) for view in views[:-1])
        computed = root in self.last_read and not root.op.traits.leaf and not isinstance(root.op, Join)
        return whole and computed and self.last_read[root] <= self.last_read[join]

    def without(self, nodes: Iterable[Node]) -> Lifetimes:
        """The lifetimes of the other values; these have memory of somebody else's."""
        gone = set(nodes)
        return Lifetimes({node: last for node, last in self.last_read.items() if node not in gone}, self.roots)

    def overwritten(self, number: int, node: Node) -> Node | None:
        """The operand whose memory the result may take over: of the same type, and read here for the last time."""
        if not node.op.traits.elementwise or node.op.traits.multipass:
            return None
        for operand in node.operands:
            root = self.roots[operand]
            direct = all(other is root for other in node.operands if self.roots[other] is root)
            if direct and root.type == node.type and self.last_read.get(root) == number:
                return root
        return None

    def dying(self, number: int, node: Node) -> list[Node]:
        """The values that nobody reads after this statement."""
        roots = dict.fromkeys(self.roots[operand] for operand in (*node.operands, node))
        return [root for root in roots if self.last_read.get(root) == number]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Places in the arena, by offset: of values (``offsets``), and of what statements need while they run."""

    offsets: Mapping[Node, int]
    scratch_offsets: Mapping[Node, int]
    arena_bytes: int
    live_bytes: int
    placed: Placed = field(default_factory=dict)

    def is_placed(self, value: Node, join: Node, offset: int) -> bool:
        """Whether the value is computed in its place in a join, so many bytes from its beginning."""
        found, begin = self.placed.get(value, (None, 0))
        return found is join and begin == offset


def plan_memory(
    statements: Sequence[Node], staged: Iterable[Node], lifetimes: Lifetimes, scratch: Mapping[Node, int]
) -> MemoryPlan:
    """Give each value a place for as long as it lives; ``scratch`` are the bytes that a statement needs meanwhile."""
    planner = _Planner(lifetimes, lifetimes.joined(statements))
    for node in staged:
        planner.place(node)
    for number, node in enumerate(statements):
        planner.step(number, node, scratch.get(node, 0))
    return MemoryPlan(planner.offsets, planner.scratch_offsets, planner.arena.size, planner.most, planner.placed)


class _Planner:
    """The plan as it grows; ``most`` is the most bytes that were alive so far."""

    def __init__(self, lifetimes: Lifetimes, placed: Placed) -> None:
        self.lifetimes = lifetimes
        self.placed = placed
        self.arena = Arena()
        self.offsets: dict[Node, int] = {}
        self.scratch_offsets: dict[Node, int] = {}
        self.alive = self.most = 0

    def place(self, node: Node) -> None:
        """Give a value a place of its own."""
        self.offsets[node] = self.arena.take(node.type.nbytes)
        self.alive += node.type.nbytes
        self.most = max(self.most, self.alive)

    def step(self, number: int, node: Node, scratch: int) -> None:
        """Give a statement's result a place, and take back those of the values that die with it."""
        taken_over = None
        if node in self.placed:
            self._place_in_join(node)
        elif node in self.lifetimes.last_read and node not in self.offsets:
            taken_over = self._taken_over(number, node)
        if scratch:
            self.scratch_offsets[node] = self.arena.take(scratch)
            self.arena.give_back(self.scratch_offsets[node], scratch)
            self.most = max(self.most, self.alive + scratch)
        for dead in self.lifetimes.dying(number, node):
            if dead is not taken_over and dead not in self.placed:
                self.arena.give_back(self.offsets[dead], dead.type.nbytes)
                self.alive -= dead.type.nbytes

    def _place_in_join(self, node: Node) -> None:
        join, offset = self.placed[node]
        if join not in self.offsets:
            self.place(join)
        self.offsets[node] = self.offsets[join] + offset

    def _taken_over(self, number: int, node: Node) -> Node | None:
        """Place the value over an operand that dies here, which is returned, or in a place of its own."""
        operand = self.lifetimes.overwritten(number, node)
        if operand is None or operand in self.placed:
            self.place(node)
            return None
        self.offsets[node] = self.offsets[operand]
        return operand
