"""A loop over time: the recurrence that is left when everything that needn't wait for the past has been taken out.

The value of a loop is one flat array: for each recorded series its values at all steps side by side, in the order of
time, with the initial values, which the first steps read, before them (behind them if the loop runs backward).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import Shape, TensorType
from graphad.ops.slicing import Slice, Span
from graphad.ops.structure import Reshape


@dataclass(frozen=True)
class Whole:
    """The body reads an operand of the loop, the same at every step."""

    operand: int


@dataclass(frozen=True)
class Element:
    """The body reads an operand's element for this step: the operand is stacked over the steps."""

    operand: int


@dataclass(frozen=True)
class Earlier:
    """The body reads what it recorded ``lag`` iterations ago, or an initial value."""

    record: int
    lag: int


Read: TypeAlias = Whole | Element | Earlier


@dataclass(frozen=True)
class Record:
    """A series that the loop keeps: its type at one step, its initial values, and its place in the flat array.

    ``initial`` maps the lag before the first iteration (1 is just before it) to the operand that holds the value.
    """

    type: TensorType
    initial: tuple[tuple[int, int], ...]
    offset: int

    @property
    def padding(self) -> int:
        """How many slots there are for initial values."""
        return max((lag for lag, _ in self.initial), default=0)


@dataclass(frozen=True, eq=False)
class Loop(Op):
    """Run ``body`` for each of ``steps`` steps; its inputs are ``reads``, its outputs are recorded.

    A loop is equal only to itself: bodies are made of nodes, which are.
    """

    body: Graph = field(repr=False)
    steps: int
    reverse: bool
    reads: tuple[Read, ...] = field(repr=False)
    records: tuple[Record, ...] = field(repr=False)
    name = "loop"
    latex = r"\mathrm{loop}"
    __eq__ = object.__eq__  # and not Op's, to which all loops are alike
    __hash__ = object.__hash__

    def slots(self, record: int) -> int:
        """How many values of a record there are, the initial ones included."""
        return self.steps + self.records[record].padding

    def stacked_shape(self, record: int) -> Shape:
        """The shape of a record: its slots, then its shape at one step."""
        return (self.slots(record), *self.records[record].type.shape)

    def span(self, record: int) -> Span:
        """The place of a record in the flat array."""
        kept = self.records[record]
        return Span(kept.offset, self.slots(record) * kept.type.size)

    def slot(self, record: int, iteration: int) -> int:
        """Where iteration ``iteration`` (in the order of time) writes; -1 is just before the first iteration's."""
        return iteration if self.reverse else iteration + self.records[record].padding

    def initial_slot(self, record: int, lag: int) -> int:
        """Where the initial value lies that is read with this lag in the first iteration."""
        return self.steps - 1 + lag if self.reverse else self.records[record].padding - lag

    def infer(self, *operands: TensorType) -> TensorType:
        """One flat array."""
        last = self.span(len(self.records) - 1)
        return TensorType((last.start + last.length,), self.records[0].type.dtype)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The body, evaluated once for each step."""
        return run_loop, {"loop": self}

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Whether the body's readers do, where it reads the operand whole; elements are copied in the body."""
        inputs = zip(self.body.inputs, self.reads, strict=True)
        whole = {node for node, read in inputs if isinstance(read, Whole) and read.operand == number}
        return all(
            reader.op.reads_in_place(i, operand, contiguous)
            for reader in self.body.nodes
            for i, read in enumerate(reader.operands)
            if read in whole
        )

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """Those of the body, for each step."""
        nodes = self.body.nodes
        return self.steps * sum(node.op.flops(node.type, *(x.type for x in node.operands)) for node in nodes)


def run_loop(*operands: Array, loop: Loop, out: Array | None = None) -> Array:
    """Evaluate the loop, plainly."""
    flat = np.empty(loop.infer().static_shape, loop.records[0].type.dtype) if out is None else out
    records = [_record(flat, loop, number) for number in range(len(loop.records))]
    for number, record in enumerate(loop.records):
        for lag, operand in record.initial:
            records[number][loop.initial_slot(number, lag)] = operands[operand]
    for step in reversed(range(loop.steps)) if loop.reverse else range(loop.steps):
        arguments = [_read(read, step, loop, operands, records) for read in loop.reads]
        for number, value in enumerate(evaluate(loop.body, arguments)):
            records[number][loop.slot(number, step)] = value
    return flat


def _record(flat: Array, loop: Loop, number: int) -> Array:
    return flat[loop.span(number).as_slice()].reshape(loop.stacked_shape(number))


def _read(read: Read, step: int, loop: Loop, operands: tuple[Array, ...], records: list[Array]) -> Array:
    if isinstance(read, Whole):
        return operands[read.operand]
    if isinstance(read, Element):
        return np.asarray(operands[read.operand][step])
    lag = read.lag if loop.reverse else -read.lag
    return np.asarray(records[read.record][loop.slot(read.record, step) + lag])


def loop_of(node: Node) -> Loop:
    """The operation of a node that is a loop."""
    if not isinstance(node.op, Loop):
        raise TypeError(f"{node!r} is no loop")
    return node.op


def record_of(loop: Node, number: int) -> Node:
    """A record of a loop node: its values stacked over time, the initial ones included."""
    op = loop_of(loop)
    return apply(Reshape(op.stacked_shape(number)), apply(Slice((op.span(number),)), loop))


def with_body(loop: Node, body: Graph, added: Mapping[Node, tuple[type[Whole | Element], Node]]) -> Node:
    """The loop with another body, and how its new inputs are read of what; what the body reads no more is left out."""
    op = loop_of(loop)
    old = dict(zip(op.body.inputs, op.reads, strict=True))
    used = set(Graph((), body.outputs).nodes)
    inputs = tuple(node for node in (*op.body.inputs, *added) if node in used)
    operands: dict[Node, int] = {}

    def number(node: Node) -> int:
        return operands.setdefault(node, len(operands))

    def renumbered(read: Read) -> Read:
        return read if isinstance(read, Earlier) else replace(read, operand=number(loop.operands[read.operand]))

    def new(kind: type[Whole | Element], value: Node) -> Read:
        return kind(number(value))

    reads = tuple(renumbered(old[node]) if node in old else new(*added[node]) for node in inputs)
    records = tuple(
        replace(record, initial=tuple((lag, number(loop.operands[at])) for lag, at in record.initial))
        for record in op.records
    )
    return apply(Loop(Graph(inputs, body.outputs), op.steps, op.reverse, reads, records), *operands)
