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
from graphad.ops.build import broadcast
from graphad.ops.contraction import Matmul
from graphad.ops.loop import Earlier, Element, Loop, Read, Whole, with_body
from graphad.ops.structure import BroadcastTo, Reshape
from graphad.rewrite.constants import uniform
from graphad.rewrite.driver import Rewrites

LARGEST_STACK = 2**21
"""Bytes of an array that is written and read back within a second-level cache."""
SMALLEST_STEP = 2**13
"""Bytes of one step whose way to memory and back takes longer than a call."""


def sum_before_loop(node: Node) -> Node | None:
    """In a loop, (a[t] + r) + b -> (a + b)[t] + r, where only r waits for the past."""
    if not isinstance(node.op, Loop):
        return None
    sums = _Sums(node.op, node.operands)
    body = sums.reordered()
    return with_body(node, body, sums.added.inputs) if sums.added.inputs else None


def work_in_loop(node: Node) -> Node | None:
    """Loop over f(x)[t] -> loop that does f(x[t]) itself, if f(x) is large, and elementwise or a product of rows."""
    if not isinstance(node.op, Loop):
        return None
    added, done = _Added(), {}
    for element, read in zip(node.op.body.inputs, node.op.reads, strict=True):
        work = node.operands[read.operand] if isinstance(read, Element) else None
        if work is not None and belongs_in_loop(work.type):
            for at_one_step in (_elementwise_step(work, added), _product_step(work, added)):
                done.update({} if at_one_step is None else {element: at_one_step})
    return with_body(node, node.op.body.substitute(done), added.inputs) if done else None


def belongs_in_loop(stacked: TensorType) -> bool:
    """Whether what is stacked over time is too large for the cache, and a step of it worth a call."""
    return stacked.nbytes > LARGEST_STACK and stacked.nbytes // stacked.static_shape[0] >= SMALLEST_STEP


def _elementwise_step(work: Node, added: _Added) -> Node | None:
    """One step of f(x, y), for elementwise f; a number that is the same at all steps is written where it is read."""
    if not work.op.traits.elementwise:
        return None
    numbers = [uniform(operand) for operand in work.operands]
    pairs = zip(work.operands, numbers, strict=True)
    shapes = [operand.shape[1:] for operand in work.operands]
    operands = [added.element(x) if number is None else apply(number) for x, number in pairs]
    return apply(work.op, *map(broadcast, operands, shapes))


def _product_step(work: Node, added: _Added) -> Node | None:
    """One step of (x.reshape(rows of all steps) @ w).reshape(steps, rows, columns)."""
    product = work.operands[0] if isinstance(work.op, Reshape) else work
    if not isinstance(product.op, Matmul) or work.ndim != 3 or product.ndim != 2:
        return None
    rows, w = product.operands
    steps, at_each, _ = work.shape
    if rows.shape[0] != steps * at_each:
        return None
    stacked = apply(Reshape((steps, at_each, rows.shape[1])), rows)
    return apply(Matmul(), added.element(stacked), added.whole(w))


@dataclass(eq=False)
class _Added:
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
    added: _Added = field(default_factory=_Added)

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
            if 2 <= len(outer) < len(terms) and not belongs_in_loop(self._stacked(node.type)):
                rest = [mapped[term] for term in terms if self._outside(term) is None]
                mapped[node] = _sum([*rest, self._together(outer)])
            else:
                mapped[node] = with_operands(node, tuple(mapped[operand] for operand in node.operands))
        return self.loop.body.mapped(mapped)

    def _stacked(self, type: TensorType) -> TensorType:
        return TensorType((self.loop.steps, *type.shape), type.dtype)

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
WORK_IN_LOOPS = Rewrites("large work in loops", (work_in_loop,), exact=False)
