"""A second opinion on memory: plays a program statement by statement, in bytes, and finds what is lost too early.

It knows nothing of lifetimes: each byte of the arena remembers whose value it holds. A statement must find the bytes of
all that it reads held by the right values, and at the end so must the results and the new values of parameters. What
is run tile by tile is played for two tiles.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphad import Node
from graphad.ops.structure import Reshape
from graphad.schedule.program import Program
from graphad.schedule.tiling import Tiling
from graphad.schedule.views import read

NOBODY = -1


def memory_of(node: Node, program: Program) -> Node:
    """Whose memory the node's value is in."""
    views = set(program.views)
    while node in views:
        (node,) = node.operands
    return node


def lost_values(program: Program) -> list[str]:
    """What is read, or handed out, after its memory went to another value."""
    memory = _Memory(program)
    for node in program.staged:
        memory.write(node)
    for begun, node in played(program):
        for one in begun:
            memory.write(one)
        memory.use_scratch(node)
        for operand in (*node.operands, *memory.sums.intersection([node])):
            memory.check(read(node, operand), repr(node))
        memory.write(node)
        memory.lost += _torn(node, program)
    for output in program.graph.outputs:
        memory.check(output, "the caller")
    return memory.lost


class _Memory:
    """Whose value each byte of the arena holds."""

    def __init__(self, program: Program) -> None:
        self.program, self.plan = program, program.memory
        self.owner = np.full(self.plan.arena_bytes, NOBODY)
        self.number = {node: i for i, node in enumerate((*program.staged, *program.statements))}
        self.sums = {node for tiling in program.tilings.values() for node in tiling.sums}
        self.lost: list[str] = []

    def place(self, node: Node) -> slice:
        begin = self.plan.offsets[node]
        return slice(begin, begin + bytes_of(node, self.program))

    def write(self, node: Node) -> None:
        self.owner[self.place(node)] = self.number[node]

    def use_scratch(self, node: Node) -> None:
        """Write to what a statement may write to while it runs, beside its result."""
        needed = [type.nbytes for type in node.op.scratch(*(operand.type for operand in node.operands))]
        tiling = self.program.tilings.get(node)
        if tiling is not None and tiling.repeated_by is not None:
            needed = []  # the body's memory is a part of the loop's own
        elif node in self.program.bodies:
            needed = [self.program.bodies[node].memory.arena_bytes]
        if node in self.sums:
            needed = [node.type.nbytes]
        for begin, nbytes in zip(self.plan.scratch_offsets.get(node, ()), needed, strict=True):
            self.owner[begin : begin + nbytes] = NOBODY

    def check(self, wanted: Node, reader: str) -> None:
        root = memory_of(wanted, self.program)
        join, _ = self.plan.placed.get(root, (root, 0))
        if (
            root in self.number
            and not np.isin(self.owner[self.place(root)], (self.number[root], self.number[join])).all()
        ):
            self.lost.append(f"{reader} reads {wanted!r}")


def bytes_of(node: Node, program: Program) -> int:
    """The bytes that are ever held of a value."""
    return next((one.local[node] for one in program.tilings.values() if node in one.local), node.type.nbytes)


def played(program: Program) -> Iterator[tuple[tuple[Node, ...], Node]]:
    """The statements as they are run, each with the values that are begun before it, for all tiles that follow."""
    first = {tiling.statements[0]: tiling for tiling in program.tilings.values()}
    inside = {node for tiling in first.values() for node in tiling.statements}
    for node in program.statements:
        if node in first:
            begun = (first[node].loop, *first[node].sums)
            for again in (*_repeated(first[node], program), *first[node].statements) * 2:
                yield begun, again
                begun = ()
        elif node not in inside:
            yield (), node


def _repeated(tiling: Tiling, program: Program) -> tuple[Node, ...]:
    """What is run again before each tile."""
    other = None if tiling.repeats is None else program.tilings[tiling.repeats]
    return () if other is None else (*other.before, other.loop)


def _torn(node: Node, program: Program) -> list[str]:
    """Operands that a kernel may still read after it has begun to write over them."""
    begin, end = program.memory.offsets[node], program.memory.offsets[node] + bytes_of(node, program)
    found = []
    for operand in node.operands:
        wanted = read(node, operand)
        root = memory_of(wanted, program)
        if root not in program.memory.offsets or program.memory.offsets[root] >= end:
            continue
        if program.memory.placed.get(root, (root, 0))[0] is node:
            continue
        if program.memory.offsets[root] + bytes_of(root, program) <= begin:
            continue
        in_place = (node.op.traits.elementwise and not node.op.traits.multipass) or (
            node.op.traits.over_first
            and operand is node.operands[0]
            and all(operand is not other for other in node.operands[1:])
        )
        same_order = wanted is root or isinstance(wanted.op, Reshape)
        if not in_place or not same_order or bytes_of(root, program) != bytes_of(node, program):
            found.append(f"{node!r} is written over {wanted!r}")
    return found
