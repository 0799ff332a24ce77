"""Loops that are run tile by tile, as Python: what is done for a few steps at once, their recurrence, and sums.

def rnn_tile(start, stop):
    x_tile = x[start:stop]
    ...
    return x_tile, a, list(zip(a, h[start:stop], h[start + 1 : stop + 1]))

rnn_tiles = [rnn_tile(start, min(start + 7, 784)) for start in range(0, 784, 7)]

def rnn():
    for x_tile, a, rnn_steps in rnn_tiles:
        x_tile.dot(U, a)
        for a_t, h_1, h_t in rnn_steps:
            ...
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import starmap

from graphad.backend.numpy_loops import LoopWriter
from graphad.backend.numpy_names import Names
from graphad.backend.numpy_statements import Line, buffer_line, lines, statement, view_text
from graphad.ir.cut import Cut
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.loop import Element
from graphad.ops.slicing import Slice, Span
from graphad.ops.structure import Reshape
from graphad.schedule.program import Program
from graphad.schedule.tiles import cuts_of, is_record, record_cuts
from graphad.schedule.views import read

Bounds = tuple[str, str]
"""What the first step of a tile is called where it is bound, and the one behind its last."""


class TileWriter(LoopWriter):
    """Writes a loop with the statements around it, tile by tile.

    ``own``: the places of local values, which hold a tile. ``shown``: what each tile is unpacked into.
    """

    def __init__(self, node: Node, outer: Program, names: Names) -> None:
        super().__init__(node, outer, names)
        self.tiling, self.outer = outer.tilings[node], outer
        self.is_local = node in self.tiling.local
        self.whole_records, self.records = self.records, [names.fresh(f"{name}_tile") for name in self.records]
        self.tiles = names.fresh(f"{self.name}_tiles")
        self.bind = names.fresh(f"{self.name}_tile")
        self.overwritten = {one: under for one, under in outer.memory.overwritten.items() if one in self.tiling.local}
        own = (one for one in self.tiling.local if one is not node and one not in self.overwritten)
        self.own = {one: names.fresh(f"{names[one]}_tile") for one in own}
        self.parts = {one: names.fresh(f"{names[one]}_part") for one in self.tiling.sums}
        self.cut_names = {one: self._cut_name(one) for one in (*self._shown(), *self._elements_read())}
        carried = (record.padding and self.is_local for record in self.loop.records)
        self.carried = {n: names.fresh(f"{self.records[n]}_end") for n, carries in enumerate(carried) if carries}

    def _cut_name(self, node: Node) -> str:
        return self.names[node] if node in self.tiling.local else self.names.fresh(f"{self.names[node]}_tile")

    def _shown(self) -> Iterator[Node]:
        for one in (*self.tiling.before, *self.tiling.after):
            values = (*(read(one, operand) for operand in one.operands), one)
            yield from (value for value in values if self.tiling.cuts[value] is not None)

    def _elements_read(self) -> Iterator[Node]:
        yield from (self.node.operands[one.operand] for one in self.loop.reads if isinstance(one, Element))

    @cached_property
    def inside(self) -> Names:
        """The names of things in a tile."""
        return self.names.renamed(self.cut_names)

    def operand_text(self, operand: Node) -> str:
        """What holds a tile of the operand."""
        return self.cut_names[operand]

    def declarations(self) -> list[Line]:
        """Records or windows on them, places of tiles, and the list of what each tile unpacks."""
        times, length = self.tiling.times, self.tiling.length
        records = self._windows() if self.is_local else starmap(self._record_line, enumerate(self.whole_records))
        starts = f"range({times.start}, {times.stop}, {length})"
        direction = "[::-1]" if self.loop.reverse else ""
        each = f"{self.bind}(start, min(start + {length}, {times.stop}))"
        return [
            *records,
            *self.places(),
            *(self._own_line(node, name) for node, name in self.own.items()),
            *(buffer_line(name, self._offset(node), node.type) for node, name in self.parts.items()),
            *self._binding(),
            *lines("", "", f"{self.tiles} = [{each} for start in {starts}]{direction}"),
        ]

    def _offset(self, node: Node) -> int:
        (offset,) = self.outer.memory.scratch_offsets[node]
        return offset

    def _windows(self) -> Iterator[Line]:
        """The places of a tile's records, with what the tile before has left at their beginning or their end."""
        offset = self.outer.memory.offsets[self.node]
        for number, (name, record) in enumerate(zip(self.whole_records, self.loop.records, strict=True)):
            type = TensorType.of((self.tiling.length + record.padding, *record.type.static_shape), record.type.dtype)
            yield buffer_line(name, offset, type)
            offset += type.nbytes
            if number in self.carried:
                yield Line(f"{self._begin(number)} = {name}[{self._initial_span(number)}]")

    def _begin(self, number: int) -> str:
        return f"{self.whole_records[number]}_begin"

    def _initial_span(self, number: int) -> str:
        return f"{self.tiling.length}:" if self.loop.reverse else f":{self.loop.records[number].padding}"

    def _own_line(self, node: Node, name: str) -> Line:
        cut = self._cut(node)
        shape = (self.tiling.length * cut.rows, *node.type.static_shape[1:])
        return buffer_line(name, self.outer.memory.offsets[node], TensorType.of(shape, node.dtype))

    def _cut(self, node: Node) -> Cut:
        cut = self.tiling.cuts[node]
        if cut is None:
            raise TypeError(f"{node!r} is read whole")
        return cut

    def _binding(self) -> list[Line]:
        """The function that makes the views of one tile."""
        begin, end = self._bounds(range(self.loop.steps))
        both = [f"{begin}, {end} = max(start, 0), min(stop, {self.loop.steps})"] if begin == "begin" else []
        records = [f"{name} = {self._record_text(number)}" for number, name in enumerate(self.records)]
        views = [f"{name} = {self._tile_text(node)}" for node, name in self.cut_names.items()]
        ends = [f"{name} = {self._end_text(number)}" for number, name in self.carried.items()]
        steps = [f"{self.steps} = {self.steps_text(f'{end} - {begin}')}"]
        body = lines(*both, *records, *views, *ends, *steps, f"return {', '.join(self._unpacked())}")
        title = '"""What the steps from ``start`` to ``stop`` - 1 read and write."""'
        return [*lines("", "", f"def {self.bind}(start, stop):", f"    {title}"), *(line.indented() for line in body)]

    def _unpacked(self) -> list[str]:
        shown = [self.cut_names[node] for node in dict.fromkeys(self._shown())]
        return [*shown, *self.carried.values(), self.steps]

    def _bounds(self, times: range) -> Bounds:
        """A tile's first step, and the one behind its last, among these."""
        return ("start", "stop") if times == self.tiling.times else ("begin", "end")

    def _record_text(self, number: int) -> str:
        begin, end = self._bounds(range(self.loop.steps))
        name, padding = self.whole_records[number], self.loop.records[number].padding
        if not self.is_local:
            return f"{name}[{begin}:{end} + {padding}]" if padding else f"{name}[{begin}:{end}]"
        if self.loop.reverse:
            return f"{name}[{self.tiling.length} - {end} + {begin}:]"
        return f"{name}[: {end} - {begin} + {padding}]"

    def _end_text(self, number: int) -> str:
        """What the next tile finds of a record before its time."""
        padding = self.loop.records[number].padding
        return f"{self.records[number]}[:{padding}]" if self.loop.reverse else f"{self.records[number]}[-{padding}:]"

    def _tile_text(self, node: Node) -> str:
        """The view of a value that shows a tile of it."""
        cut, root = self._cut(node), self.outer.roots[node]
        bounds = self._bounds(cut.times(node.type))
        if node in self.own or node in self.overwritten:
            return self._own_text(node, bounds)
        if root not in self.tiling.local:
            first, last = (_scaled(bound, cut) for bound in bounds)
            return f"{self.names[node]}[{':, ' * cut.axis}{first}:{last}]"
        return self._local_text(node, bounds)

    def _local_text(self, node: Node, bounds: Bounds) -> str:
        """A view of what is held for one tile only: the same views that would be made of the whole."""
        views: list[Node] = []
        while (record := self._record_number(node)) is None and node is not self.outer.roots[node]:
            views.append(node)
            node = node.operands[0]
        part = (self.cut_names[node], self._cut(node)) if record is None else self._part_of_record(record, bounds)
        text, cut = part
        for view in reversed(views):
            text, cut = _viewed(view, text, cut)
        return text

    def _record_number(self, node: Node) -> int | None:
        if self.outer.roots[node] is not self.node:
            return None
        return next((i for i in range(len(self.records)) if is_record(node, self.node, i)), None)

    def _own_text(self, node: Node, bounds: Bounds) -> str:
        """As much of a local value's place as this tile needs, or what it overwrites."""
        if node in self.overwritten:
            return self.cut_names[self.overwritten[node]]
        count, rows = f"{bounds[1]} - {bounds[0]}", self._cut(node).rows
        return f"{self.own[node]}[:{count}]" if rows == 1 else f"{self.own[node]}[:({count}) * {rows}]"

    def _part_of_record(self, number: int, bounds: Bounds) -> tuple[str, Cut]:
        """The steps of a tile, flat; among them may be initial values, which lie beyond the loop's own iterations."""
        name, padding = self.records[number], self.loop.records[number].padding
        own = self._bounds(range(self.loop.steps))
        behind = f"{padding}:" if bounds == own else f"{bounds[0]} - {own[0]} + {padding}:"
        part = f"{name}[:{bounds[1]} - {bounds[0]}]" if self.loop.reverse else f"{name}[{behind}]"
        return f"{part}.reshape(-1)", tuple(record_cuts(self.node))[number]

    def function(self) -> list[Line]:
        """The loop over tiles."""
        fills = lines(*(f"{self.names[node]}.fill(0)" for node in self.parts))
        head = Line(f"for {', '.join(self._unpacked())} in {self.tiles}:")
        inside = [
            *(self._statement(node) for node in self.tiling.before),
            *self.recurrence(self.steps),
            *(line for node in self.tiling.after for line in self._after(node)),
            *lines(*(f"np.copyto({self._begin(number)}, {name})" for number, name in self.carried.items())),
        ]
        if len(self._unpacked()) == 1:
            head = Line(f"for {self.steps}, in {self.tiles}:")
        body = [*self.initial(self.whole_records), *fills, head, *(line.indented() for line in inside)]
        return [*lines("", "", f"def {self.name}():"), *(line.indented() for line in body)]

    def _statement(self, node: Node) -> Line:
        return statement(node, self.inside)._replace(times=self.tiling.count)

    def _after(self, node: Node) -> Iterator[Line]:
        """A statement after the steps; a sum's result is the tile's part of it."""
        if node not in self.parts:
            yield self._statement(node)
            return
        part, total = self.parts[node], self.names[node]
        yield statement(node, self.inside.renamed({node: part}))._replace(times=self.tiling.count)
        yield Line(f"np.add({total}, {part}, {total})")

    def initial_slot(self, number: int, lag: int) -> int:
        """In a window, values from before the first iteration stand where every tile finds those of the one before."""
        if self.is_local and self.loop.reverse:
            return self.tiling.length - 1 + lag
        return super().initial_slot(number, lag)


def _scaled(bound: str, cut: Cut) -> str:
    """Where a step begins along the axis that is cut."""
    place = bound if cut.first == 0 else f"{bound} {'-' if cut.first > 0 else '+'} {abs(cut.first)}"
    if cut.rows == 1:
        return place
    return f"{place} * {cut.rows}" if cut.first == 0 else f"({place}) * {cut.rows}"


def _viewed(view: Node, text: str, cut: Cut) -> tuple[str, Cut]:
    """The view made of a tile, and how it is cut."""
    operand = view.operands[0].type
    cuts = cuts_of(view, 1, cut)
    if cuts is None or cuts[0] is None:
        raise TypeError(f"{view!r} shows no tile")
    op, after = view.op, cuts[0]
    if isinstance(op, Slice):
        whole = Span(0, operand.static_shape[cut.axis])
        op = Slice((*op.index[: cut.axis], whole, *op.index[cut.axis + 1 :]))
    if isinstance(op, Reshape):
        op = Reshape(tuple(-1 if axis == after.axis else size for axis, size in enumerate(op.shape)))
    return view_text(op, operand, text), after
