"""Each variable's gradient against differences: entry by entry, and along random directions.

A direction asks about all entries at once, so a few are cheap and enough to see that something is wrong; halving the
wrong direction again and again then leads to a wrong entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from graphad.check.differences import WIDTH, Slope, Verdict, noise, slope
from graphad.check.problem import Problem
from graphad.compiler.function import compile
from graphad.errors import GradientError
from graphad.ir.op import Array

MODES = ("auto", "entries", "projection")
SMALL = 200
"""Up to so many entries, all are moved, one at a time."""
_SAMPLE = 50
_DIRECTIONS = 4
_FLOOR = 1e-4


@dataclass(frozen=True, eq=False)
class Comparison:
    """One number under test beside its slope. ``index`` is the entry that was moved; None: all of them, at random."""

    place: int
    direction: Array
    index: tuple[int, ...] | None
    number: float
    slope: Slope
    difference: float
    verdict: Verdict

    @property
    def where(self) -> str:
        """The entry, as messages show it."""
        return "along a direction" if self.index is None else f"at {list(self.index)}"


class Comparer:
    """Compares the gradients of one problem with differences of its loss."""

    def __init__(self, problem: Problem, tolerance: float) -> None:
        self.problem, self.tolerance = problem, tolerance
        self._loss = compile(list(problem.nodes), problem.loss)
        gradients = compile(list(problem.nodes), list(problem.gradients))
        self.found: list[Array] = [np.asarray(array) for array in gradients(*problem.values)]
        middle = float(self._loss(*problem.values))
        if not np.isfinite(middle):
            raise GradientError(f"the loss is {middle} here: nothing can be checked; give other inputs= or parameters")
        largest = max((float(np.abs(array).max(initial=0.0)) for array in self.found), default=0.0)
        rounding = noise(middle, WIDTH / 4) / tolerance
        self._floor = max(_FLOOR * largest if np.isfinite(largest) else 0.0, rounding, np.finfo(np.float64).tiny)

    def compare(self, place: int, mode: str, generator: np.random.Generator) -> Iterator[Comparison]:
        """The comparisons of one variable, and of a wrong direction also those that lead to a wrong entry."""
        value = self.problem.variables[place].value
        for _ in range(_directions(value.size, mode)):
            drawn = generator.standard_normal(value.shape)
            found = self._along(place, np.asarray(drawn / np.linalg.norm(drawn)), None)
            yield found
            if found.verdict is Verdict.WRONG:
                yield self._wrong_entry(found)
                break
        for index in _entries(value, mode, generator):
            yield self._entry(place, index)

    def _entry(self, place: int, index: tuple[int, ...]) -> Comparison:
        direction = np.zeros_like(self.problem.variables[place].value)
        direction[index] = 1.0
        return self._along(place, direction, index)

    def _wrong_entry(self, wrong: Comparison) -> Comparison:
        """Of a wrong direction, the half that is further off; of that, again; at last an entry."""
        entries = np.arange(wrong.direction.size)
        while len(entries) > 1:
            halves = np.array_split(entries, 2)
            found = [self._along(wrong.place, _only(wrong.direction, half), None) for half in halves]
            off = [abs(one.number - one.slope.value) for one in found]
            entries = halves[int(off[1] > off[0] or np.isnan(off[1]))]
        index = np.unravel_index(int(entries[0]), wrong.direction.shape)
        return self._entry(wrong.place, tuple(map(int, index)))

    def _along(self, place: int, direction: Array, index: tuple[int, ...] | None) -> Comparison:
        variable, values = self.problem.variables[place], self.problem.values

        def loss_at(step: float) -> float:
            moved = variable.value + step * direction
            return float(self._loss(*values[:place], moved, *values[place + 1 :]))

        number = float(np.vdot(np.where(direction, self.found[place], 0.0), direction))
        scale = float(np.abs(variable.around if index is None else variable.around[index]).max(initial=0.0))
        found = slope(loss_at, scale, number, self.tolerance, self._floor)
        verdict = found.verdict(number, self.tolerance, self._floor)
        return Comparison(place, direction, index, number, found, found.difference(number, self._floor), verdict)


def _only(direction: Array, entries: Array) -> Array:
    kept = np.zeros(direction.size)
    kept[entries] = direction.reshape(-1)[entries]
    return kept.reshape(direction.shape)


def _directions(size: int, mode: str) -> int:
    return 0 if mode == "entries" or not size or (mode == "auto" and size <= SMALL) else _DIRECTIONS


def _entries(value: Array, mode: str, generator: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """All entries, a sample of them, or none."""
    size = value.size
    count = 0 if mode == "projection" else _SAMPLE if mode == "auto" and size > SMALL else size
    chosen = np.sort(generator.permutation(size)[:count])
    return (tuple(map(int, np.unravel_index(flat, value.shape))) for flat in chosen)
