"""The reference backend: plain evaluation, which is what every other backend is checked against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.leaves import Parameter
from graphad.ir.node import Node
from graphad.ir.op import Array


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
        outputs = self._outputs[: len(self._outputs) - len(self._parameters)]
        return [output if output.ndim else output[()] for output in outputs]  # a number for no axes, as numpy does

    def new_values(self) -> Sequence[Array]:
        """The other outputs."""
        return self._outputs[len(self._outputs) - len(self._parameters) :]

    def commit(self) -> None:
        """Copy the new values."""
        for parameter, value in zip(self._parameters, self.new_values(), strict=True):
            np.copyto(parameter.storage.array, value)

    @property
    def source(self) -> str:
        """The graph, a line for each node."""
        return f"{self._graph}\n"
