"""From a graph with integer sizes to an executable: rewrite, check, schedule, emit; and the report of what was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from graphad.backend.executable import Executable
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.backend.reference import ReferenceExecutable
from graphad.compiler.blocks import in_blocks
from graphad.compiler.budget import memory_text, within
from graphad.compiler.timing import time_text
from graphad.compiler.verification import Replay, verify_values
from graphad.errors import VerificationError
from graphad.ir.collection import without_collection
from graphad.ir.graph import Graph
from graphad.ir.leaves import Parameter
from graphad.ir.node import Node
from graphad.ir.verify import verify, verify_pass
from graphad.rewrite.driver import Pass
from graphad.schedule.program import Program, schedule


@dataclass(frozen=True)
class Stage:
    """One stage of compilation: what it is called, the nodes before and after it, and its milliseconds."""

    name: str
    before: int
    after: int
    milliseconds: float


@dataclass(frozen=True)
class Report:
    """What compilation did for one set of sizes. ``flops`` and bytes are those of one call; ``time`` says what was done
    with the time steps, and why; ``memory`` what was done to keep to a budget of memory.
    """

    sizes: Mapping[str, int]
    stages: tuple[Stage, ...]
    statements: int = 0
    views: int = 0
    flops: int = 0
    arena_bytes: int = 0
    live_bytes: int = 0
    time: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The time that compilation took."""
        return sum(stage.milliseconds for stage in self.stages) / 1e3

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items()) or "all declared"
        rows = [f"{'stage':<32}{'before':>9}{'after':>9}{'ms':>10}"]
        rows += [f"{s.name:<32}{s.before:>9,}{s.after:>9,}{s.milliseconds:>10.2f}" for s in self.stages]
        program = f"{self.statements:,} statements, {self.views:,} views, {self.flops:,} floating-point operations"
        memory = f"arena of {self.arena_bytes:,} bytes; {self.live_bytes:,} alive at the most"
        return "\n".join([f"sizes: {sizes}", *rows, program, memory, *self.memory, *self.time])


@dataclass(frozen=True, eq=False)
class Lowered:
    """An executable, how it came about, and for each of its new values the parameters that get it, side by side."""

    executable: Executable
    report: Report
    updated: tuple[tuple[Node, ...], ...]

    @cached_property
    def trained(self) -> tuple[int, ...]:
        """The numbers of the new values that would make the function useless if they were not finite."""
        return tuple(number for number, nodes in enumerate(self.updated) if _is_trained(nodes[0]))


def _is_trained(node: Node) -> bool:
    return isinstance(node.op, Parameter) and node.op.trainable and node.type.is_float


@without_collection
def lower(
    graph: Graph,
    parameters: Sequence[Node],
    sizes: Mapping[str, int],
    passes: Sequence[Pass],
    backend: str,
    check: bool,
    memory: int | None = None,
) -> Lowered:
    """Make the executable of ``graph``, whose last outputs are the new values of ``parameters``.

    ``memory``: the bytes that its arena may have at the most; a MemoryBudgetError if that can't be.
    """
    stages: list[Stage] = []
    static = _staged(stages, "specialise", graph, lambda: graph.specialise(sizes))
    if backend == "reference":
        alone = tuple((node,) for node in parameters)
        return Lowered(ReferenceExecutable(static, parameters), Report(sizes, tuple(stages)), alone)
    blocked, updated, blocks = in_blocks(static, parameters)
    current = _rewritten(blocked, passes, stages, check)
    start = time.perf_counter()
    plan = partial(schedule, parameters=updated)
    planned = plan(current)
    program = planned if memory is None else within(planned, plan, memory)
    if check and program is not planned:
        _verify_within(planned, program)
    members = {block.vector: block.members for block in blocks}
    executable = NumpyExecutable(program, _header(program, sizes), members)
    milliseconds = (time.perf_counter() - start) * 1e3
    stages.append(Stage("schedule and emit", len(current.nodes), len(program.graph.nodes), milliseconds))
    report = _report(program, sizes, stages, tuple(memory_text(planned, program, memory)))
    return Lowered(executable, report, tuple(members.get(node, (node,)) for node in updated))


def _rewritten(graph: Graph, passes: Sequence[Pass], stages: list[Stage], check: bool) -> Graph:
    if check:
        verify(graph)
    for one in passes:
        after = _staged(stages, one.name, graph, partial(one.run, graph))
        if check:
            verify_values(graph, after, one)
        graph = after
    return graph


def _staged(stages: list[Stage], name: str, before: Graph, make: Callable[[], Graph]) -> Graph:
    start = time.perf_counter()
    after = make()
    stages.append(Stage(name, len(before.nodes), len(after.nodes), (time.perf_counter() - start) * 1e3))
    return after


def _header(program: Program, sizes: Mapping[str, int]) -> str:
    given = ", ".join(f"{name}={size}" for name, size in sizes.items())
    return (
        f"Emitted by graphad{' for ' + given if given else ''}: {len(program.statements)} statements. Needs numpy only."
    )


def _report(program: Program, sizes: Mapping[str, int], stages: Sequence[Stage], memory: tuple[str, ...]) -> Report:
    return Report(
        sizes,
        tuple(stages),
        len(program.statements),
        len(program.views),
        program.flops,
        program.memory.arena_bytes,
        program.memory.live_bytes,
        tuple(time_text(program)),
        memory,
    )


def _verify_within(before: Program, after: Program) -> None:
    """A VerificationError unless the program that keeps to a budget computes the same."""
    verify_pass(before.graph, after.graph, "memory budget")
    changed = Replay.of(before.graph, exact=True).changed(after.graph)
    if changed is not None:
        raise VerificationError(f"keeping to the budget of memory {changed} on random data")
