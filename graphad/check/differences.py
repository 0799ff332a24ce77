"""The derivative along a line by central differences, and where it has none.

Two widths are tried first, and extrapolated to width 0 (Richardson, 1911). Where that does not confirm the number under
test, ever smaller widths follow, and the estimate that two of them agree on best is taken (Ridders, 1982): so a kink
close by is told from a wrong gradient, and a kink at the very place shows as slopes that differ left and right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import ceil, isfinite, log2, nan

import numpy as np

WIDTH = 2.0**-9
"""The first width for numbers up to 1: a power of two, so that moved numbers are exact."""
_LEVELS = 10
_EPSILON = float(np.finfo(np.float64).eps)
_NOISE = 8


class Verdict(Enum):
    """What comparing a number with differences came to."""

    RIGHT = "right"
    WRONG = "wrong"
    ROUGH = "not smooth"


@dataclass(frozen=True)
class Slope:
    """A derivative: ``value`` give or take ``error``. ``jump``: how much steeper it is to the right than to the left.

    ``width`` is the width by which it was found.
    """

    value: float
    error: float
    jump: float
    width: float

    def verdict(self, number: float, tolerance: float, floor: float) -> Verdict:
        """Whether the number is this derivative; ROUGH if the loss has none here that could tell."""
        if not isfinite(number):
            return Verdict.WRONG
        if self.difference(number, floor) <= tolerance:
            return Verdict.RIGHT
        off = abs(number - self.value)
        if not isfinite(self.value) or off <= 2 * self.error or off <= 0.5 * abs(self.jump) * (1 + tolerance):
            return Verdict.ROUGH
        return Verdict.WRONG

    def difference(self, number: float, floor: float) -> float:
        """How far the number is off, divided by the greater of the two, which counts as ``floor`` if it is less."""
        return abs(number - self.value) / max(abs(number), abs(self.value), floor)


@dataclass(frozen=True)
class _Level:
    """What one width gives: the central difference, right less left slope, and the rounding in either."""

    width: float
    central: float
    jump: float
    noise: float


def noise(loss: float, width: float) -> float:
    """The rounding in a difference of losses of this size."""
    return _NOISE * _EPSILON * abs(loss) / width


def slope(loss_at: Callable[[float], float], scale: float, number: float, tolerance: float, floor: float) -> Slope:
    """The derivative at 0 of ``loss_at``, in doubt of ``number``; ``scale`` is the size of what is moved."""
    middle, width = loss_at(0.0), WIDTH * 2.0 ** ceil(log2(max(1.0, scale)))
    levels = [_level(loss_at, middle, width / 4**i) for i in range(2)]
    first = _extrapolated(levels)
    if first.difference(number, floor) <= tolerance:
        return first
    levels += [_level(loss_at, middle, width / 4**i) for i in range(2, _LEVELS)]
    return _extrapolated(levels)


def _level(loss_at: Callable[[float], float], middle: float, width: float) -> _Level:
    right, left = loss_at(width), loss_at(-width)
    central, jump = (right - left) / (2 * width), (right - 2 * middle + left) / width
    return _Level(width, central, jump, noise(max(abs(right), abs(left), abs(middle)), width))


def _extrapolated(levels: list[_Level]) -> Slope:
    """The estimate from two neighbouring widths that is surest, each compared with the one from greater widths."""
    before, found = levels[0].central, Slope(nan, nan, 0.0, levels[-1].width)
    jump_before = levels[0].jump
    for wide, narrow in pairwise(levels):
        value = (16 * narrow.central - wide.central) / 15
        jump = (4 * narrow.jump - wide.jump) / 3
        error = abs(value - before) + narrow.noise
        doubt = abs(jump - jump_before) + 4 * narrow.noise
        if isfinite(error) and not error >= found.error:
            found = Slope(value, error, jump if abs(jump) > 2 * doubt else 0.0, narrow.width)
        before, jump_before = value, jump
    return found
