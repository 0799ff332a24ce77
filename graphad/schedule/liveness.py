"""When a value is last read, and what place in the arena it gets for that long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphad.ir.node import Node
from graphad.schedule.arena import Arena


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``last_read``: for each root in the arena, the number of the statement that reads it last; none for results."""

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

    def overwritten(self, number: int, node: Node) -> Node | None:
        """The operand whose memory the result may take over: of the same type, and read here for the last time."""
        if not node.op.traits.elementwise or node.op.traits.multipass:
            return None
        roots = [self.roots[operand] for operand in node.operands]
        for operand, root in zip(node.operands, roots, strict=True):
            direct = operand is root and roots.count(root) == node.operands.count(operand)
            if direct and operand.type == node.type and self.last_read.get(operand) == number:
                return operand
        return None


def plan_memory(
    statements: Sequence[Node], staged: Iterable[Node], lifetimes: Lifetimes
) -> tuple[dict[Node, int], int, int]:
    """Offsets in the arena, the arena's bytes, and the most bytes that are alive at one time."""
    arena, offsets, alive, most = Arena(), {}, 0, 0
    for node in staged:
        offsets[node] = arena.take(node.type.nbytes)
        alive += node.type.nbytes
    for number, node in enumerate(statements):
        taken_over = lifetimes.overwritten(number, node)
        offsets[node] = arena.take(node.type.nbytes) if taken_over is None else offsets[taken_over]
        alive += node.type.nbytes if taken_over is None else 0
        most = max(most, alive)
        for dead in _dying(node, number, lifetimes):
            if dead is not taken_over:
                arena.give_back(offsets[dead], dead.type.nbytes)
                alive -= dead.type.nbytes
    return offsets, arena.size, max(most, alive)


def _dying(node: Node, number: int, lifetimes: Lifetimes) -> Iterable[Node]:
    roots = dict.fromkeys(lifetimes.roots[operand] for operand in (*node.operands, node))
    return [root for root in roots if lifetimes.last_read.get(root) == number]
