"""Parameters in blocks: those that are updated together lie side by side, so that an update rule is a few long vectors.

Each parameter of a block becomes a view of the block's vector, and the new values are joined to that of the vector;
the pass `JOIN_FIRST` then does the rule's work on the vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphad.ir.graph import Graph, with_operands
from graphad.ir.leaves import Block, Parameter, Storage
from graphad.ir.node import Node, apply, labels
from graphad.ir.op import Op
from graphad.ir.tensor_type import TensorType
from graphad.ops.slicing import Concatenate, Slice, Span
from graphad.ops.structure import Reshape
from graphad.rewrite.constants import uniform


@dataclass(frozen=True, slots=True, eq=False)
class BlockNode:
    """A block in a graph: the parameter that is its vector, and the parameters that are parts of it, in order."""

    vector: Node
    members: tuple[Node, ...]

    def views(self) -> Iterator[tuple[Op, Node]]:
        """What each member becomes: a part of the vector, in the member's shape."""
        start = 0
        for member in self.members:
            size = int(str(member.type.size))
            part = apply(Slice((Span(start, size),)), self.vector)
            yield member.op, part if part.shape == member.shape else apply(Reshape(member.shape), part)
            start += size

    def joined(self, values: Mapping[Node, Node]) -> Node:
        """The members' values as one vector."""
        sizes = {member: (member.type.size,) for member in self.members}
        return apply(Concatenate(0), *(apply(Reshape(sizes[member]), values[member]) for member in self.members))


def in_blocks(graph: Graph, parameters: Sequence[Node]) -> tuple[Graph, tuple[Node, ...], tuple[BlockNode, ...]]:
    """Put parameters that are updated together in blocks; the last outputs of ``graph`` are their new values.

    Returned: the new graph, whose last outputs are the new values of those parameters that are in no block, and of
    the blocks' vectors; these parameters; and the blocks.
    """
    with labels(made_by="blocks of parameters") as label:
        label.rank = 0  # leaves, and parts of them, come before whoever reads them
        blocks = tuple(_blocks(parameters, graph.outputs[len(graph.outputs) - len(parameters) :]))
        if not blocks:
            return graph, tuple(parameters), ()
        views = dict(view for block in blocks for view in block.views())
    with labels(made_by="blocks of parameters"):
        viewed = graph.transform(lambda node, operands: _viewed(node, operands, views))
        values = dict(zip(parameters, viewed.outputs[len(graph.outputs) - len(parameters) :], strict=True))
        alone = [node for node in parameters if node.op not in views]
        new = [*(values[node] for node in alone), *(block.joined(values) for block in blocks)]
    results = viewed.outputs[: len(graph.outputs) - len(parameters)]
    return Graph(graph.inputs, (*results, *new)), (*alone, *(block.vector for block in blocks)), blocks


def _blocks(parameters: Iterable[Node], values: Iterable[Node]) -> Iterator[BlockNode]:
    """One for each rule by which parameters of one dtype change; none where some are in another block already."""
    groups: dict[tuple[str, bool, str], dict[Storage, Node]] = {}
    for node, value in zip(parameters, values, strict=True):
        if isinstance(node.op, Parameter):
            groups.setdefault((node.dtype.name, node.op.trainable, _rule(value)), {})[node.op.storage] = node
    for (_, trainable, _), group in groups.items():
        block = Block.holding(list(group)) if len(group) > 1 else None
        if block is not None:
            type = TensorType.of(block.storage.array.shape, block.storage.array.dtype)
            vector = apply(Parameter(type, block.storage, trainable), name="parameters" if trainable else "state")
            yield BlockNode(vector, tuple(group[member] for member in block.members))


def _rule(value: Node, depth: int = 2) -> str:
    """The outer operations of a new value, with their numbers: those of one update rule have them in common."""
    number = uniform(value)
    if number is not None:
        return repr(number.value.item())
    if not depth or not value.op.traits.elementwise:
        return "_"
    return f"{value.op.name}({', '.join(_rule(operand, depth - 1) for operand in value.operands)})"


def _viewed(node: Node, operands: tuple[Node, ...], views: Mapping[Op, Node]) -> Node:
    """The node with parts of blocks in the place of parameters."""
    view = views.get(node.op) if isinstance(node.op, Parameter) else None
    if view is None:
        return with_operands(node, operands)
    return Node(view.op, view.operands, view.type, node.name, node.origin)
