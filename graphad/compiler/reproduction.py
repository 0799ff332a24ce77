"""The application of a rewrite that is to blame for a wrong value, cut out of its graph: as small as it can be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from graphad.errors import GraphadError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph, node_text, unique_names
from graphad.ir.leaves import Constant
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.leaves import input
from graphad.rewrite.driver import Rule

_MOST_ELEMENTS_SHOWN = 24


@dataclass(frozen=True, eq=False)
class Application:
    """One application of a rule: the node that it replaced, and by what."""

    rule: Rule
    before: Node
    after: Node

    @property
    def graph(self) -> Graph:
        """The node before and after, with all that they depend on."""
        return Graph((), (self.before, self.after))

    def cut(self) -> tuple[Node, ...]:
        """The nodes whose values the application only passes on: what stands above them is all that it is about.

        That is the node, what lies between it and the nodes that are read after it too, and constants.
        """
        old = Graph((), (self.before,)).nodes
        known = set(old)
        new = [node for node in Graph((), (self.after,)).nodes if node not in known]
        read = {self.after, *(operand for node in new for operand in node.operands)}
        constant = _constant(old)
        between = {self.before, *_depending(old, read - constant)}
        needed = {*read, *(operand for node in old if node in between for operand in node.operands)}
        return tuple(node for node in old if node in needed and node not in between and node not in constant)


def _constant(nodes: Iterable[Node]) -> set[Node]:
    """Of nodes in order, those that depend on constants only."""
    found: set[Node] = set()
    for node in nodes:
        if isinstance(node.op, Constant) or (node.operands and all(operand in found for operand in node.operands)):
            found.add(node)
    return found


def _depending(nodes: Iterable[Node], read: set[Node]) -> set[Node]:
    """Of nodes in order, those that depend on one of ``read``."""
    found: set[Node] = set()
    for node in nodes:
        if any(operand in read or operand in found for operand in node.operands):
            found.add(node)
    return found


def cut_out(application: Application, cut: Sequence[Node], values: list[Array]) -> Reproduction:
    """The application on inputs that stand for the nodes of its cut, which have these values."""
    inputs = {node: input(f"x{i}", node.shape, node.dtype) for i, node in enumerate(cut)}
    before, after = application.graph.substitute(inputs).outputs
    alone = tuple(inputs.values())
    return Reproduction(Graph(alone, (before,)), Graph(alone, (after,)), values)


@dataclass(frozen=True, eq=False)
class Reproduction:
    """An application cut out of its graph: two graphs of the same inputs, and arguments for which they differ."""

    before: Graph
    after: Graph
    arguments: list[Array]

    def values(self) -> tuple[Array, Array]:
        """The value before and after; what was wrong may also be that the graph after fails."""
        (before,), (after,) = evaluate(self.before, self.arguments), evaluate(self.after, self.arguments)
        return before, after

    def __str__(self) -> str:
        given = [f"{node.name} = {_shown(x)}" for node, x in zip(self.before.inputs, self.arguments, strict=True)]
        return "\n".join(
            ["before:", _indented(self.before), "after:", _indented(self.after), "with:", *given, self._difference()]
        )

    def _difference(self) -> str:
        try:
            old, new = self.values()
        except GraphadError as error:
            return f"it fails: {error}"
        apart = np.abs(old.astype(float) - new.astype(float)) if old.dtype.kind != "b" else old != new
        unlike = np.isnan(old) != np.isnan(new) if old.dtype.kind == "f" else apart > 0
        score = np.where(unlike, np.inf, np.nan_to_num(apart, nan=0.0))
        place = tuple(int(i) for i in np.unravel_index(int(np.argmax(score)), old.shape))
        return f"{f'at {list(place)} ' if place else ''}the value was {old[place]} and became {new[place]}"


def _indented(graph: Graph) -> str:
    """The graph as text, with the values of its constants."""
    names = unique_names(graph.nodes)
    values = (f" = {_shown(node.op.value)}" if isinstance(node.op, Constant) else "" for node in graph.nodes)
    lines = [f"    {node_text(node, names)}{value}" for node, value in zip(graph.nodes, values, strict=True)]
    return "\n".join([*lines, f"    return {', '.join(names[node] for node in graph.outputs)}"])


def _shown(x: Array) -> str:
    if x.size > _MOST_ELEMENTS_SHOWN:
        return f"random {x.dtype}{list(x.shape)}"
    return f"np.array({x.tolist()}, {x.dtype.name!r})" + (f".reshape({x.shape})" if x.size == 0 else "")
