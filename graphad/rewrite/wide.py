"""Products in a loop that share their left operand, as one: gates that were written one by one.

``h @ U``, ``h @ V`` of a single row take longer to begin than to do, so one product ``h @ [U V]`` is quicker, whose
columns are read by parts. The weights are joined once, before the loop. With more rows the parts are strided, and what
reads them loses what the product gained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphad.ir.graph import Graph, with_operands
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import TensorType, known
from graphad.ops.contraction import Matmul
from graphad.ops.loop import Loop, Whole, with_body
from graphad.ops.slicing import Concatenate, Slice, Span
from graphad.rewrite.driver import Rewrites
from graphad.rewrite.hoist import Added

_CALL, _COPY = 250.0, 0.03
"""Nanoseconds: what beginning one more product takes, and copying a byte."""


def one_product_in_loop(node: Node) -> Node | None:
    """In a loop, h @ U, h @ V -> h @ [U V], read by parts, where that pays."""
    if not isinstance(node.op, Loop):
        return None
    groups = [products for products in _with_one_left(node.op) if _pays(products, node.op.steps)]
    if not groups:
        return None
    added = Added()
    body = _joined(node.op.body, groups, _weights(node), added)
    return with_body(node, body, added.inputs)


def _with_one_left(loop: Loop) -> Iterator[Sequence[Node]]:
    """The products of each node of the body with matrices that are the same at every step."""
    same = {one for one, read in zip(loop.body.inputs, loop.reads, strict=True) if isinstance(read, Whole)}
    found: dict[Node, list[Node]] = {}
    for node in loop.body.nodes:
        if isinstance(node.op, Matmul) and node.ndim == 2 and node.operands[1] in same:
            found.setdefault(node.operands[0], []).append(node)
    yield from found.values()


def _pays(products: Sequence[Node], steps: int) -> bool:
    """Whether beginning them at every step takes longer than joining the matrices; parts of one row only are dense."""
    matrices = sum(product.operands[1].type.nbytes for product in products)
    return products[0].shape[0] == 1 and steps * (len(products) - 1) * _CALL > matrices * _COPY


def _weights(loop: Node) -> Mapping[Node, Node]:
    """What the inputs of the body that are the same at every step read."""
    if not isinstance(loop.op, Loop):
        raise TypeError(f"{loop!r} is no loop")
    pairs = zip(loop.op.body.inputs, loop.op.reads, strict=True)
    return {one: loop.operands[read.operand] for one, read in pairs if isinstance(read, Whole)}


def _joined(body: Graph, groups: Sequence[Sequence[Node]], weights: Mapping[Node, Node], added: Added) -> Graph:
    """The body with one product for each group, made where the first of them was."""
    members_of = {member: members for members in groups for member in members}
    parts: dict[Node, Node] = {}

    def change(node: Node, operands: tuple[Node, ...]) -> Node:
        members = members_of.get(node)
        if members is None:
            return with_operands(node, operands)
        if node not in parts:
            together = apply(Concatenate(1), *(weights[member.operands[1]] for member in members))
            product = apply(Matmul(), operands[0], added.whole(together))
            parts.update(zip(members, _columns(product, [member.type for member in members]), strict=True))
        return parts[node]

    return body.transform(change)


def _columns(product: Node, types: Sequence[TensorType]) -> Iterator[Node]:
    """The columns of a product that belong to each of the products it stands for."""
    start = 0
    for type in types:
        rows, columns = map(known, type.shape)
        yield apply(Slice((Span(0, rows), Span(start, columns))), product)
        start += columns


WIDE_PRODUCTS = Rewrites("wide products", (one_product_in_loop,), exact=False)
