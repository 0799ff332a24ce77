"""Loops over time, as Python. What each step reads and writes is bound once, as a list of views, and then unpacked.

rnn_steps = list(zip(a, h[0:28], h[1:29]))

def rnn():
    for a_t, h_1, h_t in rnn_steps:
        ...
"""

from __future__ import annotations

from collections.abc import Iterator

from graphad.backend.numpy_names import Names, identifier
from graphad.backend.numpy_statements import (
    Line,
    buffer_line,
    constant_line,
    lines,
    named_constants,
    statement,
    view_text,
)
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.loop import Earlier, Element, Loop, Whole
from graphad.schedule.program import Program


class LoopWriter:
    """Writes one loop: its ``declarations``, and its ``function``, whose name is ``name``."""

    def __init__(self, node: Node, outer: Program, names: Names) -> None:
        if not isinstance(node.op, Loop):
            raise TypeError(f"{node!r} is no loop")
        self.node, self.loop, self.names = node, node.op, names
        self.body = outer.bodies[node]
        self.scratch = outer.memory.scratch_offsets.get(node, 0)
        scope = self.body.statements[-1].origin.scope
        cell = "loop" if scope is None else identifier(scope.name)
        self.name = names.fresh(f"{cell}_{'backward' if self.loop.reverse else 'forward'}")
        self.steps = names.fresh(f"{self.name}_steps")
        self.records = [names.fresh(f"{names[output]}_all") for output in self.body.graph.outputs]
        self.moving: dict[Node, str] = {}

    def declarations(self) -> list[Line]:
        """The loop's records, its own places in the arena, its views, and the list of what each step unpacks."""
        found = [self._record_line(number, name) for number, name in enumerate(self.records)]
        for node, read in zip(self.body.graph.inputs, self.loop.reads, strict=True):
            if isinstance(read, Whole):
                self.names.alias(node, self.names[self.node.operands[read.operand]])
        offsets = self.body.memory.offsets
        found += [constant_line(self.names[node], op) for node, op in named_constants(self.body)]
        found += [buffer_line(self.names[node], self.scratch + offset, node.type) for node, offset in offsets.items()]
        self.moving = dict(self._moving())
        found += [self._view_line(node) for node in self.body.views if node not in self.moving]
        direction = "[::-1]" if self.loop.reverse else ""
        found += lines(f"{self.steps} = list(zip({', '.join(self.moving.values())})){direction}")
        return found

    def _record_line(self, number: int, name: str) -> Line:
        span = self.loop.span(number).as_slice()
        whole = f"{self.names[self.node]}[{span.start}:{span.stop}]"
        return Line(f"{name} = {whole}.reshape({self.loop.stacked_shape(number)})")

    def _view_line(self, node: Node) -> Line:
        operand = node.operands[0]
        return Line(f"{self.names[node]} = {view_text(node.op, operand.type, self.names[operand])}")

    def _moving(self) -> Iterator[tuple[Node, str]]:
        """What is another array at each step: inputs, outputs, and the views of them."""
        found: dict[Node, str] = {}
        for node, read in zip(self.body.graph.inputs, self.loop.reads, strict=True):
            if isinstance(read, Element):
                found[node] = self._elements(self.names[self.node.operands[read.operand]], node.type)
            elif isinstance(read, Earlier):
                found[node] = self._elements(self._slots(read.record, read.lag), node.type)
        for number, node in enumerate(self.body.graph.outputs):
            found[node] = self._elements(self._slots(number, 0), node.type)
        yield from found.items()
        for node in self.body.views:
            operand = node.operands[0]
            if operand in found:
                found[node] = f"[{view_text(node.op, operand.type, 'each')} for each in {found[operand]}]"
                yield node, found[node]

    def _slots(self, record: int, lag: int) -> str:
        start = lag if self.loop.reverse else self.loop.records[record].padding - lag
        return f"{self.records[record]}[{start}:{start + self.loop.steps}]"

    @staticmethod
    def _elements(stacked: str, element: TensorType) -> str:
        """numpy gives arrays for the elements of an array of arrays, but numbers for those of an array of numbers."""
        return stacked if element.ndim else f"[each.reshape(()) for each in {stacked}.reshape(-1, 1)]"

    def function(self) -> list[Line]:
        """The loop."""
        found = [*lines("", "", f"def {self.name}():"), *(line.indented() for line in self._initial())]
        unpacked = ", ".join(self.names[node] for node in self.moving)
        comma = "," if len(self.moving) == 1 else ""
        found.append(Line(f"    for {unpacked}{comma} in {self.steps}:"))
        return found + [statement(node, self.names).indented().indented() for node in self.body.statements]

    def _initial(self) -> Iterator[Line]:
        for number, record in enumerate(self.loop.records):
            for lag, operand in record.initial:
                slot = self.loop.initial_slot(number, lag)
                yield Line(f"np.copyto({self.records[number]}[{slot}, ...], {self.names[self.node.operands[operand]]})")
