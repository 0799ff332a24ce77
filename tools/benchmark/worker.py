"""The inside of one peer's process: reads requests, a JSON object a line, from stdin, and answers on stdout.

    python -m tools.benchmark.worker PEER        -> {"memory": bytes}, once the library is imported
    {"request": "first", "setting": {...}, "weights": "FILE.npz"}: declare, compile, train one step, write the weights
                                                 -> {"seconds", "loss", "memory"}
    {"request": "run", "seconds": s}             -> {"steps", "best_ns", "median_ns", "cores", "memory"}

An answer {"error": "..."} is the last one. What libraries print goes to stderr.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np

from tools.benchmark.peers.catalogue import PEERS, Trainer
from tools.benchmark.settings import Setting

_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def peak_memory() -> int:
    """The most resident memory that this process has had, in bytes.

    Linux hands a parent's peak down to its children in ru_maxrss; VmHWM is the process's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_UNIT


class Worker:
    """A peer and, after the first request, its trainer."""

    def __init__(self, peer: str) -> None:
        self.build = PEERS[peer].load()
        self.trainer: Trainer | None = None

    def first(self, setting: dict[str, Any], weights: str) -> dict[str, Any]:
        """Everything that a user waits for before the second step; the weights after it go into the file."""
        start = time.perf_counter()
        self.trainer = self.build(Setting(**setting))
        loss = self.trainer.step()
        seconds = time.perf_counter() - start
        np.savez(weights, **cast("dict[str, Any]", self.trainer.weights()))
        return {"seconds": seconds, "loss": float(loss)}

    def run(self, seconds: float) -> dict[str, Any]:
        """Train for so long, one step at least. ``cores`` is the processor time by the time that passed."""
        if self.trainer is None:
            raise RuntimeError("'first' comes before 'run'")
        step, clock, times = self.trainer.step, time.perf_counter_ns, []
        begin, processor = clock(), time.process_time_ns()
        now = begin
        while now - begin < seconds * 1e9:
            step()
            times.append(-now + (now := clock()))
        cores = (time.process_time_ns() - processor) / (now - begin)
        return {"steps": len(times), "best_ns": min(times), "median_ns": statistics.median(times), "cores": cores}

    def answer(self, line: str) -> dict[str, Any]:
        """Do what a line asks for."""
        request = json.loads(line)
        requests: dict[str, Callable[..., dict[str, Any]]] = {"first": self.first, "run": self.run}
        do = requests[request.pop("request")]
        return {**do(**request), "memory": peak_memory()}


def _serve(peer: str, answers: TextIO) -> None:
    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        worker = Worker(peer)
        say({"memory": peak_memory()})
        for line in sys.stdin:
            say(worker.answer(line))
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
        raise


def main() -> None:
    """Keep stdout for answers: whatever else is written there goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        _serve(sys.argv[1], answers)


if __name__ == "__main__":
    main()
