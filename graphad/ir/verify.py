"""What must hold of every graph, and of a graph and its rewritten form. Cheap enough to run after each pass."""

from __future__ import annotations

from graphad.errors import GraphadError, VerificationError
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input
from graphad.ir.node import Node, same


def verify(graph: Graph) -> None:
    """A VerificationError unless operands come before readers, types follow from operands, inputs are declared."""
    seen: set[Node] = set()
    inputs = set(graph.inputs)
    for node in graph.nodes:
        if any(operand not in seen for operand in node.operands):
            raise VerificationError(f"{node!r} comes before one of its operands")
        if isinstance(node.op, Input) and node not in inputs:
            raise VerificationError(f"{node!r} is an input that the graph does not declare")
        try:
            expected = node.op.infer(*(operand.type for operand in node.operands))
        except GraphadError as error:
            raise VerificationError(f"{node!r} does not fit its operands: {error}") from error
        if expected != node.type:
            raise VerificationError(f"{node!r} is of type {node.type}; its operands make it {expected}")
        seen.add(node)


def verify_pass(before: Graph, after: Graph, name: str) -> None:
    """A VerificationError, naming the pass, unless it kept a valid graph with the same inputs and types of outputs."""
    try:
        verify(after)
    except VerificationError as error:
        raise VerificationError(f"pass {name}: {error}") from error
    if not same(after.inputs, before.inputs):
        raise VerificationError(f"pass {name} changed the inputs")
    if [node.type for node in after.outputs] != [node.type for node in before.outputs]:
        raise VerificationError(f"pass {name} changed the type of an output")
