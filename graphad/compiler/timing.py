"""What was done with time: which work waits for the step before, which is done for all steps at once, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from graphad.ir.node import Node
from graphad.ops.loop import Loop
from graphad.rewrite.distribute import DISTRIBUTE
from graphad.rewrite.hoist import LARGEST_STACK, SUM_BEFORE_LOOPS, WORK_IN_LOOPS
from graphad.rewrite.products import MERGE_PRODUCTS
from graphad.schedule.program import Program

_AT_ONCE = {one.name for one in (DISTRIBUTE, MERGE_PRODUCTS, SUM_BEFORE_LOOPS)}


def time_text(program: Program) -> Iterator[str]:
    """A line for each loop, and one for what is done for all steps at once; none for a program without time."""
    for node, body in program.bodies.items():
        if isinstance(node.op, Loop):
            yield from _loop_text(node.op, body)
    stacked = [node for node in program.statements if node.origin.made_by in _AT_ONCE and node not in program.bodies]
    if stacked:
        yield f"for all steps at once, since it waits for none: {_names(stacked)}"


def _loop_text(loop: Loop, body: Program) -> Iterator[str]:
    way = "backward" if loop.reverse else "forward"
    waiting = [node for node in body.statements if node.origin.made_by != WORK_IN_LOOPS.name]
    yield f"{way} loop over {loop.steps:,} steps, each waiting for the one before: {_names(waiting)}"
    large = [node for node in body.statements if node.origin.made_by == WORK_IN_LOOPS.name]
    if large:
        most = max(node.type.nbytes for node in large) * loop.steps
        yield (
            f"  and in the same loop, since for all steps it would be {most:,} bytes, more than the "
            f"{LARGEST_STACK:,} of a cache: {_names(large)}"
        )


def _names(nodes: Iterable[Node]) -> str:
    counts = Counter(node.op.name for node in nodes)
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts.items())
