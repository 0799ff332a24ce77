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
    scratch_lines,
    shared_lines,
    statement,
    view_text,
)
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.loop import Earlier, Element, Whole, loop_of
from graphad.schedule.program import Program


class LoopWriter:
    """Writes one loop: its ``declarations``, and its ``function``, whose name is ``name``."""

    def __init__(self, node: Node, outer: Program, names: Names) -> None:
        self.node, self.loop, self.names = node, loop_of(node), names
        self.body = outer.bodies[node]
        self.scratch = self.scratch_offset(outer)
        scope = self.body.statements[-1].origin.scope
        cell = "loop" if scope is None else identifier(scope.name)
        self.name = names.fresh(f"{cell}_{'backward' if self.loop.reverse else 'forward'}")
        self.steps = names.fresh(f"{self.name}_steps")
        self.records = [names.fresh(f"{names[output]}_all") for output in self.body.graph.outputs]
        self.moving: list[Node] = []

    def scratch_offset(self, outer: Program) -> int:
        """Where the body's own memory begins."""
        (offset,) = outer.memory.scratch_offsets[self.node]
        return offset

    def declarations(self) -> list[Line]:
        """The loop's records, its own places in the arena, its views, and the list of what each step unpacks."""
        records = [self._record_line(number, name) for number, name in enumerate(self.records)]
        return [*records, *self.places(), Line(f"{self.steps} = {self.steps_text(str(self.loop.steps))}")]

    def places(self) -> list[Line]:
        """What the body has for itself and is the same at every step: constants, places in the arena, views of them."""
        for node, one in zip(self.body.graph.inputs, self.loop.reads, strict=True):
            if isinstance(one, Whole):
                self.names.alias(node, self.names[self.node.operands[one.operand]])
        self.moving = [node for node, _ in self._moving("")]
        plan = self.body.memory
        places = ((node, offset) for node, offset in plan.offsets.items() if node not in plan.overwritten)
        return [
            *(constant_line(self.names[node], op) for node, op in named_constants(self.body)),
            *(buffer_line(self.names[node], self.scratch + offset, node.type) for node, offset in places),
            *scratch_lines(self.body, self.names, self.scratch),
            *shared_lines(self.body, self.names, set(self.moving)),
        ]

    def _record_line(self, number: int, name: str) -> Line:
        span = self.loop.span(number).as_slice()
        whole = f"{self.names[self.node]}[{span.start}:{span.stop}]"
        return Line(f"{name} = {whole}.reshape({self.loop.stacked_shape(number)})")

    def steps_text(self, count: str) -> str:
        """The list of what each of so many steps unpacks."""
        direction = "[::-1]" if self.loop.reverse else ""
        return f"list(zip({', '.join(text for _, text in self._moving(count))})){direction}"

    def _moving(self, count: str) -> Iterator[tuple[Node, str]]:
        """What is another array at each step: inputs, outputs, and the views of them."""
        found: dict[Node, str] = {}
        for node, one in zip(self.body.graph.inputs, self.loop.reads, strict=True):
            if isinstance(one, Element):
                found[node] = self._elements(self.operand_text(self.node.operands[one.operand]), node.type)
            elif isinstance(one, Earlier):
                found[node] = self._elements(self._slots(one.record, one.lag, count), node.type)
        for number, node in enumerate(self.body.graph.outputs):
            found[node] = self._elements(self._slots(number, 0, count), node.type)
        yield from found.items()
        for node in self.body.views:
            operand = node.operands[0]
            if operand in found:
                found[node] = f"[{view_text(node.op, operand.type, 'each')} for each in {found[operand]}]"
                yield node, found[node]

    def operand_text(self, operand: Node) -> str:
        """What an operand that is read step by step is called where the steps are listed."""
        return self.names[operand]

    def _slots(self, record: int, lag: int, count: str) -> str:
        start = lag if self.loop.reverse else self.loop.records[record].padding - lag
        stop = str(start + int(count)) if count.isdigit() else f"{count} + {start}" if start else count
        return f"{self.records[record]}[{start}:{stop}]"

    @staticmethod
    def _elements(stacked: str, element: TensorType) -> str:
        """numpy gives arrays for the elements of an array of arrays, but numbers for those of an array of numbers."""
        return stacked if element.ndim else f"[each.reshape(()) for each in {stacked}.reshape(-1, 1)]"

    def function(self) -> list[Line]:
        """The loop."""
        head = lines("", "", f"def {self.name}():")
        return [*head, *(line.indented() for line in (*self.initial(self.records), *self.recurrence(self.steps)))]

    def recurrence(self, steps: str) -> list[Line]:
        """The body, for each of the steps."""
        unpacked = ", ".join(self.names[node] for node in self.moving)
        comma = "," if len(self.moving) == 1 else ""
        head = Line(f"for {unpacked}{comma} in {steps}:")
        return [head, *(statement(node, self.names).indented() for node in self.body.statements)]

    def initial(self, records: list[str]) -> Iterator[Line]:
        """What the first steps find before their time, put into the arrays that hold the records."""
        for number, record in enumerate(self.loop.records):
            for lag, operand in record.initial:
                slot = self.initial_slot(number, lag)
                yield Line(f"np.copyto({records[number]}[{slot}, ...], {self.names[self.node.operands[operand]]})")

    def initial_slot(self, number: int, lag: int) -> int:
        """Where the value stands that is read with this lag in the first iteration."""
        return self.loop.initial_slot(number, lag)
