"""Less memory for long loops: their states are kept between tiles only, and each tile is run again on the way back."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt

from graphad.compiler.recomputation import Plan
from graphad.ops.loop import loop_of
from graphad.schedule.program import Program
from graphad.schedule.tiles import Tiles

_PARTS_OF_ROOT = (1, 2, 4)
"""A tile holds several arrays for each step, and between tiles there is one state: so the least is needed by tiles
that are shorter than the root of the number of steps.
"""


def in_repeated_tiles(program: Program, plan: Plan, _: int) -> Iterator[Program]:
    """Programs whose loops are run so: in tiles that fit into a cache, then in those that need the least memory."""
    steps = max((loop_of(loop).steps for loop in program.bodies), default=0)
    lengths = (None, *(isqrt(steps) // parts for parts in _PARTS_OF_ROOT)) if steps else ()
    for length in lengths:
        yield plan(program.graph, tiles=Tiles(length, repeated=True))
