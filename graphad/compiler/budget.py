"""A budget of memory: a program that needs more is exchanged for one that does the same in less, at the price of work.

How that is done is a matter of strategies, which are tried in their order; the first program that fits is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, TypeAlias

from graphad.compiler.recomputation import Plan, recomputed
from graphad.compiler.repetition import in_repeated_tiles
from graphad.compiler.timing import counted_names
from graphad.errors import ArgumentError, MemoryBudgetError
from graphad.ir.node import Node
from graphad.rewrite.recompute import RECOMPUTE
from graphad.schedule.program import Program

Strategy: TypeAlias = Callable[[Program, Plan, int], Iterator[Program]]
"""From a program, how it was scheduled and a budget: programs that do the same in less memory, from cheap to dear."""
STRATEGIES: tuple[Strategy, ...] = (in_repeated_tiles, recomputed)
_UNITS = {"": 1, "b": 1} | {
    f"{prefix}{suffix}": base**power
    for power, prefix in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_LARGEST_SHOWN = 5


def bytes_of(memory: Any) -> int:
    """A number of bytes, as it is or as text; an ArgumentError for anything else.

    >>> bytes_of(4096), bytes_of("64MB"), bytes_of("64 MiB"), bytes_of("1.5GB")
    (4096, 64000000, 67108864, 1500000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", memory) if isinstance(memory, str) else None
    if found is not None and found[2].lower() in _UNITS:
        memory = int(float(found[1]) * _UNITS[found[2].lower()])
    if not isinstance(memory, int) or isinstance(memory, bool) or memory <= 0:
        raise ArgumentError(f"memory is a number of bytes above 0, or text such as '64MB' or '1.5 GiB'; got {memory!r}")
    return memory


def within(program: Program, plan: Plan, budget: int) -> Program:
    """The program itself if its arena is within the budget, else the first one found that is; a MemoryBudgetError if
    none is.
    """
    least = program
    for strategy in STRATEGIES:
        for candidate in chain([least], strategy(least, plan, budget)):
            least = min(least, candidate, key=lambda one: one.memory.arena_bytes)
            if least.memory.arena_bytes <= budget:
                return least
    raise MemoryBudgetError(_refusal(program, least, budget))


def _refusal(program: Program, least: Program, budget: int) -> str:
    held = {node: count for tiling in least.tilings.values() for node, count in tiling.local.items()}
    alive = ((held.get(node, node.type.nbytes), node) for node in _alive_at_peak(least))
    largest = sorted(alive, key=lambda pair: -pair[0])[:_LARGEST_SHOWN]
    described = "; ".join(_described(node, nbytes) for nbytes, node in largest)
    return (
        f"intermediate values need {program.memory.arena_bytes:,} bytes and the budget is {budget:,}; computing values "
        f"again got them down to {least.memory.arena_bytes:,}. The largest that are alive then: {described}. Make the "
        "batch smaller or the budget larger, or put ga.checkpoint around parts of the model"
    )


def _alive_at_peak(program: Program) -> Iterator[Node]:
    number = {node: number for number, node in enumerate(program.statements)}
    peak, lifetimes = program.memory.peak, program.memory.lifetimes
    for node, last in lifetimes.last_read.items():
        if lifetimes.begin(number.get(node, -1), node) <= peak <= last:
            yield node


def _described(node: Node, nbytes: int) -> str:
    place = f" at {node.origin.place}" if node.origin.place else ""
    return f"{node!r}, {nbytes:,} bytes{place}"


def memory_text(before: Program, after: Program, budget: int | None) -> Iterator[str]:
    """What was done for the sake of a budget, and what it costs; nothing where there is none."""
    if budget is None:
        return
    if after is before:
        yield f"the arena is within the budget of {budget:,} bytes as it is"
        return
    saved, more = before.memory.arena_bytes - after.memory.arena_bytes, after.flops - before.flops
    again = [node for node in after.statements if node.origin.made_by == RECOMPUTE]
    repeated = [one for one in after.tilings.values() if one.repeated_by is not None]
    yield (
        f"for the budget of {budget:,} bytes: an arena smaller by {saved:,} bytes, {more:,} floating-point operations "
        f"more ({more / max(before.flops, 1):.1%})"
    )
    if repeated:
        yield "  the states of loops are kept between tiles only, and each tile is run again on the way back"
    if again:
        yield f"  computed again instead of kept: {counted_names(again)}"
