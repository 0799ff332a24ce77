"""When a value is last read, and what place in the arena it gets for that long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphad.ir.node import Node
from graphad.schedule.arena import Arena


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


def plan_memory(
    statements: Sequence[Node], staged: Iterable[Node], lifetimes: Lifetimes, scratch: Mapping[Node, int]
) -> MemoryPlan:
    """Give each value a place for as long as it lives; ``scratch`` are the bytes that a statement needs meanwhile."""
    planner = _Planner(lifetimes)
    for node in staged:
        planner.place(node)
    for number, node in enumerate(statements):
        planner.step(number, node, scratch.get(node, 0))
    return MemoryPlan(planner.offsets, planner.scratch_offsets, planner.arena.size, planner.most)


class _Planner:
    """The plan as it grows; ``most`` is the most bytes that were alive so far."""

    def __init__(self, lifetimes: Lifetimes) -> None:
        self.lifetimes = lifetimes
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
        taken_over = self.lifetimes.overwritten(number, node) if node in self.lifetimes.last_read else None
        if taken_over is not None:
            self.offsets[node] = self.offsets[taken_over]
        elif node in self.lifetimes.last_read:
            self.place(node)
        if scratch:
            self.scratch_offsets[node] = self.arena.take(scratch)
            self.arena.give_back(self.scratch_offsets[node], scratch)
            self.most = max(self.most, self.alive + scratch)
        for dead in self.lifetimes.dying(number, node):
            if dead is not taken_over:
                self.arena.give_back(self.offsets[dead], dead.type.nbytes)
                self.alive -= dead.type.nbytes
