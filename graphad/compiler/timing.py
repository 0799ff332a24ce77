"""What was done with time: which work waits for the step before, which is done for all steps at once, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from graphad.ir.cut import CACHE_BYTES, exceeds_cache
from graphad.ir.node import Node
from graphad.ops.loop import Loop, loop_of
from graphad.rewrite.distribute import DISTRIBUTE
from graphad.rewrite.hoist import SUM_BEFORE_LOOPS
from graphad.rewrite.products import MERGE_PRODUCTS
from graphad.rewrite.wide import WIDE_PRODUCTS
from graphad.schedule.program import Program
from graphad.schedule.tiling import Tiling

_AT_ONCE = {one.name for one in (DISTRIBUTE, MERGE_PRODUCTS, SUM_BEFORE_LOOPS)}


def time_text(program: Program) -> Iterator[str]:
    """Lines for each loop, and one for what is done for all steps at once; none for a program without time."""
    tiled = {node for tiling in program.tilings.values() for node in tiling.statements}
    for node, body in program.bodies.items():
        yield from _loop_text(loop_of(node), body)
        if node in program.tilings:
            yield from _tiling_text(program.tilings[node])
    stacked = [
        node for node in program.statements if node.origin.made_by in _AT_ONCE and node not in {*program.bodies, *tiled}
    ]
    if stacked:
        yield f"for all steps at once, since it waits for none: {counted_names(stacked)}"


def _loop_text(loop: Loop, body: Program) -> Iterator[str]:
    way = "backward" if loop.reverse else "forward"
    yield f"{way} loop over {loop.steps:,} steps, each waiting for the one before: {counted_names(body.statements)}"
    if any(node.origin.made_by == WIDE_PRODUCTS.name for node in body.statements):
        yield "  with matrices joined before the loop, since a product of one row takes longer to begin than to do"


def _tiling_text(tiling: Tiling) -> Iterator[str]:
    yield f"  in tiles of {tiling.length} steps{_reason(tiling)}"
    if tiling.before:
        yield f"  before the steps of each tile: {counted_names(tiling.before)}"
    if tiling.after:
        yield f"  after them: {counted_names(tiling.after)}"


def _reason(tiling: Tiling) -> str:
    """Why a loop is run in tiles."""
    if tiling.repeated_by is not None:
        return "; states are kept between tiles only, and each tile is run again on the way back"
    whole = max((node.type.nbytes for node, cut in tiling.cuts.items() if cut is not None), default=0)
    if not exceeds_cache(whole):
        return ""
    return f", since arrays for all steps would be {whole:,} bytes, more than the {CACHE_BYTES:,} of a cache"


def counted_names(nodes: Iterable[Node]) -> str:
    """The operations of nodes, each with how often it comes: ``3 x add, tanh``."""
    counts = Counter(node.op.name for node in nodes)
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts.items())
