"""Loops whose states are kept between tiles only: on the way back each tile is run again from the state before it.

Reverse mode reads the states of all steps. If a loop's states are read by its own way back alone, tile by tile, and by
others at the last step, memory for one tile and the states between tiles is enough: with tiles of sqrt(T) steps it
grows as sqrt(T) does, for one more run of the loop (Griewank 1992; Chen et al. 2016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from graphad.ir.node import Node
from graphad.ops.loop import loop_of
from graphad.ops.slicing import Slice, full_index
from graphad.schedule.tiles import Readers
from graphad.schedule.tiling import Tiling, cut_of_view, cuts_of, record_cut, record_number
from graphad.schedule.views import read


def repeated(
    tilings: Mapping[Node, Tiling], roots: Mapping[Node, Node], readers: Readers, outputs: Sequence[Node]
) -> dict[Node, Tiling]:
    """The tilings, each loop that can be with its tiles run again on its way back."""
    found = dict(tilings)
    for loop, forward in tilings.items():
        read_out = [output for output in outputs if roots[output] is loop]
        pair = _Pair.of(forward, found, roots, readers, read_out)
        if pair is not None:
            ends, ahead = tuple(pair.ends()), tuple(pair.ahead())
            again = replace(forward, repeated_by=pair.backward.loop, ends=ends, ahead=ahead)
            nbytes = sum(array.nbytes for array in again.loop_arrays())
            found[loop] = replace(again, local={**again.local, loop: nbytes})
            found[pair.backward.loop] = replace(pair.backward, repeats=loop)
    return {loop: one for loop, one in found.items() if _is_of_use(one)}


def _is_of_use(tiling: Tiling) -> bool:
    """Whether a loop in tiles does more than the loop alone."""
    pairs = tiling.repeated_by is not None or tiling.repeats is not None
    return pairs or bool(tiling.before or tiling.after)


@dataclass(frozen=True, eq=False)
class _Pair:
    """A loop and its way back; ``steps``: the views of the loop's value that the way back reads tile by tile;
    ``others``: those that it or somebody else reads whole.
    """

    forward: Tiling
    backward: Tiling
    steps: Sequence[Node]
    others: Sequence[Node]

    @staticmethod
    def of(
        forward: Tiling,
        tilings: Mapping[Node, Tiling],
        roots: Mapping[Node, Node],
        readers: Readers,
        read_out: Sequence[Node],
    ) -> _Pair | None:
        """The only loop that reads the states in tiles; None if there are others, or none, or it can't do without."""
        own = set(forward.statements)
        outside = [node for node in readers.get(forward.loop, ()) if node is not None and node not in own]
        reading = [one for one in tilings.values() if not set(one.statements).isdisjoint(outside)]
        if len(reading) != 1:
            return None
        back, others = set(reading[0].statements), [*read_out]
        steps: list[Node] = []
        for node in outside:
            for view in (read(node, operand) for operand in node.operands if roots[operand] is forward.loop):
                in_tiles = node in back and reading[0].cuts.get(view) is not None
                (steps if in_tiles else others).append(view)
        pair = _Pair(forward, reading[0], steps, others)
        return pair if pair._runs_alike() and pair._reads_states_at_hand() else None

    def _runs_alike(self) -> bool:
        """Whether the way back has tiles of the same steps, from the last to the first."""
        forward, backward = self.forward, self.backward
        free = forward.repeats is None is backward.repeats and backward.repeated_by is None is forward.repeated_by
        ways = not loop_of(forward.loop).reverse and loop_of(backward.loop).reverse
        starts = forward.times.start == backward.times.start == 0 and backward.times.stop <= forward.times.stop
        return free and ways and starts and forward.length == backward.length

    def _reads_states_at_hand(self) -> bool:
        """Whether the tile that is run again holds what the same tile of the way back reads."""
        ends = all(self._end(view) is not None for view in self.others)
        return ends and all(map(self._is_of_tile, self.steps))

    def _is_of_tile(self, view: Node) -> bool:
        """Whether the way back reads, of each step, what is of it, of the few before it or of those just behind it."""
        distance = self._distance(view)
        return distance is not None and -self._padding(view) <= distance <= self.forward.length

    def _distance(self, view: Node) -> int | None:
        """Which step of the loop the way back reads at each of its own, counted from that."""
        theirs = self.backward.cuts.get(view)
        ours = cut_of_view(view, partial(record_cut, loop=self.forward.loop))
        if theirs is None or ours is None or (ours.axis, ours.rows) != (theirs.axis, theirs.rows):
            return None
        return ours.first - theirs.first

    def _padding(self, view: Node) -> int:
        return loop_of(self.forward.loop).records[self._record(view)].padding

    def ahead(self) -> Iterator[int]:
        """How far behind its own step the way back reads each record."""
        farthest = [0] * len(loop_of(self.forward.loop).records)
        for view in self.steps:
            number = self._record(view)
            farthest[number] = max(farthest[number], self._distance(view) or 0)
        yield from farthest

    def _record(self, view: Node) -> int:
        while (number := record_number(view, self.forward.loop)) is None:
            view = view.operands[0]
        return number

    def ends(self) -> Iterator[Node]:
        """The views of the last steps that others read, each once."""
        found = map(self._end, self.others)
        yield from dict.fromkeys(end for end in found if end is not None)

    def _end(self, view: Node) -> Node | None:
        """The view of one of the last steps that a view is made from, if the last tile holds that step."""
        found = step_shown(view, self.forward.loop)
        if found is None:
            return None
        end, step = found
        begin = (self.forward.count - 1) * self.forward.length
        return end if step >= begin - self._padding(view) else None


def step_shown(view: Node, loop: Node) -> tuple[Node, int] | None:
    """The view of one step of a loop's record that a view is, or is made from, and which step that is."""
    views = [view]
    while (cut := record_cut(views[-1], loop)) is None:
        if views[-1] is loop:
            return None
        views.append(views[-1].operands[0])
    for one in reversed(views[:-1]):
        cuts = cuts_of(one, 1, cut)
        if cuts is None or cuts[0] is None:
            row = _row(one) if (cut.axis, cut.rows) == (0, 1) else None
            return None if row is None else (one, row + cut.first)
        cut = cuts[0]
    return None


def _row(view: Node) -> int | None:
    """The place of the first axis that a view takes, if it takes all of the other axes."""
    index = view.op.index if isinstance(view.op, Slice) else ()
    whole = bool(index) and index[1:] == full_index(view.operands[0].shape)[1:]
    return index[0] if whole and isinstance(index[0], int) else None
