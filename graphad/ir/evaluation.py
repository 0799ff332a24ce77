"""Evaluation: a dictionary and a loop. Slow and plain, it says what a graph means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphad.errors import ExecutionError, GraphadError, IndexRangeError
from graphad.ir.graph import Graph
from graphad.ir.leaves import Constant, Parameter
from graphad.ir.node import Node, application_text
from graphad.ir.op import KERNEL_ERRORS, Array


def evaluate(graph: Graph, arguments: Sequence[Array]) -> list[Array]:
    """The values of the graph's outputs, given those of its inputs."""
    values: dict[Node, Array] = dict(zip(graph.inputs, arguments, strict=True))
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node not in values:
                values[node] = _value(node, [values[operand] for operand in node.operands])
    return [values[output] for output in graph.outputs]


def _value(node: Node, operands: list[Array]) -> Array:
    if isinstance(node.op, Constant):
        return node.op.value
    if isinstance(node.op, Parameter):
        return node.op.storage.array
    try:
        return node.op.kernel(*operands)
    except KERNEL_ERRORS as error:
        raise failure(error, node) from error


def failure(error: Exception, node: Node) -> GraphadError:
    """The typed error for an exception that the node's kernel raised."""
    kind = IndexRangeError if isinstance(error, IndexError) else ExecutionError
    found = kind(str(error))
    found.locate(application_text(node.op, node.operands), node.origin.place)
    return found
