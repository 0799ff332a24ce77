"""Forward mode: tangents travel with the values, operands first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphad.autodiff.sweep import Sweep, directions
from graphad.errors import GradientError
from graphad.ir import nest
from graphad.ir.builder import located
from graphad.ir.collection import without_collection
from graphad.ir.node import Node
from graphad.ir.topology import reachable
from graphad.ops.shaping import zeros_like


@located
@without_collection
def jvp(outputs: Any, wrt: Any, tangents: Any) -> Any:
    """The tangents of ``outputs``, given those of ``wrt``: the Jacobian times ``tangents``, in the outputs' structure.

    ``wrt`` and ``tangents`` have one structure and equal types. An output that does not depend on ``wrt`` has the
    tangent 0. The Jacobian is that of reverse mode: of nodes in ``wrt`` of which one depends on another, it gets the
    tangent that it is given beside the one that reaches it.

    >>> import graphad as ga
    >>> x, v = ga.input("x", shape=(3,)), ga.input("v", shape=(3,))
    >>> jvp(ga.tanh(x), x, v)
    <multiply: float32[3]>
    """
    nest.check_alike(wrt, tangents)
    starts, ends = nest.leaves(wrt), nest.leaves(outputs)
    _check_nodes(starts, ends)
    given = directions(nest.leaves(tangents), starts, "tangent")
    known = tangents_of(ends, starts, given, Sweep())
    return nest.mapped(lambda output: known[output] if output in known else zeros_like(output), outputs)


def _check_nodes(starts: Iterable[Any], outputs: Iterable[Any]) -> None:
    for node in starts:
        if not isinstance(node, Node) or not node.type.is_float:
            raise GradientError(f"{node!r} is not differentiable: tangents are of float nodes")
    for node in outputs:
        if not isinstance(node, Node):
            raise GradientError(f"{node!r} is no node: it has no tangent")


def tangents_of(
    outputs: Sequence[Node], wrt: Sequence[Node], given: Sequence[Node], sweep: Sweep
) -> Mapping[Node, Node]:
    """The tangent of each node that one reaches, among those that the outputs depend on."""
    known: dict[Node, Node] = {}
    starts = _added_up(wrt, given)
    for node in reachable(wrt, outputs):
        if node.type.is_float:
            _push_forward(node, known, starts.get(node), sweep)
    return known


def _added_up(nodes: Sequence[Node], given: Sequence[Node]) -> dict[Node, Node]:
    """The tangent that is given to each node: the sum, if it is named twice."""
    starts: dict[Node, Node] = {}
    for node, tangent in zip(nodes, given, strict=True):
        starts[node] = starts[node] + tangent if node in starts else tangent
    return starts


def _push_forward(node: Node, known: dict[Node, Node], given: Node | None, sweep: Sweep) -> None:
    with sweep.labels(node.origin, made_by=f"jvp of {node.op.name}", twin=node):
        tangent = node.op.jvp(tuple(known.get(operand) for operand in node.operands), node, *node.operands)
        if given is not None:
            tangent = given if tangent is None else tangent + given
    if tangent is not None:
        known[node] = tangent
