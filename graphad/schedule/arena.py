"""One block of memory for all intermediate values: places are given out, taken back, and given out again.

A first-fit allocator over a sorted list of holes. Every place begins on a cache line.
"""

from __future__ import annotations

from bisect import insort

ALIGNMENT = 64


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
