"""Parts of what was computed for all steps, computed for those steps only.

Elementwise work that is read in parts (all steps but the last here, the last one there) is done part by part: so each
part depends on no more than it needs, and can be done where it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphad.ir.cut import exceeds_cache
from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, apply, labels
from graphad.ir.tensor_type import known
from graphad.ops.slicing import Index, Slice, Span, full_index
from graphad.ops.structure import BroadcastTo


@dataclass(frozen=True)
class SliceFirst:
    """f(x)[a], f(x)[b] -> f(x[a]), f(x[b]), if f is elementwise, and nobody reads more of it than these parts."""

    name: str = "slices before elementwise work"
    exact: bool = True

    def run(self, graph: Graph) -> Graph:
        """Find, readers first, what is read in parts only; then build the parts."""
        parts = _parts(graph)
        if not any(parts.values()):
            return graph
        with labels(made_by=self.name) as label:
            pieces = _Pieces(self.name, parts, label)

            def change(node: Node, operands: tuple[Node, ...]) -> Node:
                pieces.image[node] = with_operands(node, operands)
                if isinstance(node.op, Slice) and parts.get(node.operands[0]):
                    pieces.image[node] = pieces.of(node.operands[0], node.op.index)
                return pieces.image[node]

            return graph.transform(change)


SLICE_FIRST = SliceFirst()


def _parts(graph: Graph) -> dict[Node, set[Index] | None]:
    """For elementwise nodes, the parts of them that are read, if they are no more together than the whole."""
    wanted: dict[Node, set[Index] | None] = {}
    whole = set(graph.outputs)
    for node in reversed(graph.nodes):
        mine = None if node in whole or not node.op.traits.elementwise else _fitting(node, wanted.get(node))
        wanted[node] = mine
        for operand in node.operands:
            part = {node.op.index} if isinstance(node.op, Slice) and _is_of_rows(node.op, operand) else mine
            if part is None or operand.shape != node.operands[0].shape or _is_lost(wanted, operand):
                wanted[operand] = None
            else:
                wanted[operand] = (wanted.get(operand) or set()) | part
    return {node: parts for node, parts in wanted.items() if node.op.traits.elementwise}


def _is_lost(wanted: dict[Node, set[Index] | None], node: Node) -> bool:
    return node in wanted and wanted[node] is None


def _is_of_rows(op: Slice, operand: Node) -> bool:
    """Whether the slice takes some of the first axis and all of the others."""
    return op.index[1:] == full_index(operand.shape)[1:]


def _fitting(node: Node, parts: set[Index] | None) -> set[Index] | None:
    """The parts, if there are any, and they are fewer rows than the whole, or as many that had better be apart."""
    if not parts or not node.shape:
        return None
    rows = sum(known(part[0].length) if isinstance(part[0], Span) else 1 for part in parts)
    most = known(node.shape[0]) - (0 if exceeds_cache(node.type.nbytes) else 1)
    return parts if rows <= most else None


@dataclass(eq=False)
class _Pieces:
    """The parts that were built, by what they are part of."""

    name: str
    parts: dict[Node, set[Index] | None]
    label: labels
    image: dict[Node, Node] = field(default_factory=dict)
    built: dict[tuple[Node, Index], Node] = field(default_factory=dict)

    def of(self, node: Node, index: Index) -> Node:
        """f(x)[index], as f(x[index]); what it needs is built before it, deepest first."""
        pending = [node]
        while pending:
            current = pending[-1]
            missing = [x for x in current.operands if self.parts.get(x) and (x, index) not in self.built]
            if missing:
                pending += missing
            else:
                self.built[pending.pop(), index] = self._built(current, index)
        return self.built[node, index]

    def _built(self, node: Node, index: Index) -> Node:
        self.label.follow(node.origin, self.name)
        return apply(node.op, *self._operands(node, index))

    def _operands(self, node: Node, index: Index) -> Iterator[Node]:
        for operand in node.operands:
            if (operand, index) in self.built:
                yield self.built[operand, index]
            elif isinstance(operand.op, BroadcastTo):
                yield _broadcast_part(self.image[operand], index)
            else:
                yield apply(Slice(index), self.image[operand])


def _broadcast_part(repeated: Node, index: Index) -> Node:
    """A part of what a smaller array was repeated to."""
    (x,) = repeated.operands
    shape = tuple(part.length for part in index if isinstance(part, Span))
    is_same_in_all_rows = x.ndim < repeated.ndim or x.shape[0] == 1 != repeated.shape[0]
    if not is_same_in_all_rows:
        return apply(Slice(index), repeated)
    if x.ndim == repeated.ndim and not isinstance(index[0], Span):
        x = apply(Slice((0, *full_index(x.shape)[1:])), x)
    return apply(BroadcastTo(shape), x)
