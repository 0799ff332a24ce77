"""How arrays are cut along time, so that a loop and the work around it can be done for a few steps at once.

A value that holds many steps holds them along one axis, side by side. Which axes of an operation's result and operands
run along together says how one cut follows from another.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TypeAlias

from graphad.ir.tensor_type import TensorType, known

CACHE_BYTES = 2**20
"""An array of which a second-level cache holds two; larger ones travel to memory and back between their users."""


def exceeds_cache(nbytes: int) -> bool:
    """Whether an array of so many bytes is better done a few steps at a time."""
    return nbytes > CACHE_BYTES


AxisLabels: TypeAlias = tuple[tuple[Hashable | None, ...], ...]
"""For a result and each operand, a label for each axis: axes of one label run along together; None with no other."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the steps of time lie in an array: step t is ``rows`` elements of an axis, from ``rows * (t - first)``."""

    axis: int
    rows: int
    first: int

    def times(self, type: TensorType) -> range:
        """The steps that an array of this type holds, if it is cut so.

        >>> import graphad as ga
        >>> Cut(axis=0, rows=5, first=-1).times(ga.input("h", (20, 3)).type)
        range(-1, 3)
        """
        return range(self.first, self.first + known(type.shape[self.axis]) // self.rows)


Cuts: TypeAlias = tuple[Cut | None, ...]
"""Of a result and each operand. An operand without one is read whole; a result without one is a sum over the steps."""


def cuts_along(labels: AxisLabels, place: int, cut: Cut) -> Cuts | None:
    """The cuts of all, if the one at ``place`` (0: the result, 1: the first operand) is cut so; None if it can't be."""
    label = labels[place][cut.axis]
    if label is None:
        return None
    return tuple(replace(cut, axis=own.index(label)) if label in own else None for own in labels)
