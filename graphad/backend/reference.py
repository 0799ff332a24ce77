"""The reference backend: a dictionary and a loop. Slow and plain, it is what every other backend is checked against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphad.backend.executable import failure
from graphad.ir.graph import Graph
from graphad.ir.leaves import Constant, Parameter
from graphad.ir.node import Node
from graphad.ir.op import Array


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
    except (ValueError, IndexError, ArithmeticError) as error:
        raise failure(error, node) from error


class ReferenceExecutable:
    """`evaluate`, as an executable."""

    def __init__(self, graph: Graph, parameters: Sequence[Node]) -> None:
        self._graph = graph
        self._parameters = [node.op for node in parameters if isinstance(node.op, Parameter)]
        self._outputs: list[Array] = []

    def compute(self, arguments: Sequence[Array]) -> None:
        """Evaluate the graph."""
        self._outputs = [array.copy() for array in evaluate(self._graph, arguments)]

    def results(self) -> list[Array]:
        """The outputs that are no new values of parameters."""
        return self._outputs[: len(self._outputs) - len(self._parameters)]

    def commit(self) -> None:
        """Copy the new values."""
        new = self._outputs[len(self._outputs) - len(self._parameters) :]
        for parameter, value in zip(self._parameters, new, strict=True):
            np.copyto(parameter.storage.array, value)

    @property
    def source(self) -> str:
        """The graph, a line for each node."""
        return f"{self._graph}\n"
