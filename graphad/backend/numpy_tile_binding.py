"""The views of one tile of a loop over time: what is read and written between two of its steps.

def rnn_tile(start, stop):
    x_tile = x[start:stop]
    ...
    return x_tile, a, list(zip(a, h[start:stop], h[start + 1 : stop + 1]))
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from textwrap import wrap

from graphad.backend.numpy_loops import LoopWriter
from graphad.backend.numpy_names import Names
from graphad.backend.numpy_statements import Line, lines, view_text
from graphad.ir.cut import Cut
from graphad.ir.node import Node
from graphad.ir.tensor_type import known
from graphad.ops.loop import Element
from graphad.ops.slicing import Slice, Span, full_index
from graphad.ops.structure import Reshape
from graphad.schedule.program import Program
from graphad.schedule.tiling import cut_of_view, cuts_of, record_cut, record_number
from graphad.schedule.views import read

_WIDTH = 100
Bounds = tuple[str, str]
"""What the first step of a tile is called where it is bound, and the one behind its last."""


class TileBinding(LoopWriter):
    """Names what a tile of a loop reads and writes, and binds it.

    ``own``: the places of local values, which hold a tile. ``repeated``: the loop whose tiles are run again before
    those of this one. ``carried``: what the next tile finds of a record before its time; ``kept``: what is kept of that
    for the repetition; ``ahead``: what a repetition finds of the steps behind it.
    """

    def __init__(self, node: Node, outer: Program, names: Names, repeated: TileBinding | None) -> None:
        self.tiling, self.outer, self.repeated = outer.tilings[node], outer, repeated
        super().__init__(node, outer, names)
        self.is_local = node in self.tiling.local
        self.is_repeated = self.tiling.repeated_by is not None
        self.whole_records, self.records = self.records, [names.fresh(f"{name}_tile") for name in self.records]
        self.bind = names.fresh(f"{self.name}_tile")
        self._name_values()
        self._name_what_goes_on()

    def _name_values(self) -> None:
        names, tiling, overwritten = self.names, self.tiling, self.outer.memory.overwritten
        self.overwritten = {node: under for node, under in overwritten.items() if node in tiling.local}
        own = (node for node in tiling.local if node is not self.node and node not in self.overwritten)
        self.own = {node: names.fresh(f"{names[node]}_tile") for node in own}
        self.parts = {node: names.fresh(f"{names[node]}_part") for node in tiling.sums}
        self.cut_names = {node: self._cut_name(node) for node in (*self._shown(), *self._elements_read())}

    def _name_what_goes_on(self) -> None:
        fresh, records = self.names.fresh, self.loop.records
        carried = [number for number, record in enumerate(records) if record.padding and self.is_local]
        kept = carried if self.is_repeated else []
        self.carried = {n: fresh(f"{self.records[n]}_end") for n in carried}
        self.kept = {n: fresh(f"{self.whole_records[n]}_kept") for n in kept}
        self.kept_of_tile = {n: fresh(f"{self.records[n]}_kept") for n in kept}
        ahead = (n for n, steps in enumerate(self.tiling.ahead) if steps)
        self.ahead = {n: fresh(f"{self.whole_records[n]}_ahead") for n in ahead}

    def scratch_offset(self, outer: Program) -> int:
        """Where the body's own memory begins: behind the records, if they are needed again with it."""
        if self.tiling.repeated_by is None:
            return super().scratch_offset(outer)
        return outer.memory.offsets[self.node] + self.tiling.local[self.node]

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

    def _cut(self, node: Node) -> Cut:
        cut = self.tiling.cuts[node]
        if cut is None:
            raise TypeError(f"{node!r} is read whole")
        return cut

    def binding(self) -> list[Line]:
        """The function that makes the views of one tile."""
        begin, end = self._bounds(range(self.loop.steps))
        clamped = f"{begin}, {end} = (min(max(step, 0), {self.loop.steps}) for step in (start, stop))"
        both = [clamped] if begin == "begin" else []
        records = [f"{name} = {self._record_text(number)}" for number, name in enumerate(self.records)]
        views = [f"{name} = {self._tile_text(node)}" for node, name in self.cut_names.items()]
        ends = [f"{name} = {self._end_text(number)}" for number, name in self.carried.items()]
        kept = [f"{name} = {self._kept_text(number)}" for number, name in self.kept_of_tile.items()]
        steps = [f"{self.steps} = {self.steps_text(f'{end} - {begin}')}"]
        body = lines(*both, *records, *views, *ends, *kept, *steps, *_returning(self.unpacked()))
        title = '"""What the steps from ``start`` to ``stop`` - 1 read and write."""'
        return [*lines("", "", f"def {self.bind}(start, stop):", f"    {title}"), *(line.indented() for line in body)]

    def _kept_text(self, number: int) -> str:
        """What is kept from before a tile."""
        place, padding = f"start // {self.tiling.length}", self.loop.records[number].padding
        first, last = (
            (place, f"{place} + 1") if padding == 1 else (f"{place} * {padding}", f"({place} + 1) * {padding}")
        )
        return f"{self.kept[number]}[{first}:{last}]"

    def unpacked(self) -> list[str]:
        shown = [self.cut_names[node] for node in dict.fromkeys(self._shown())]
        return [*shown, *self.carried.values(), *self.kept_of_tile.values(), self.steps]

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
        if root in self.tiling.local or self._is_of_repeated(root):
            return self._local_text(node, bounds)
        first, last = (_scaled(bound, cut) for bound in bounds)
        return f"{self.names[node]}[{':, ' * cut.axis}{first}:{last}]"

    def _is_of_repeated(self, root: Node) -> bool:
        return self.repeated is not None and root is self.repeated.node

    def _local_text(self, node: Node, bounds: Bounds) -> str:
        """A view of what is held for one tile only: the same views that would be made of the whole."""
        views, wanted = [], node
        while (part := self._part(node, wanted, bounds)) is None:
            views.append(node)
            node = node.operands[0]
        text, cut = part
        if any(isinstance(view.op, Reshape) for view in views):
            text = text.removesuffix(".reshape(-1)")
        for view in reversed(views):
            text, cut = _viewed(view, text, cut)
        return text

    def _part(self, node: Node, wanted: Node, bounds: Bounds) -> tuple[str, Cut] | None:
        """What shows a tile of a value itself, or of a record, of which ``wanted`` is a view; None of other views."""
        root = self.outer.roots[node]
        if root is self.node:
            number = record_number(node, root)
            return None if number is None else self._part_of_record(number, bounds)
        if self.repeated is not None and root is self.repeated.node:
            number = record_number(node, root)
            return None if number is None else self.repeated.part_again(number, self._cut(wanted), wanted, bounds)
        return (self.cut_names[node], self._cut(node)) if node is root else None

    def part_again(self, number: int, theirs: Cut, view: Node, bounds: Bounds) -> tuple[str, Cut]:
        """What a loop that repeats this one's tiles reads of a record: steps of the same tile, or those just before."""
        ours = cut_of_view(view, partial(record_cut, loop=self.node))
        if ours is None:
            raise TypeError(f"{view!r} shows no tile")
        first = self.loop.records[number].padding + ours.first - theirs.first
        stop = f"{bounds[1]} - {bounds[0]}" + (f" + {first}" if first else "")
        return f"{self.whole_records[number]}[{first}:{stop}].reshape(-1)", self._record_cut(number)

    def _record_cut(self, number: int) -> Cut:
        record = self.loop.records[number]
        return Cut(0, known(record.type.size), 0 if self.loop.reverse else -record.padding)

    def _own_text(self, node: Node, bounds: Bounds) -> str:
        """As much of a local value's place as this tile needs, or what it overwrites."""
        if node in self.overwritten:
            return self.cut_names[self.overwritten[node]]
        count, rows = f"{bounds[1]} - {bounds[0]}", self._cut(node).rows
        return f"{self.own[node]}[:{count}]" if rows == 1 else f"{self.own[node]}[:({count}) * {rows}]"

    def _part_of_record(self, number: int, bounds: Bounds) -> tuple[str, Cut]:
        """The steps of a tile, flat; among them may be initial values, which lie beyond the loop's own iterations."""
        own, padding = self._bounds(range(self.loop.steps)), self.loop.records[number].padding
        before = f" + {padding}" if padding and not self.loop.reverse else ""
        first, last = (bound if bounds == own else f"{bound} - {own[0]}" for bound in bounds)
        if bounds == own:
            first, last = "", f"{bounds[1]} - {bounds[0]}"
        part = f"{self.records[number]}[{(first + before).removeprefix(' + ')}:{last}{before}]"
        return f"{part}.reshape(-1)", self._record_cut(number)

    def initial_slot(self, number: int, lag: int) -> int:
        """In a window, values from before the first iteration stand where every tile finds those of the one before."""
        if self.is_local and self.loop.reverse:
            return self.tiling.length - 1 + lag
        return super().initial_slot(number, lag)


def _returning(names: list[str]) -> list[str]:
    """``return a, b``, a tuple."""
    first, *rest = unpacking(names, "")
    if not rest:
        return [f"return {first.removesuffix(' = ')}"]
    return [f"return {first}", *rest[:-1], ")"]


def unpacking(names: list[str], packed: str) -> list[str]:
    """``(a, b) = tile``, in as many lines as it needs."""
    listed = ", ".join(names) + ("," if len(names) == 1 else "")
    if len(listed) <= _WIDTH:
        return [f"{listed} = {packed}"]
    return ["(", *(f"    {line}" for line in wrap(listed, _WIDTH)), f") = {packed}"]


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
        if op.index == full_index(operand.shape):
            return text, after
    if isinstance(op, Reshape):
        op = Reshape(tuple(-1 if axis == after.axis else size for axis, size in enumerate(op.shape)))
    return view_text(op, operand, text), after
