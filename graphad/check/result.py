"""What a check found: a row for each variable, the worst difference, and the error if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from graphad.check.comparison import Comparison
from graphad.check.differences import Verdict
from graphad.check.problem import Problem

_COLUMNS = ("parameter", "order", "shape", "entries", "directions", "worst", "")


@dataclass(frozen=True)
class VariableCheck:
    """What was compared of one variable.

    ``worst`` is the largest difference, divided by the greater of the two numbers, and ``where`` it is. ``rough`` says
    where the loss is not smooth, so that differences could not tell.
    """

    name: str
    order: int
    shape: tuple[int, ...]
    entries: int
    directions: int
    worst: float
    where: str
    right: bool
    rough: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In a word or two."""
        rough = f", {len(self.rough)} not smooth" if self.rough else ""
        return f"{'ok' if self.right else 'WRONG'}{rough}"

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        counts = (str(self.order), str(self.shape), str(self.entries), str(self.directions))
        return (self.name, *counts, f"{self.worst:.1e}", self.verdict)


@dataclass(frozen=True)
class GradientCheck:
    """What was checked: the number of entries and of random directions, the worst difference and where.

    Differences are divided by the greater of the two numbers (see `check_gradients`). `str` gives a table. ``error`` is
    what a failed check has to say.
    """

    entries: int
    directions: int
    worst: float
    where: str
    variables: tuple[VariableCheck, ...]
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether no gradient is wrong."""
        return not self.error

    def __str__(self) -> str:
        rough = [f"not smooth, so not told: {text}" for one in self.variables for text in one.rough]
        return "\n".join([*table(self.variables), self.summary, *rough])

    @property
    def summary(self) -> str:
        """The check in one line."""
        found = "the gradient is right" if self.right else "the gradient is WRONG"
        directions = f" and {self.directions} directions" if self.directions else ""
        worst = f"; the worst is off by {self.worst:.1e}, in {self.where}" if self.where else ""
        return f"{found}: {self.entries} entries{directions} compared with central differences{worst}"


def summed(rows: Sequence[VariableCheck], error: str) -> GradientCheck:
    """The check whose rows these are."""
    worst = max(rows, key=lambda row: (not row.right, isnan(row.worst), row.worst), default=None)
    return GradientCheck(
        entries=sum(row.entries for row in rows),
        directions=sum(row.directions for row in rows),
        worst=0.0 if worst is None else worst.worst,
        where="" if worst is None else f"{worst.name} {worst.where}",
        variables=tuple(rows),
        error=error,
    )


def table(rows: Sequence[VariableCheck]) -> list[str]:
    """The rows as text, in columns, under their titles."""
    cells = [_COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_COLUMNS))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def variable_check(problem: Problem, place: int, found: Sequence[Comparison]) -> VariableCheck:
    """The row of one variable."""
    told = [one for one in found if one.verdict is not Verdict.ROUGH]
    worst = worst_of(told)
    return VariableCheck(
        name=problem.variables[place].label,
        order=problem.order,
        shape=problem.variables[place].value.shape,
        entries=sum(one.index is not None for one in found),
        directions=sum(one.index is None for one in found),
        worst=0.0 if worst is None else worst.difference,
        where="" if worst is None else worst.where,
        right=all(one.verdict is not Verdict.WRONG for one in found),
        rough=tuple(_rough_text(problem, one) for one in found if one.verdict is Verdict.ROUGH),
    )


def worst_of(found: Sequence[Comparison]) -> Comparison | None:
    """The comparison that is furthest off, wrong ones first, entries before directions, not-a-number before numbers."""
    return max(found, key=_badness, default=None)


def _badness(one: Comparison) -> tuple[bool, bool, bool, float]:
    wrong, undefined = one.verdict is Verdict.WRONG, isnan(one.difference)
    return (wrong, wrong and one.index is not None, undefined, 0.0 if undefined else one.difference)


def _rough_text(problem: Problem, one: Comparison) -> str:
    label, slope = problem.variables[one.place].label, one.slope
    left, right = slope.value - slope.jump / 2, slope.value + slope.jump / 2
    return f"{label} {one.where}: {one.number:.6g} by the graph, slopes {left:.6g} and {right:.6g} on either side"
