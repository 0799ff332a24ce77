"""Sums in a loop, put in another order, so that what does not wait for the past is added before the loop.

``x[t] @ U + h @ W + b``: the product of ``x`` was taken out already, but the sum is written so that ``b`` comes last.
As ``(x[t] @ U + b) + h @ W`` the loop adds once at each step and not twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphad.ir.graph import Graph, with_operands
from graphad.ir.leaves import Input
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import TensorType
from graphad.ops.arithmetic import Add
from graphad.ops.loop import Earlier, Element, Loop, Read, Whole, with_body
from graphad.ops.structure import BroadcastTo
from graphad.rewrite.driver import Rewrites


def sum_before_loop(node: Node) -> Node | None:
    """In a loop, (a[t] + r) + b -> (a + b)[t] + r, where only r waits for the past."""
    if not isinstance(node.op, Loop):
        return None
    sums = _Sums(node.op, node.operands)
    body = sums.reordered()
    return with_body(node, body, sums.added.inputs) if sums.added.inputs else None


@dataclass(eq=False)
class Added:
    """New inputs of a loop's body, and what they read."""

    inputs: dict[Node, tuple[type[Whole | Element], Node]] = field(default_factory=dict)

    def element(self, stacked: Node) -> Node:
        """The input for one step of what is stacked over time."""
        return self._input(Element, stacked, TensorType(stacked.shape[1:], stacked.dtype))

    def whole(self, value: Node) -> Node:
        """The input for what is the same at every step."""
        return self._input(Whole, value, value.type)

    def _input(self, kind: type[Whole | Element], value: Node, type: TensorType) -> Node:
        for node, (known, read) in self.inputs.items():
            if known is kind and read is value:
                return node
        node = apply(Input(type), name=value.label)
        self.inputs[node] = (kind, value)
        return node


@dataclass(eq=False)
class _Sums:
    """The sums of a loop's body, and the inputs that are added to it."""

    loop: Loop
    operands: tuple[Node, ...]
    added: Added = field(default_factory=Added)

    def __post_init__(self) -> None:
        self.reads: dict[Node, Read] = dict(zip(self.loop.body.inputs, self.loop.reads, strict=True))
        self.readers = self.loop.body.readers()
        self.recorded = set(self.loop.body.outputs)

    def reordered(self) -> Graph:
        """The body, with each sum's outer terms in one."""
        mapped: dict[Node, Node] = {}
        for node in self.loop.body.nodes:
            terms = [] if self._is_part(node) else self._terms(node)
            outer = [term for term in terms if self._outside(term) is not None]
            if 2 <= len(outer) < len(terms):
                rest = [mapped[term] for term in terms if self._outside(term) is None]
                mapped[node] = _sum([*rest, self._together(outer)])
            else:
                mapped[node] = with_operands(node, tuple(mapped[operand] for operand in node.operands))
        return self.loop.body.mapped(mapped)

    def _is_part(self, node: Node) -> bool:
        """Whether the node is a partial sum that only another sum reads."""
        readers = self.readers[node]
        return node not in self.recorded and len(readers) == 1 and isinstance(readers[0].op, Add)

    def _terms(self, node: Node) -> list[Node]:
        """The terms of a sum of sums, in order."""
        pending, found = [node] if isinstance(node.op, Add) else [], []
        while pending:
            term = pending.pop()
            if isinstance(term.op, Add) and (term is node or self._is_part(term)):
                pending += reversed(term.operands)
            else:
                found.append(term)
        return found

    def _outside(self, term: Node) -> Node | None:
        """The term's values at all steps, stacked, if it does not wait for the past."""
        inner = term.operands[0] if isinstance(term.op, BroadcastTo) else term
        read = self.reads.get(inner)
        if read is None or isinstance(read, Earlier):
            return None
        if isinstance(read, Element) and inner is not term:
            return None
        value = self.operands[read.operand]
        return value if isinstance(read, Element) else apply(BroadcastTo((self.loop.steps, *term.shape)), value)

    def _together(self, terms: Sequence[Node]) -> Node:
        """The body's input for the sum of outer terms."""
        total = _sum([value for term in terms if (value := self._outside(term)) is not None])
        return self.added.element(total)


def _sum(terms: Sequence[Node]) -> Node:
    total = terms[0]
    for term in terms[1:]:
        total = apply(Add(), total, term)
    return total


SUM_BEFORE_LOOPS = Rewrites("sums before loops", (sum_before_loop,), exact=False)
