"""From measurements to ratios: less than 1 means that graphad needs less time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tools.benchmark.peers.catalogue import BY_HAND, LIBRARIES, OURS, PEERS
from tools.benchmark.timing import Measurement

FASTEST = "fastest library"

Ratios = dict[str, float]  # by setting


@dataclass(frozen=True)
class Mean:
    """The geometric mean of our time by another's over ``count`` settings: those where both were measured."""

    other: str
    median: float
    best: float
    count: int


class Figures:
    """The step times of a run: ``quantity`` is "median_ms" or "best_ms" of a measurement."""

    def __init__(self, measurements: Sequence[Measurement], quantity: str) -> None:
        timed = [each for each in measurements if not each.problem]
        self._times = {(each.peer, each.setting): float(getattr(each, quantity)) for each in timed}

    def time(self, peer: str, setting: str) -> float:
        """Milliseconds; NaN if there is no time."""
        return self._times.get((peer, setting), math.nan)

    def fastest(self, setting: str) -> str | None:
        """The fastest library besides ours; what is written by hand is none."""
        timed = [peer.name for peer in LIBRARIES if (peer.name, setting) in self._times]
        return min(timed, key=lambda name: self.time(name, setting), default=None)

    def ratios(self, other: str) -> Ratios:
        """Our time by that of a peer, or of the fastest library in each setting."""
        settings = [setting for name, setting in self._times if name == OURS.name]
        others = {setting: self.fastest(setting) if other == FASTEST else other for setting in settings}
        pairs = {s: (self.time(OURS.name, s), self.time(peer, s)) for s, peer in others.items() if peer}
        return {setting: ours / theirs for setting, (ours, theirs) in pairs.items() if not math.isnan(theirs)}


def geometric_mean(ratios: Sequence[float]) -> float:
    """NaN of none."""
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def means(measurements: Sequence[Measurement], settings: Sequence[str]) -> list[Mean]:
    """Ours by the fastest library, by what is written by hand, and by each library, over the settings."""
    median, best = (Figures(measurements, quantity) for quantity in ("median_ms", "best_ms"))
    found = []
    for other in (FASTEST, BY_HAND.name, *(peer.name for peer in LIBRARIES)):
        medians, bests = ([r for s, r in each.ratios(other).items() if s in settings] for each in (median, best))
        title = PEERS[other].title if other in PEERS else other
        found.append(Mean(title, geometric_mean(medians), geometric_mean(bests), len(medians)))
    return [mean for mean in found if mean.count]
