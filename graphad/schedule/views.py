"""What is a view of what: whose memory holds a node's value, which views are needed, and what a statement reads.

A view costs nothing: it is made once, on memory that does not move.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.slicing import Slice, Span, full_index
from graphad.ops.structure import Transpose


def read(reader: Node, operand: Node) -> Node:
    """What the reader reads for this operand: elementwise kernels broadcast by themselves."""
    while reader.op.traits.elementwise and operand.op.traits.broadcast:
        (operand,) = operand.operands
    return operand


def layouts_of(graph: Graph) -> dict[Node, tuple[int, ...]]:
    """Inputs that are read in one other order of axes only are staged in that order, so that nobody copies again."""
    found = {}
    readers = graph.readers()
    for node in graph.inputs:
        orders = {reader.op.axes if isinstance(reader.op, Transpose) else None for reader in readers.get(node, ())}
        if len(orders) == 1 and (order := orders.pop()) is not None:
            found[node] = order
    for output in graph.outputs:
        found.pop(output, None)
    return found


def roots_of(graph: Graph, strided: Collection[Node] = ()) -> tuple[dict[Node, Node], set[Node]]:
    """For each node, the node whose memory holds its value: itself, unless it is a view; and which lie contiguous.

    ``strided``: inputs that do not; where it maps one to an order of axes, that order lies contiguous.
    """
    layouts = strided if isinstance(strided, Mapping) else {}
    roots: dict[Node, Node] = {}
    contiguous: set[Node] = set()
    for node in graph.nodes:
        traits = node.op.traits
        whole = bool(node.operands) and node.operands[0] in contiguous
        is_view = traits.view or (traits.contiguous_view and whole)
        roots[node] = roots[node.operands[0]] if is_view else node
        turned_back = is_view and isinstance(node.op, Transpose) and layouts.get(node.operands[0]) == node.op.axes
        if (
            (node not in strided and not is_view)
            or turned_back
            or (whole and (traits.contiguous_view or traits.identity or _is_leading(node)))
        ):
            contiguous.add(node)
    return roots, contiguous


def _is_leading(node: Node) -> bool:
    """Whether a view takes consecutive elements of a contiguous array's first axis, and all of the other axes."""
    if not isinstance(node.op, Slice):
        return False
    index, whole = node.op.index, full_index(node.operands[0].shape)
    step = index[0].step if index and isinstance(index[0], Span) else 1
    return step == 1 and index[1:] == whole[1:]


def needed_views(graph: Graph, roots: Mapping[Node, Node]) -> tuple[Node, ...]:
    """The views that are read as such, or that others are made from."""
    needed = {node for node in graph.outputs if roots[node] is not node}
    for node in reversed(graph.nodes):
        if roots[node] is node or node in needed:
            needed.update(x for x in (read(node, operand) for operand in node.operands) if roots[x] is not x)
    return tuple(node for node in graph.nodes if node in needed)
