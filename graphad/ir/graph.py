"""The graph: two tuples of nodes. Everything between them is derived.

Transformations of a graph are all one walk: operands first, each node mapped to its successor. `transform` is that
walk; `substitute` and `specialise` are readings of it, and so is the driver of rewrites.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphad.errors import GraphadError
from graphad.ir.node import Node, application_text, rebuild, same
from graphad.ir.tensor_type import Sizes
from graphad.ir.topology import topological_order


@dataclass(frozen=True, eq=False)
class Graph:
    """A computation: given the inputs, compute the outputs.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 3))
    >>> print(ga.Graph((x,), (ga.tanh(x),)))
    x = input() : float32[batch, 3]
    %1 = tanh(x) : float32[batch, 3]
    return %1
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All that the outputs depend on, operands first, in an order that depends on the declaration only."""
        return topological_order(self.outputs)

    def readers(self) -> dict[Node, list[Node]]:
        """For each node, those that read it, in order; an operand read twice by one node is listed twice."""
        readers: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for operand in node.operands:
                readers[operand].append(node)
        return readers

    def transform(self, change: Callable[[Node, tuple[Node, ...]], Node]) -> Graph:
        """Map each node, operands first; ``change`` gets the node and its already mapped operands."""
        mapped: dict[Node, Node] = {}
        for node in self.nodes:
            mapped[node] = change(node, tuple(map(mapped.__getitem__, node.operands)))
        return self.mapped(mapped)

    def mapped(self, mapped: Mapping[Node, Node]) -> Graph:
        """The graph of the images of inputs and outputs; this very graph if they are all unchanged."""
        inputs = tuple(mapped.get(node, node) for node in self.inputs)
        outputs = tuple(mapped.get(node, node) for node in self.outputs)
        return self if same(inputs, self.inputs) and same(outputs, self.outputs) else Graph(inputs, outputs)

    def substitute(self, replacements: Mapping[Node, Node]) -> Graph:
        """Put other nodes for some; whatever read the old ones reads the new."""

        def change(node: Node, operands: tuple[Node, ...]) -> Node:
            return replacements[node] if node in replacements else with_operands(node, operands)

        return self.transform(change)

    def specialise(self, sizes: Sizes) -> Graph:
        """Put integers for named sizes, everywhere; this very graph if no size is given."""
        if not sizes:
            return self
        inputs = {node: rebuild(node, node.op.specialise(sizes), ()) for node in self.inputs}

        def change(node: Node, operands: tuple[Node, ...]) -> Node:
            if node in inputs:
                return inputs[node]
            try:
                op = node.op.specialise(sizes)
            except GraphadError as error:
                error.locate(application_text(node.op, operands), node.origin.place)
                raise
            return node if op is node.op and same(operands, node.operands) else rebuild(node, op, operands)

        mapped = self.transform(change)
        return Graph(tuple(inputs.values()), mapped.outputs)

    def __str__(self) -> str:
        return graph_text(self)


def with_operands(node: Node, operands: tuple[Node, ...]) -> Node:
    """The node on other operands; the node itself if they are its own."""
    return node if same(operands, node.operands) else rebuild(node, node.op, operands)


def graph_text(graph: Graph) -> str:
    """One line per node: ``name = op(operands; attributes) : type``; the same text for the same declaration."""
    names = unique_names(graph.nodes)
    lines = [node_text(node, names) for node in graph.nodes]
    return "\n".join([*lines, f"return {', '.join(names[node] for node in graph.outputs)}"])


def node_text(node: Node, names: Mapping[Node, str]) -> str:
    """The line of one node."""
    return f"{names[node]} = {_call_text(node, names)} : {node.type}"


def unique_names(nodes: tuple[Node, ...]) -> dict[Node, str]:
    """A name for each node: its own if no earlier node bears it, else its number."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    for number, node in enumerate(nodes):
        name = node.name if node.name and node.name not in taken else f"%{number}"
        taken.add(name)
        names[node] = name
    return names


def _call_text(node: Node, names: Mapping[Node, str]) -> str:
    operands = ", ".join(names[operand] for operand in node.operands)
    attributes = "" if node.op.traits.leaf else node.op.attributes()
    return f"{node.op.name}({'; '.join(part for part in (operands, attributes) if part)})"
