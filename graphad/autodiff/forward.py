"""Forward mode: tangents travel with the values, operands first."""

from __future__ import annotations

from typing import Any

from graphad.autodiff.sweep import Sweep, directions
from graphad.errors import GradientError
from graphad.ir import nest
from graphad.ir.collection import without_collection
from graphad.ir.node import Node
from graphad.ir.topology import reachable
from graphad.ops.shaping import zeros_like


@without_collection
def jvp(outputs: Any, wrt: Any, tangents: Any) -> Any:
    """The tangents of ``outputs``, given those of ``wrt``: the Jacobian times ``tangents``, in the outputs' structure.

    ``wrt`` and ``tangents`` have one structure and equal types. An output that does not depend on ``wrt`` has the
    tangent 0.

    >>> import graphad as ga
    >>> x, v = ga.input("x", shape=(3,)), ga.input("v", shape=(3,))
    >>> jvp(ga.tanh(x), x, v)
    <multiply: float32[3]>
    """
    nest.check_alike(wrt, tangents)
    starts, ends = nest.leaves(wrt), nest.leaves(outputs)
    for node in starts:
        if not isinstance(node, Node) or not node.type.is_float:
            raise GradientError(f"{node!r} is not differentiable: tangents are of float nodes")
    given = directions(nest.leaves(tangents), starts, "tangent")
    known: dict[Node, Node] = dict(zip(starts, given, strict=True))
    sweep = Sweep()
    for node in reachable(starts, ends):
        if node not in known and node.type.is_float:
            _push_forward(node, known, sweep)
    return nest.mapped(lambda output: known[output] if output in known else zeros_like(output), outputs)


def _push_forward(node: Node, known: dict[Node, Node], sweep: Sweep) -> None:
    with sweep.labels(node.origin, made_by=f"jvp of {node.op.name}", twin=node):
        tangent = node.op.jvp(tuple(known.get(operand) for operand in node.operands), node, *node.operands)
    if tangent is not None:
        known[node] = tangent
