"""A second opinion on memory: plays a program statement by statement, in bytes, and finds what is lost too early.

It knows nothing of lifetimes: each byte of the arena remembers whose value it holds. A statement must find the bytes of
all that it reads held by the right values, and at the end so must the results and the new values of parameters.
"""

from __future__ import annotations

import numpy as np

from graphad import Node
from graphad.ops.structure import Reshape
from graphad.schedule.program import Program
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
    owner = np.full(program.memory.arena_bytes, NOBODY)
    number = {node: i for i, node in enumerate((*program.staged, *program.statements))}
    lost = []

    def place(node: Node) -> slice:
        return slice(program.memory.offsets[node], program.memory.offsets[node] + node.type.nbytes)

    def check(wanted: Node, reader: str) -> None:
        root = memory_of(wanted, program)
        join, _ = program.memory.placed.get(root, (root, 0))
        if root in number and not np.isin(owner[place(root)], (number[root], number[join])).all():
            lost.append(f"{reader} reads {wanted!r}")

    for node in program.staged:
        owner[place(node)] = number[node]
    for node in program.statements:
        for operand in node.operands:
            check(read(node, operand), repr(node))
        owner[place(node)] = number[node]
        lost += _torn(node, program)
    for output in program.graph.outputs:
        check(output, "the caller")
    return lost


def _torn(node: Node, program: Program) -> list[str]:
    """Operands that a kernel may still read after it has begun to write over them."""
    begin, end = program.memory.offsets[node], program.memory.offsets[node] + node.type.nbytes
    found = []
    for operand in node.operands:
        wanted = read(node, operand)
        root = memory_of(wanted, program)
        if root not in program.memory.offsets or program.memory.offsets[root] >= end:
            continue
        if program.memory.placed.get(root, (root, 0))[0] is node:
            continue
        if program.memory.offsets[root] + root.type.nbytes <= begin:
            continue
        in_place = node.op.traits.elementwise and not node.op.traits.multipass
        same_order = wanted is root or isinstance(wanted.op, Reshape)
        if not in_place or not same_order or wanted.type != node.type:
            found.append(f"{node!r} is written over {wanted!r}")
    return found
