"""Measures the peers of one setting in turns: short rounds, one peer at a time, so that all see the same noise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tools.benchmark.agreement import Agreement, compare
from tools.benchmark.peers.catalogue import OURS, REMEDY, Peer
from tools.benchmark.process import PeerError, PeerProcess
from tools.benchmark.settings import Setting, Weights, first_weights

ROUND_SECONDS = 0.2

Listener = Callable[["Measurement"], None]


@dataclass(frozen=True)
class Plan:
    """How to measure: seconds of training for each peer, threads, and how long to wait for an answer."""

    seconds: float
    one_thread: bool
    patience: float

    @property
    def rounds(self) -> int:
        """How often each peer's turn comes."""
        return max(1, math.ceil(self.seconds / ROUND_SECONDS))


@dataclass
class Measurement:
    """What is known of a peer in a setting. With a ``problem`` there are no times."""

    peer: str
    setting: str
    problem: str = ""
    first_seconds: float = math.nan  # declare, compile, and the first step; the library is imported before
    disagreement: float = math.nan
    memory: int = 0  # bytes, at the peak, beyond what there was after the import
    rounds: list[dict[str, Any]] = field(default_factory=list)  # the worker's answers

    @property
    def median_ms(self) -> float:
        """The median over rounds of their median step."""
        return statistics.median(each["median_ns"] for each in self.rounds) / 1e6 if self.rounds else math.nan

    @property
    def best_ms(self) -> float:
        """The fastest step."""
        return min(each["best_ns"] for each in self.rounds) / 1e6 if self.rounds else math.nan

    @property
    def cores(self) -> float:
        """Processor time by the time that passed."""
        return statistics.median(each["cores"] for each in self.rounds) if self.rounds else math.nan


@dataclass
class _Running:
    """A peer that takes part in the rounds."""

    measurement: Measurement
    process: PeerProcess
    memory_at_start: int
    loss: float
    weights: Weights


def measure(setting: Setting, peers: Sequence[Peer], plan: Plan, folder: Path, listen: Listener) -> list[Measurement]:
    """Start each peer, compare it with ours, which comes first, and let those that agree train in turns.

    ``listen`` hears of each measurement after its first step, or its failure.
    """
    measurements: list[Measurement] = []
    running: list[_Running] = []
    with ExitStack() as stack:
        for peer in peers:
            if not peer.runs(setting):
                continue
            measurement = Measurement(peer.name, setting.name)
            measurements.append(measurement)
            try:
                started = _start(peer, setting, plan, folder / setting.name / peer.name, measurement, stack)
                _check(started, running, setting)
                running.append(started)
            except PeerError as error:
                measurement.problem = str(error)
            listen(measurement)
        _take_turns(running, plan.rounds)
    return measurements


def _start(
    peer: Peer, setting: Setting, plan: Plan, folder: Path, measurement: Measurement, stack: ExitStack
) -> _Running:
    if peer.missing:
        raise PeerError(f"not installed: {REMEDY}")
    process = stack.enter_context(PeerProcess(peer.name, plan.one_thread, folder, plan.patience))
    imported = process.hear()
    weights = folder / "weights.npz"
    first = process.ask("first", setting=asdict(setting), weights=str(weights))
    measurement.first_seconds = first["seconds"]
    measurement.memory = first["memory"] - imported["memory"]
    with np.load(weights) as arrays:
        return _Running(measurement, process, imported["memory"], first["loss"], dict(arrays))


def _check(started: _Running, running: list[_Running], setting: Setting) -> None:
    """Ours is what the others are compared with."""
    if started.measurement.peer == OURS.name:
        agreement = Agreement(0.0)
    elif running and running[0].measurement.peer == OURS.name:
        ours = running[0]
        agreement = compare(first_weights(setting), ours.weights, started.weights, ours.loss, started.loss)
    else:
        raise PeerError("not compared, since graphad failed")
    started.measurement.disagreement = agreement.worst
    if agreement.complaint:
        raise PeerError(agreement.complaint)


def _take_turns(running: list[_Running], rounds: int) -> None:
    """Each round begins with another peer."""
    for number in range(rounds):
        shift = number % len(running) if running else 0
        for each in running[shift:] + running[:shift]:
            _take_turn(each)


def _take_turn(each: _Running) -> None:
    measurement = each.measurement
    if measurement.problem:
        return
    try:
        answer = each.process.ask("run", seconds=ROUND_SECONDS)
    except PeerError as error:
        measurement.problem = str(error)
        measurement.rounds.clear()
        return
    measurement.memory = answer.pop("memory") - each.memory_at_start
    measurement.rounds.append(answer)
