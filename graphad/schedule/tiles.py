"""Loops over time, and the work around them, done for a few steps at once: tiles whose arrays stay in the cache.

What does not wait for the past is done for all steps in one stroke. Where that makes arrays that are larger than a
cache, they would travel to memory and back. So a loop takes with it what only it reads, and what reads it to sum over
time, and all of that is done tile by tile; of what nobody else reads, no more than a tile is ever held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphad.ir.cut import Cut, exceeds_cache
from graphad.ir.node import Node
from graphad.ops.loop import Element, Loop, Whole, loop_of
from graphad.schedule.tiling import Tiling, cut_of_view, cuts_of, record_cut
from graphad.schedule.views import read

TILE_BYTES = 2**19
"""Bytes of the largest array of a tile; several live at once."""
FEWEST_STEPS = 4
"""Of a tile: below, products are too small, and each is called too often."""


@dataclass(frozen=True)
class Tiles:
    """How loops are tiled: ``length`` steps at once (None: as many as fit into a cache, and only if all do not); and
    whether states are kept between tiles only, and tiles run again on the way back.
    """

    length: int | None = None
    repeated: bool = False


IN_CACHE = Tiles()


Readers = Mapping[Node, Sequence[Node | None]]
"""For each value in memory, the statements that read it or a view of it; and None, if it is a result."""
Reads = dict[Node, Cut | None]
"""How the operands that a statement reads are cut, and its result."""


def readers_of(statements: Iterable[Node], roots: Mapping[Node, Node], outputs: Iterable[Node]) -> Readers:
    """Who reads each value in memory."""
    readers: dict[Node, list[Node | None]] = {}
    for node in statements:
        for operand in node.operands:
            readers.setdefault(roots[operand], []).append(node)
    for output in outputs:
        readers.setdefault(roots[output], []).append(None)
    return readers


def tiled(
    statements: Sequence[Node], roots: Mapping[Node, Node], readers: Readers, how: Tiles
) -> tuple[tuple[Node, ...], dict[Node, Tiling]]:
    """The statements in an order in which those of a tiling stand together, and the tilings by loop."""
    ordered, found = tuple(statements), {}
    read_or_made = (value for node in statements for value in (node, *node.operands))
    if not (how.repeated or any(exceeds_cache(value.type.nbytes) for value in read_or_made)):
        return ordered, {}
    for loop in [node for node in statements if isinstance(node.op, Loop)]:
        tiling = _Search(loop, ordered, roots, readers, how).tiling()
        if tiling is not None:
            ordered, found[loop] = _together(ordered, tiling), tiling
    return ordered, found


def _together(statements: Sequence[Node], tiling: Tiling) -> tuple[Node, ...]:
    """The statements, those of the tiling around its loop."""
    apart = {*tiling.before, *tiling.after}
    around = {tiling.loop: tiling.statements}
    return tuple(one for node in statements if node not in apart for one in around.get(node, (node,)))


@dataclass(eq=False)
class _Search:
    """The search for what a loop takes with it. ``members``: what was found, and how each of them reads and is cut."""

    loop: Node
    statements: Sequence[Node]
    roots: Mapping[Node, Node]
    readers: Readers
    how: Tiles
    members: dict[Node, Reads] = field(default_factory=dict)
    cuts: Reads = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number = {node: number for number, node in enumerate(self.statements)}
        self.times = range(loop_of(self.loop).steps)

    def tiling(self) -> Tiling | None:
        """The tiling; None if there is nothing to take along, or nothing that is too large."""
        elements = self._elements()
        if elements is None:
            return None
        self._add(self.loop, elements)
        self._find_before()
        self._find_after()
        self._leave_what_others_read()
        length = self._length()
        alone = len(self.members) == 1 and not self.how.repeated
        return None if length is None or alone else self._of_length(length)

    def _of_length(self, length: int) -> Tiling:
        place = self.number[self.loop]
        ordered = sorted(self.members, key=self.number.__getitem__)
        before, after = (tuple(node for node in ordered if (self.number[node] - place) * way > 0) for way in (-1, 1))
        cuts = {node: cut for reads in self.members.values() for node, cut in reads.items()}
        sums = {node for node in after if cuts[node] is None}
        local = [node for node in ordered if node not in sums and self._is_read_by_members(node)]
        found = Tiling(self.loop, before, after, length, self.times, cuts, {})
        return replace(found, local={node: _tile_bytes(node, found) for node in local})

    def _length(self) -> int | None:
        """The steps of a tile; None if all steps are small enough to be done at once."""
        every = [(node, cut) for reads in self.members.values() for node, cut in reads.items() if cut is not None]
        largest = max((node.type.nbytes // len(cut.times(node.type)) for node, cut in every), default=0)
        least = max(FEWEST_STEPS, 1 + len(self.times) - loop_of(self.loop).steps)
        length = max(least, self.how.length or TILE_BYTES // max(1, largest))
        needed = self.how.repeated or exceeds_cache(largest * len(self.times))
        return length if needed and length < len(self.times) else None

    def _add(self, member: Node, reads: Reads) -> None:
        self.members[member] = reads
        self.cuts.update(reads)

    def _elements(self) -> Reads | None:
        """What the loop reads step by step, and what it reads whole; None if it reads something in both ways."""
        loop, operands = loop_of(self.loop), self.loop.operands
        stacked = {operands[one.operand] for one in loop.reads if isinstance(one, Element)}
        whole = {operands[one.operand] for one in loop.reads if isinstance(one, Whole)}
        whole |= {operands[number] for record in loop.records for _, number in record.initial}
        if stacked & whole:
            return None
        return {node: Cut(0, 1, 0) if node in stacked else None for node in operands}

    def _find_before(self) -> None:
        """What only members read, from the loop upward."""
        for node in reversed(self.statements[: self.number[self.loop]]):
            cut = self._cut_as_read(node) if self._is_read_by_members(node) else None
            reads = None if cut is None else self._reads(node, 0, cut)
            if reads is not None and self._agrees(reads):
                self._add(node, reads)

    def _cut_as_read(self, node: Node) -> Cut | None:
        """How a statement's result is cut, if its views are cut as members read them; None if that can't be."""
        found = {self._cut_of_root(view) for view in self.cuts if self.roots[view] is node}
        cut = found.pop() if len(found) == 1 else None
        return cut if cut is not None and cut.axis == 0 and cut.times(node.type) == self.times else None

    def _cut_of_root(self, view: Node) -> Cut | None:
        cut, root = self.cuts[view], self.roots[view]
        while cut is not None and view is not root:
            cuts = None if view.op.traits.broadcast else cuts_of(view, 0, cut)  # how often depends on the tile
            cut, view = (None if cuts is None else cuts[1]), view.operands[0]
        return cut

    def _find_after(self) -> None:
        """What reads members and sums over time, or is read by members again, from the loop downward."""
        for node in self.statements[self.number[self.loop] + 1 :]:
            place = next((i for i, x in enumerate(node.operands) if self.roots[x] in self.members), None)
            cut = None if place is None else self._cut_of_view(node.operands[place])
            reads = None if place is None or cut is None else self._reads(node, place + 1, cut)
            if reads is not None and self._agrees(reads) and self._is_in_order(node, reads) and self._covers(reads):
                self._add(node, reads)

    def _cut_of_view(self, view: Node) -> Cut | None:
        """How a view of a member's result is cut."""
        return cut_of_view(view, self._cut_of_value)

    def _cut_of_value(self, node: Node) -> Cut | None:
        """The cut of a member's result, and of the part of the loop's flat array that is a record."""
        return self.cuts.get(node) if self.roots[node] is not self.loop else record_cut(node, self.loop)

    def _is_in_order(self, node: Node, reads: Reads) -> bool:
        """Whether all that a statement reads is there when a tile of the loop has run."""
        for operand, cut in reads.items():
            root = self.roots[operand]
            if operand is node:
                continue
            if root in self.members:
                if cut is None or cut != self._cut_of_view(operand):
                    return False
            elif self.number.get(root, -1) > self.number[self.loop]:
                return False
        return True

    def _covers(self, reads: Reads) -> bool:
        """Whether a statement is about all iterations of the loop, and of initial values about what others are."""
        steps = range(loop_of(self.loop).steps)
        for node, cut in reads.items():
            times = self.times if cut is None else cut.times(node.type)
            if times not in (steps, self.times):
                if self.times != steps or times.start > 0 or times.stop < len(steps):
                    return False
                self.times = times
        return True

    def _leave_what_others_read(self) -> None:
        """Drop members after the loop whose results are neither sums nor read by members alone, until all are."""
        place, size = self.number[self.loop], 0
        while size != len(self.members):
            size = len(self.members)
            for node in [node for node in self.members if self.number[node] > place]:
                is_sum = self.members[node][node] is None
                later = [self.roots[x] for x in node.operands if self.number.get(self.roots[x], -1) > place]
                if not (is_sum or self._is_read_by_members(node)) or not self.members.keys() >= set(later):
                    del self.members[node]

    def _reads(self, node: Node, place: int, cut: Cut) -> Reads | None:
        """How a statement's result and what it reads are cut, if one of them is cut so."""
        cuts = None if node.op.scratch(*(x.type for x in node.operands)) else cuts_of(node, place, cut)
        if cuts is None or (cuts[0] is not None and cuts[0].axis != 0):
            return None
        found: Reads = {node: cuts[0]}
        for one, own in (_as_read(node, *pair) for pair in zip(node.operands, cuts[1:], strict=True)):
            if found.setdefault(one, own) != own:
                return None
        return found

    def _agrees(self, reads: Reads) -> bool:
        """Whether other members read what it reads cut alike."""
        return all(self.cuts.get(node, cut) == cut for node, cut in reads.items())

    def _is_read_by_members(self, node: Node) -> bool:
        readers = self.readers.get(node, ())
        return bool(readers) and all(reader in self.members for reader in readers)


def _tile_bytes(node: Node, tiling: Tiling) -> int:
    """The bytes of a tile of a statement's result, or of what is held of the loop."""
    cut = tiling.cuts.get(node)
    if node is not tiling.loop and cut is not None:
        return tiling.length * node.type.nbytes // len(cut.times(node.type))
    return sum(array.nbytes for array in tiling.loop_arrays())


def _as_read(reader: Node, operand: Node, cut: Cut | None) -> tuple[Node, Cut | None]:
    """What is read for an operand that is cut so, and how it is cut."""
    wanted = read(reader, operand)
    while operand is not wanted:
        cuts = None if cut is None else cuts_of(operand, 0, cut)
        operand, cut = operand.operands[0], None if cuts is None else cuts[1]
    return wanted, cut
