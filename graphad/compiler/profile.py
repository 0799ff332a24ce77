"""Where the time of a call goes: each statement of the emitted program, timed."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from graphad.backend.numpy_backend import NumpyExecutable
from graphad.backend.numpy_statements import Line
from graphad.errors import FileSuffixError
from graphad.files import write_whole
from graphad.ir.node import Node
from graphad.ir.op import Array

_WARM_UPS = 2
_PRODUCT_SIZE = 512


@dataclass(eq=False)
class Entry:
    """One statement: how often it was executed in one call, and how long together, in each of the calls."""

    line: Line
    calls: int = 0
    nanoseconds: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The time that its executions took together in one call; the median of the calls."""
        return statistics.median(self.nanoseconds) / 1e9

    @property
    def node(self) -> Node:
        """What the statement computes."""
        if self.line.node is None:
            raise TypeError(f"{self.line.text!r} is no statement")
        return self.line.node

    @property
    def text(self) -> str:
        """The statement, without its comment."""
        return self.line.text.strip().partition("  #")[0]

    def figures(self) -> dict[str, float]:
        """Its figures in one call, by name."""
        return {"calls": self.calls, "seconds": self.seconds, "flops": self.flops, "bytes": self.nbytes}

    @property
    def flops(self) -> int:
        """Floating-point operations of one execution."""
        whole = self.node.op.flops(self.node.type, *(operand.type for operand in self.node.operands))
        return whole // self.line.times

    @property
    def nbytes(self) -> int:
        """Bytes read and written by one execution, if each operand is read once."""
        whole = self.node.type.nbytes + sum(operand.type.nbytes for operand in self.node.operands)
        return whole // self.line.times


@dataclass(frozen=True, eq=False)
class Profile:
    """The times of a program's statements. ``str()`` is a table; `save` writes a trace for Perfetto or Chrome.

    ``entries``: the statements in order. ``runs``: how many calls were timed. ``events``: of the last call, each
    executed statement with its beginning and end in nanoseconds. ``product_rate``: floating-point operations a second
    of a large product of float32 matrices, measured here and now.
    """

    entries: tuple[Entry, ...]
    runs: int
    events: tuple[tuple[Line, int, int], ...]
    product_rate: float

    @property
    def seconds(self) -> float:
        """The time of one call, spent in statements."""
        return sum(entry.seconds for entry in self.entries)

    def __str__(self) -> str:
        whole = max(self.seconds, 1e-12)
        head = (
            f"{whole * 1e3:.3f} ms in statements, medians of {self.runs} calls; "
            f"a product of {_PRODUCT_SIZE} x {_PRODUCT_SIZE} float32 matrices runs at "
            f"{self.product_rate / 1e9:.0f} GF/s"
        )
        rows = [f"{'share':>6}{'us':>10}{'calls':>7}{'GF/s':>8}{'GB/s':>8}  statement"]
        rows += [self._row(entry, whole) for entry in sorted(self.entries, key=lambda one: -one.seconds)]
        return "\n".join([head, *rows])

    def _row(self, entry: Entry, whole: float) -> str:
        seconds = max(entry.seconds, 1e-9)
        rates = (entry.calls * work / seconds / 1e9 for work in (entry.flops, entry.nbytes))
        numbers = "".join(f"{rate:>8.1f}" for rate in rates)
        return f"{seconds / whole:>6.1%}{seconds * 1e6:>10.1f}{entry.calls:>7}{numbers}  {entry.line.text.strip()}"

    def save(self, path: str | Path) -> Path:
        """Write the last call as a trace (.json) that opens in Perfetto (https://ui.perfetto.dev)."""
        path = Path(path)
        if path.suffix != ".json":
            raise FileSuffixError(f"{path.name}: a trace is a .json file")
        events = [
            {
                "name": line.text.strip().partition("  #")[0],
                "cat": line.node.op.name if line.node is not None else "",
                "ph": "X",
                "ts": begin / 1e3,
                "dur": (end - begin) / 1e3,
                "pid": 1,
                "tid": 1,
                "args": {"line": line.node.origin.place if line.node is not None else ""},
            }
            for line, begin, end in self.events
        ]
        write_whole(path, json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}).encode())
        return path


def profile(executable: NumpyExecutable, arguments: Sequence[Array], runs: int) -> Profile:
    """Run a program ``runs`` times, after warming up; parameters stay as they are."""
    entries: dict[int, Entry] = {}
    events: list[tuple[Line, int, int]] = []
    for run in range(_WARM_UPS + runs):
        events.clear()
        executable.run_watched(arguments, lambda line, begin, end, _: events.append((line, begin, end)))
        if run >= _WARM_UPS:
            _add(events, entries)
    return Profile(tuple(entries.values()), runs, tuple(events), product_rate())


def _add(events: Sequence[tuple[Line, int, int]], entries: dict[int, Entry]) -> None:
    """Add the times of one call."""
    for entry in entries.values():
        entry.calls = 0
    spent: dict[int, int] = {}
    for line, begin, end in events:
        entries.setdefault(id(line.node), Entry(line)).calls += 1
        spent[id(line.node)] = spent.get(id(line.node), 0) + end - begin
    for key, nanoseconds in spent.items():
        entries[key].nanoseconds.append(nanoseconds)


@cache
def product_rate() -> float:
    """Floating-point operations a second of a product of large float32 matrices; best of five."""
    a = np.ones((_PRODUCT_SIZE, _PRODUCT_SIZE), np.float32)
    out, best = np.empty_like(a), float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        np.matmul(a, a, out=out)
        best = min(best, time.perf_counter() - begin)
    return 2 * _PRODUCT_SIZE**3 / best
