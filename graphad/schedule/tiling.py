"""A loop over time that is run in tiles of a few steps, and how what it reads and writes is cut along time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from graphad.ir.cut import Cut, Cuts
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType, known
from graphad.ops.loop import Record, loop_of
from graphad.ops.slicing import Slice


@dataclass(frozen=True, eq=False)
class Tiling:
    """A loop that is run tile by tile, with the statements that go ``before`` and ``after`` its steps in each tile.

    ``length``: the steps of a tile; the last may have fewer. ``times``: all steps; 0 is the loop's first iteration, in
    the order of time, and initial values may lie outside of its iterations. ``cuts``: how what the statements and the
    loop read and write is cut; None for what is read whole. ``local``: the values of which only a tile is held, and the
    bytes of that.

    ``repeated_by``: the loop on whose way back each tile is run again, so that its states need not be kept; ``ends``:
    the views that show one of the last steps to others; ``ahead``: how many of the steps behind a tile the way back
    reads of each record. ``repeats``: for that other loop, this one.
    """

    loop: Node
    before: tuple[Node, ...]
    after: tuple[Node, ...]
    length: int
    times: range
    cuts: Mapping[Node, Cut | None]
    local: Mapping[Node, int]
    repeated_by: Node | None = None
    ends: tuple[Node, ...] = ()
    ahead: tuple[int, ...] = ()
    repeats: Node | None = None

    @property
    def statements(self) -> tuple[Node, ...]:
        """All of them, in order."""
        return (*self.before, self.loop, *self.after)

    @property
    def sums(self) -> tuple[Node, ...]:
        """The statements whose results are sums over all tiles."""
        return tuple(node for node in self.after if self.cuts[node] is None)

    @property
    def count(self) -> int:
        """The number of tiles."""
        return -(-len(self.times) // self.length)

    def loop_arrays(self) -> list[TensorType]:
        """What is held of a local loop: a tile of each record, with initial values; if tiles are repeated, also the
        values before each tile of records that have initial ones, and the last steps that others read.
        """
        records = loop_of(self.loop).records
        if self.repeated_by is None:
            return [_rows(record, self.length + record.padding) for record in records]
        pairs = zip(records, self.ahead, strict=True)
        found = [_rows(record, self.length + record.padding + ahead) for record, ahead in pairs]
        found += [_rows(record, self.count * record.padding) for record in records if record.padding]
        return found + [end.type for end in self.ends]

    def end_offsets(self) -> Iterator[tuple[Node, int]]:
        """Where in the loop's memory the last steps lie that others read."""
        arrays = self.loop_arrays()
        offset = sum(array.nbytes for array in arrays[: len(arrays) - len(self.ends)])
        for end in self.ends:
            yield end, offset
            offset += end.type.nbytes


def _rows(record: Record, count: int) -> TensorType:
    return TensorType.of((count, *record.type.static_shape), record.type.dtype)


def cuts_of(node: Node, place: int, cut: Cut) -> Cuts | None:
    """How a node's result and operands are cut, if the one at ``place`` is cut so."""
    return node.op.cut(place, cut, node.type, *(operand.type for operand in node.operands))


def cut_of_view(view: Node, known: Callable[[Node], Cut | None]) -> Cut | None:
    """How a view is cut, if it is known of a node that it is a view of. What is repeated is not: how often, differs."""
    views: list[Node] = []
    while (cut := known(view)) is None and is_view(view):
        views.append(view)
        view = view.operands[0]
    for one in reversed(views):
        cuts = None if cut is None or one.op.traits.broadcast else cuts_of(one, 1, cut)
        cut = None if cuts is None else cuts[0]
    return cut


def is_view(node: Node) -> bool:
    """Whether a node may be a view of its first operand."""
    return bool(node.operands) and (node.op.traits.view or node.op.traits.contiguous_view)


def record_number(view: Node, loop: Node) -> int | None:
    """Which record of a loop a view shows, flat; a loop's only record is all of its value."""
    op = loop_of(loop)
    if view is loop:
        return 0 if len(op.records) == 1 else None
    if not view.operands or view.operands[0] is not loop:
        return None
    return next((i for i in range(len(op.records)) if view.op == Slice((op.span(i),))), None)


def record_cut(view: Node, loop: Node) -> Cut | None:
    """How a record of a loop is cut, as it lies flat in the loop's value: initial values stand before the first
    iteration, or behind the last if the loop runs backward.
    """
    number, op = record_number(view, loop), loop_of(loop)
    if number is None:
        return None
    record = op.records[number]
    return Cut(0, known(record.type.size), 0 if op.reverse else -record.padding)
