"""What rules ask of a graph as a whole: what depends on data, what is trained, what a gradient flows through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from graphad.autodiff.custom import CustomGradient
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input, Parameter
from graphad.ir.node import Node
from graphad.ir.tensor_type import FLOAT32, FLOAT64
from graphad.linting.bounds import Interval, bounds
from graphad.ops.control import StopGradient
from graphad.ops.rounding import Step
from graphad.ops.structure import Cast


@dataclass(frozen=True, eq=False)
class Facts:
    """A graph, and the nodes of which the user says that it should need them."""

    graph: Graph
    declared: Mapping[Node, None]

    @cached_property
    def nodes(self) -> dict[Node, None]:
        """The nodes of the graph, operands first."""
        return dict.fromkeys(self.graph.nodes)

    @cached_property
    def bounds(self) -> Mapping[Node, Interval]:
        """Between which bounds each node lies."""
        return bounds(self.nodes)

    @cached_property
    def data(self) -> set[Node]:
        """What depends on inputs or parameters."""
        return _dependent(self.nodes, [node for node in self.nodes if isinstance(node.op, (Input, Parameter))])

    @cached_property
    def trained(self) -> set[Node]:
        """What depends on parameters that are trained."""
        return _dependent(self.nodes, [node for node in self.nodes if is_trained(node)])

    @cached_property
    def live(self) -> set[Node]:
        """What a gradient flows through, from a loss on: a float scalar that somebody declared.

        A scalar from which none flows to a trained parameter is a measure, unless one is said to be needed.
        """
        scalars = [node for node in self.graph.outputs if _may_be_loss(node) and node in self.trained]
        reached = [differentiable(node) for node in dict.fromkeys(scalars)]
        trained = [nodes for nodes in reached if any(map(is_trained, nodes))]
        losses = trained or (reached if any(map(is_trained, self.declared)) else [])
        return {node for nodes in losses for node in nodes}

    @cached_property
    def flowing(self) -> Mapping[Node, None]:
        """What a gradient flows through, from whatever output it starts."""
        return differentiable(*self.graph.outputs)

    @cached_property
    def mixed(self) -> set[Node]:
        """The float64 that comes of float64 beside float32."""
        return _dependent(self.nodes, [node for node in self.nodes if widened(node)])


def is_trained(node: Node) -> bool:
    """Whether it is a parameter that is trained."""
    return isinstance(node.op, Parameter) and node.op.trainable and node.type.is_float


def differentiable(*outputs: Node) -> dict[Node, None]:
    """What gradients of outputs reach, as far as the graph alone can tell."""
    found, pending = dict.fromkeys(outputs), list(outputs)
    while pending:
        node = pending.pop()
        fresh = [operand for operand in _passed_on(node) if operand.type.is_float and operand not in found]
        found.update(dict.fromkeys(fresh))
        pending.extend(fresh)
    return found


def _passed_on(node: Node) -> tuple[Node, ...]:
    """The operands that hear of the node's cotangent."""
    if isinstance(node.op, CustomGradient):
        return node.operands[1:]
    return () if isinstance(node.op, (StopGradient, Step)) else node.operands


def trained_parameters(loss: Node) -> list[Node]:
    """The trained parameters that the gradient of a loss reaches, in the order of declaration."""
    reached = differentiable(loss)
    return [node for node in Graph((), (loss,)).nodes if is_trained(node) and node in reached]


def widened(node: Node) -> list[Node]:
    """The float32 operands that were cast to float64, in the line of the node, to be beside another float64."""
    casts = [one for one in node.operands if _is_widening(one, node)]
    others = [one for one in node.operands if not isinstance(one.op, Cast)]
    return casts if node.dtype == FLOAT64 and others else []


def _is_widening(node: Node, reader: Node) -> bool:
    widens = isinstance(node.op, Cast) and (node.operands[0].dtype, node.dtype) == (FLOAT32, FLOAT64)
    return widens and node.origin.source == reader.origin.source


def _may_be_loss(node: Node) -> bool:
    return node.shape == () and node.type.is_float and node.origin.made_by is None


def _dependent(nodes: Iterable[Node], sources: Sequence[Node]) -> set[Node]:
    found = set(sources)
    for node in nodes:
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found
