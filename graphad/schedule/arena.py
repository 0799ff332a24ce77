"""One block of memory for all intermediate values, in which places are used again when their value is dead.

When every value lives is known beforehand, so the large ones are given their places first and the small ones fill what
is left between them. For very long programs that takes too long: there places are given out and taken back in the
order of time, from a list of holes. Every place begins on a cache line.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from graphad.ir.op import Array

ALIGNMENT = 64
_MOST_BY_SIZE = 2_000
"""Claims; more are arranged in the order of time."""


class Claim(NamedTuple):
    """Memory of ``nbytes`` that is needed from the statement numbered ``first`` to the one numbered ``last``."""

    first: int
    last: int
    nbytes: int


def arrange(claims: Sequence[Claim]) -> tuple[list[int], int]:
    """An offset for each claim, such that no two that live together overlap; and the bytes that are needed in all.

    >>> arrange([Claim(0, 1, 100), Claim(1, 2, 10), Claim(2, 3, 60)])
    ([0, 128, 0], 192)
    """
    found = [_by_time(claims)]
    if len(claims) <= _MOST_BY_SIZE:
        found.append(_by_size(claims))
    return min(found, key=lambda one: one[1])


def _by_size(claims: Sequence[Claim]) -> tuple[list[int], int]:
    """Largest first, each at the lowest offset where it is in nobody's way."""
    first, last, nbytes = (np.array(column, np.int64) for column in zip(*claims, strict=True)) if claims else [()] * 3
    sizes = np.maximum(ALIGNMENT, -(-np.asarray(nbytes) // ALIGNMENT) * ALIGNMENT)
    order = sorted(range(len(claims)), key=lambda i: (-int(sizes[i]), i))
    offsets, size = np.zeros(len(claims), np.int64), 0
    for count, i in enumerate(order):
        others = np.array(order[:count], np.int64)
        living = others[(first[others] <= last[i]) & (last[others] >= first[i])]
        offsets[i] = _lowest_gap(offsets[living], sizes[living], int(sizes[i]))
        size = max(size, int(offsets[i] + sizes[i]))
    return offsets.tolist(), size


def _lowest_gap(offsets: Array, sizes: Array, needed: int) -> int:
    """The lowest offset with ``needed`` bytes free between the places that are taken."""
    order = np.argsort(offsets, kind="stable")
    begins = offsets[order]
    ends = np.maximum.accumulate(np.concatenate([[0], begins + sizes[order]]))
    fits = np.flatnonzero(begins - ends[:-1] >= needed)
    return int(ends[fits[0]] if fits.size else ends[-1])


def _by_time(claims: Sequence[Claim]) -> tuple[list[int], int]:
    """In the order of time, each in the first hole that is large enough."""
    arena, offsets = Arena(), [0] * len(claims)
    ending = sorted(range(len(claims)), key=lambda i: claims[i].last)
    done = 0
    for i in sorted(range(len(claims)), key=lambda i: claims[i].first):
        while claims[ending[done]].last < claims[i].first:
            arena.give_back(offsets[ending[done]], claims[ending[done]].nbytes)
            done += 1
        offsets[i] = arena.take(claims[i].nbytes)
    return offsets, arena.size


class Arena:
    """The plan of a block of memory; ``size`` is what it needs, in bytes.

    >>> arena = Arena()
    >>> arena.take(100), arena.take(10)
    (0, 128)
    >>> arena.give_back(0, 100)
    >>> arena.take(60), arena.take(60), arena.size
    (0, 64, 192)
    """

    def __init__(self) -> None:
        self.size = 0
        self._holes: list[tuple[int, int]] = []

    def take(self, nbytes: int) -> int:
        """The offset of a free place of ``nbytes``."""
        needed = _rounded(nbytes)
        for i, (offset, length) in enumerate(self._holes):
            if length >= needed:
                self._holes[i : i + 1] = [(offset + needed, length - needed)] if length > needed else []
                return offset
        return self._extend(needed)

    def _extend(self, needed: int) -> int:
        offset = self.size
        if self._holes and sum(self._holes[-1]) == self.size:
            offset, _ = self._holes.pop()
        self.size = offset + needed
        return offset

    def give_back(self, offset: int, nbytes: int) -> None:
        """Say that a place is free again."""
        hole = (offset, _rounded(nbytes))
        insort(self._holes, hole)
        i = self._holes.index(hole)
        for left in (i, i - 1):
            if 0 <= left < len(self._holes) - 1 and sum(self._holes[left]) == self._holes[left + 1][0]:
                self._holes[left : left + 2] = [(self._holes[left][0], self._holes[left][1] + self._holes[left + 1][1])]


def _rounded(nbytes: int) -> int:
    return max(ALIGNMENT, -(-nbytes // ALIGNMENT) * ALIGNMENT)
