"""Looking for the statement at which numbers stop being finite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from graphad.backend.numpy_backend import NumpyExecutable
from graphad.backend.numpy_statements import Line
from graphad.ir.node import Node
from graphad.ir.op import Array


@dataclass(frozen=True, eq=False)
class NonFinite:
    """The first statement of a call whose result holds NaN or infinity, and the ranges of its operands.

    ``execution`` counts how often it had run before: inside a loop over time, that is the iteration; beside the steps
    of a loop that is run in tiles, the tile.
    """

    node: Node
    statement: str
    execution: int
    ranges: tuple[str, ...]
    in_tiles: bool = False

    def __str__(self) -> str:
        place = f" at {self.node.origin.place}" if self.node.origin.place else ""
        what = "tile" if self.in_tiles else "iteration"
        when = f", {what} {self.execution} of its loop" if self.execution else ""
        return f"{self.node.label}{place}{when}: {self.statement}, with {'; '.join(self.ranges)}"


@dataclass(eq=False)
class _Guard:
    """What was seen so far."""

    executions: dict[int, int] = field(default_factory=dict)
    found: NonFinite | None = None

    def watch(self, line: Line, _: int, __: int, values: tuple[Array, ...]) -> None:
        """Look at one execution's result, unless a bad one was found already."""
        count = self.executions.get(id(line.node), 0)
        self.executions[id(line.node)] = count + 1
        if self.found is not None or line.node is None or _is_finite(values[0]):
            return
        ranges = (f"{name} {_range(value, values[0])}" for name, value in zip(line.names[1:], values[1:], strict=True))
        text = line.text.strip().partition("  #")[0]
        self.found = NonFinite(line.node, text, count, tuple(ranges), line.times > 1)


def first_non_finite(executable: NumpyExecutable, arguments: Sequence[Array]) -> NonFinite | None:
    """Run a program once, watching each statement; parameters stay as they are."""
    guard = _Guard()
    executable.run_watched(arguments, guard.watch)
    return guard.found


def _is_finite(value: object) -> bool:
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _range(value: object, result: Array) -> str:
    array = np.asarray(value)
    if np.may_share_memory(array, result):
        return "overwritten by the result"
    if array.size == 0:
        return "of no elements"
    return f"in [{array.min():.4g}, {array.max():.4g}]" if array.dtype.kind != "b" else "of truth values"
