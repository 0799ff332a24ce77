"""lint: look at a graph, without running it, for what its author will not have meant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from graphad.errors import ArgumentError
from graphad.ir import nest
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input, Parameter
from graphad.ir.node import Node
from graphad.linting.facts import Facts
from graphad.linting.rules import RULES


@dataclass(frozen=True, eq=False)
class Warning:
    """One thing that is amiss: the name of the rule, what it says, the node, and at how many nodes of that line."""

    kind: str
    message: str
    node: Node
    count: int = 1

    def __str__(self) -> str:
        place = self.node.origin.place
        more = f" (and {self.count - 1} more times)" if self.count > 1 else ""
        return f"{place}{': ' if place else ''}{self.message}{more} [{self.kind}]"


def lint(graph: Any, wrt: Any = ()) -> list[Warning]:
    """Warn of what in a graph, or in nodes and what they depend on, is likely to be a mistake; nothing is run.

    ``graph`` is a `Graph`, whose inputs should all be used, or a node or a structure of nodes; ``wrt`` are parameters
    or inputs that should be used too. Scalars among the outputs are taken for losses, if they depend on trained
    parameters. What differentiation made is not looked at. ArgumentError for what is no graph and no node.

    There are rules for gradients that become NaN (a `where` around log or sqrt, roots and logarithms at 0, divisions by
    counts), for overflow and lost digits (exp, log of softmax, logsumexp, log1p, == of floats), for dtypes (float64
    beside float32), for losses (argmax in them, probabilities for logits, softmax of one score, sums divided by a
    number or with //) and for what is not used.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 3))
    >>> [warning.kind for warning in lint(ga.log(ga.softmax(x)))]
    ['log_of_softmax']
    """
    outputs = graph.outputs if isinstance(graph, Graph) else nest.leaves(graph)
    declared = [*(graph.inputs if isinstance(graph, Graph) else ()), *nest.leaves(wrt)]
    for node in [*outputs, *declared]:
        if not isinstance(node, Node):
            raise ArgumentError(f"lint looks at graphs and nodes; got {node!r}")
    facts = Facts(Graph((), tuple(outputs)), dict.fromkeys(declared))
    found: dict[tuple[Any, ...], Warning] = {}
    for node in dict.fromkeys([*facts.nodes, *facts.declared]):
        for warning in _warnings(node, facts):
            key = (warning.kind, node.origin.source, warning.message)
            found[key] = replace(found[key], count=found[key].count + 1) if key in found else warning
    return list(found.values())


def _warnings(node: Node, facts: Facts) -> list[Warning]:
    if node.origin.made_by is not None and not isinstance(node.op, (Input, Parameter)):
        return []
    told = [(rule, rule(node, facts)) for rule in RULES]
    return [Warning(rule.__name__, message, node) for rule, message in told if message is not None]
