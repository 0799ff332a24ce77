"""Loops that are run tile by tile, as Python: what is done for a few steps at once, their recurrence, and sums.

rnn_tiles = [rnn_tile(start, min(start + 7, 784)) for start in range(0, 784, 7)]

def rnn():
    for tile in rnn_tiles:
        x_tile, a, rnn_steps = tile
        x_tile.dot(U, a)
        for a_t, h_1, h_t in rnn_steps:
            ...
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import starmap

from graphad.backend.numpy_loops import LoopWriter
from graphad.backend.numpy_names import Names
from graphad.backend.numpy_statements import Line, buffer_line, lines, statement
from graphad.backend.numpy_tile_binding import TileBinding, unpacking
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.schedule.program import Program
from graphad.schedule.repetition import step_shown
from graphad.schedule.tiling import record_number


class TileWriter(TileBinding):
    """Writes a loop with the statements around it, tile by tile."""

    def __init__(self, node: Node, outer: Program, names: Names, repeated: LoopWriter | None) -> None:
        self.again = repeated if isinstance(repeated, TileWriter) else None
        super().__init__(node, outer, names, self.again)
        self.tiles = names.fresh(f"{self.name}_tiles")
        self.run = names.fresh(f"{self.name}_through_tile")

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
            *self.binding(),
            *lines("", "", f"{self.tiles} = [{each} for start in {starts}]{direction}"),
        ]

    def _offset(self, node: Node) -> int:
        (offset,) = self.outer.memory.scratch_offsets[node]
        return offset

    def _windows(self) -> Iterator[Line]:
        """The places of a tile's records, with what the tile before has left at their beginning or their end; and of
        what is kept of each tile for its repetition.
        """
        offset = self.outer.memory.offsets[self.node]
        names = [*self.whole_records, *self.kept.values()]
        for name, array in zip(names, self.tiling.loop_arrays(), strict=False):  # the ends are declared already
            yield buffer_line(name, offset, array)
            offset += array.nbytes
        for number in self.carried:
            yield Line(f"{self._begin(number)} = {self.whole_records[number]}[{self._initial_span(number)}]")
        for number, name in self.ahead.items():
            begin, steps = self.loop.records[number].padding, self.tiling.ahead[number]
            whole = self.whole_records[number]
            yield Line(f"{name} = {whole}[{begin + self.tiling.length}:], {whole}[{begin}:{begin + steps}]")

    def _begin(self, number: int) -> str:
        return f"{self.whole_records[number]}_begin"

    def _initial_span(self, number: int) -> str:
        return f"{self.tiling.length}:" if self.loop.reverse else f":{self.loop.records[number].padding}"

    def _own_line(self, node: Node, name: str) -> Line:
        cut = self._cut(node)
        shape = (self.tiling.length * cut.rows, *node.type.static_shape[1:])
        return buffer_line(name, self.outer.memory.offsets[node], TensorType.of(shape, node.dtype))

    def function(self) -> list[Line]:
        """The loop over tiles; what is run again has a function of its own."""
        fills = lines(*(f"{self.names[node]}.fill(0)" for node in self.parts))
        tiles = [*self._heads(), *(line.indented() for line in self._tile())]
        body = [*self.initial(self.whole_records), *fills, *tiles, *lines(*self._ends())]
        through = self._function(f"{self.run}({', '.join(self._run_names())})", self._through())
        return [*(through if self.is_repeated else []), *self._function(f"{self.name}()", body)]

    @staticmethod
    def _function(head: str, body: list[Line]) -> list[Line]:
        return [*lines("", "", f"def {head}:"), *(line.indented() for line in body)]

    def _heads(self) -> list[Line]:
        """The loop over tiles, and what each unpacks."""
        if self.again is None:
            return lines(f"for tile in {self.tiles}:", *map("    {}".format, unpacking(self.unpacked(), "tile")))
        pairs = f"zip({self.again.tiles}[{self.tiling.count - 1}::-1], {self.tiles})"
        both = [*unpacking(self.again.unpacked(), "again"), *unpacking(self.unpacked(), "tile")]
        return lines(f"for again, tile in {pairs}:", *map("    {}".format, both))

    def _tile(self) -> list[Line]:
        """What is done for each tile."""
        again = [] if self.again is None else self.again.run_again()
        keeps = lines(*(f"np.copyto({name}, {self._begin(n)})" for n, name in self.kept_of_tile.items()))
        through = lines(f"{self.run}({', '.join(self._run_names())})") if self.is_repeated else self._through()
        after = [line for node in self.tiling.after for line in self._after(node)]
        carries = lines(*(f"np.copyto({self._begin(number)}, {name})" for number, name in self.carried.items()))
        return [*again, *keeps, *through, *after, *carries]

    def _run_names(self) -> list[str]:
        return [*(self.cut_names[node] for node in dict.fromkeys(self._shown())), self.steps]

    def _through(self) -> list[Line]:
        return [*(self._statement(node) for node in self.tiling.before), *self.recurrence(self.steps)]

    def run_again(self) -> list[Line]:
        """Run a tile again, from what was kept from before it; of the tile behind it the first steps are kept."""
        ahead = (f"np.copyto(*{name})" for name in self.ahead.values())
        keeps = (f"np.copyto({self._begin(n)}, {name})" for n, name in self.kept_of_tile.items())
        return lines(*ahead, *keeps, f"{self.run}({', '.join(self._run_names())})")

    def _ends(self) -> Iterator[str]:
        """What others read of the last steps, copied from the last tile."""
        begin = (self.tiling.count - 1) * self.tiling.length
        for end in self.tiling.ends:
            number, shown = self._end_record(end), step_shown(end, self.node)
            if shown is None:
                raise TypeError(f"{end!r} shows no step")
            padding, place = self.loop.records[number].padding, shown[1] - begin
            held = f"{self.whole_records[number]}[{padding + place}]"
            if place < 0:  # before the last tile, and so no longer where its steps began
                held = f"{self.kept[number]}[{self.tiling.count * padding + place}]"
            yield f"np.copyto({self.names[end]}, {held})"

    def _end_record(self, view: Node) -> int:
        while (number := record_number(view, self.node)) is None:
            view = view.operands[0]
        return number

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
