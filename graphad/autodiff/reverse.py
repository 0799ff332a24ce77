"""Reverse mode: from a graph to the graph of its gradient. Nothing is computed here, nodes are built.

The nodes between the outputs and what is asked for are visited in reverse. The cotangents that reach a node are added
up as they arrive, so that the sum over T steps is a chain in which each link can be added in place; then the op's
rule turns the node's cotangent into those of its operands. Each node made here knows its twin, the forward node it
serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from graphad.autodiff.checkpoint import Recomputation
from graphad.autodiff.sweep import Sweep, directions
from graphad.errors import ArgumentError, GradientError, UnreachedError
from graphad.ir import nest
from graphad.ir.builder import located
from graphad.ir.collection import without_collection
from graphad.ir.node import COTANGENT, Node, Origin
from graphad.ir.topology import reachable
from graphad.ops.build import constant
from graphad.ops.shaping import zeros_like
from graphad.ops.slicing import Assemble, joined

Disconnected = Literal["raise", "zero"]


@located
def grad(loss: Node, wrt: Any, disconnected: Disconnected = "raise") -> Any:
    """The gradient of a scalar, as nodes, in the structure of ``wrt``: a node, or tuples, lists or dicts of them.

    GradientError if ``loss`` is no float scalar or ``wrt`` holds something that has no gradient; UnreachedError if
    the loss does not depend on one of them, unless ``disconnected="zero"``.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=(3,))
    >>> grad(ga.sum(ga.tanh(x)), x)
    <d_x: float32[3]>
    """
    if not isinstance(loss, Node) or loss.shape != () or not loss.type.is_float:
        raise GradientError(f"a gradient is of a float scalar; {loss!r} is none: take its sum or mean, or use ga.vjp")
    return _pulled_back(loss, wrt, constant(1.0, loss.dtype), disconnected)


@located
def vjp(outputs: Any, wrt: Any, cotangents: Any, disconnected: Disconnected = "raise") -> Any:
    """The cotangents of ``wrt``, given those of ``outputs``: the transposed Jacobian times ``cotangents``.

    ``outputs`` and ``cotangents`` have one structure and equal types; the result has the structure of ``wrt``.
    """
    return _pulled_back(outputs, wrt, cotangents, disconnected)


@without_collection
def _pulled_back(outputs: Any, wrt: Any, cotangents: Any, disconnected: Disconnected) -> Any:
    check_choice(disconnected)
    nest.check_alike(outputs, cotangents)
    ends, starts = nest.leaves(outputs), nest.leaves(wrt)
    check_differentiable([*ends, *starts])
    given = directions(nest.leaves(cotangents), ends, "cotangent")
    found = cotangents_of(ends, given, starts, Sweep())
    for node in starts:
        if node not in found:
            refuse_unreached(node, disconnected)
    return nest.rebuilt(wrt, iter([found[node] if node in found else zeros_like(node) for node in starts]))


def check_choice(disconnected: Any) -> None:
    """An ArgumentError for what says neither "raise" nor "zero"."""
    if disconnected not in ("raise", "zero"):
        raise ArgumentError(f'disconnected is "raise" or "zero"; got {disconnected!r}')


def check_differentiable(nodes: Iterable[Any]) -> None:
    """A GradientError unless all are float nodes."""
    for node in nodes:
        if not isinstance(node, Node):
            raise GradientError(f"{node!r} is no node: gradients are taken of nodes, with respect to nodes")
        if not node.type.is_float:
            raise GradientError(f"{node!r} is not differentiable: its values are {node.dtype}; use floats")


def refuse_unreached(node: Node, disconnected: Disconnected) -> None:
    """An UnreachedError for a node that no gradient reaches, unless that is to mean zero."""
    if disconnected == "zero":
        return
    raise UnreachedError(
        f"no gradient reaches {node!r} (declared at {node.origin.place or 'an unknown line'}): the loss does not "
        "depend on it, or only through stop_gradient, integers or truth values; leave it out, or pass "
        'disconnected="zero" to get zeros'
    )


def cotangents_of(
    outputs: Sequence[Node], seeds: Sequence[Node], wrt: Sequence[Node], sweep: Sweep
) -> Mapping[Node, Node]:
    """The cotangent of each node of ``wrt`` that one reaches, given those of the outputs."""
    active = reachable(wrt, outputs)
    kept, recomputation = set(wrt), Recomputation(sweep)
    arrivals = {node: _Arrivals(node, sweep) for node in active}
    for number, (output, seed) in enumerate(zip(outputs, seeds, strict=True), start=1):
        if output in arrivals:
            arrivals[output].add(seed, output, position=-number)
    found: dict[Node, Node] = {}
    for node in reversed(active):
        cotangent = arrivals.pop(node).total()
        if cotangent is not None:
            recomputation.enter(node, cotangent)
            _pull_back(node, cotangent, arrivals, recomputation)
            found.update({node: cotangent} if node in kept else {})
    return found


def _pull_back(node: Node, cotangent: Node, arrivals: Mapping[Node, _Arrivals], recomputation: Recomputation) -> None:
    """Turn the node's cotangent into its operands', by the op's rule."""
    if not any(operand in arrivals for operand in node.operands):
        return
    result, *operands = map(recomputation.image, (node, *node.operands))
    with recomputation.sweep.labels(node.origin, made_by=f"vjp of {node.op.name}", twin=node):
        contributions = node.op.vjp(cotangent, result, *operands)
    for position, (operand, contribution) in enumerate(zip(node.operands, contributions, strict=True)):
        if contribution is not None and operand in arrivals and operand.type.is_float:
            arrivals[operand].add(contribution, node, position)


class _Arrivals:
    """What has arrived of one node's cotangent: its sum, and the assemblies, which are joined once, at the end."""

    __slots__ = ("assemblies", "node", "sum", "sweep")

    def __init__(self, node: Node, sweep: Sweep) -> None:
        self.node = node
        self.sweep = sweep
        self.sum: Node | None = None
        self.assemblies: list[Node] = []

    def add(self, contribution: Node, reader: Node, position: int) -> None:
        """Add what the rule of ``reader`` gave to its operand at ``position``."""
        contribution = self._in_step(contribution, reader)
        if isinstance(contribution.op, Assemble):
            self.assemblies.append(contribution)
        elif self.sum is None:
            self.sum = self._labelled(contribution, reader)
        else:
            with self.sweep.labels(self._origin(reader), COTANGENT, self.node, position):
                self.sum = self.sum + contribution

    def _origin(self, reader: Node) -> Origin:
        """Where a contribution of the reader belongs: to the reader's step, or if it has none (stack) to the node's."""
        own, outside = self.node.origin, reader.origin
        if own.template is None or outside.template is not None:
            return outside
        return replace(outside, scope=own.scope, step=own.step, template=(own.template, outside))

    def _in_step(self, contribution: Node, reader: Node) -> Node:
        """What a reader without a step made for one with a step bears the labels of that step, and so can be folded."""
        origin, place = contribution.origin, self._origin(reader)
        if place is reader.origin or origin.twin is not reader or origin.made_by == COTANGENT:
            return contribution
        template = (place.template, self.sweep.number)
        labelled = replace(origin, scope=place.scope, step=place.step, template=template)
        return Node(contribution.op, contribution.operands, contribution.type, contribution.name, labelled)

    def total(self) -> Node | None:
        """The cotangent; None if nothing arrived."""
        if not self.assemblies:
            return self.sum
        after_operands = len(self.node.operands)
        with self.sweep.labels(self.node.origin, COTANGENT, self.node, after_operands):
            together = joined(self.assemblies)
            return together if self.sum is None else self.sum + together

    def _labelled(self, contribution: Node, reader: Node) -> Node:
        """The contribution as the cotangent of the node, if the reader's rule made it; else it is that of another."""
        origin = contribution.origin
        if origin.twin is not reader or origin.made_by == COTANGENT:
            return contribution
        mine = replace(origin, twin=self.node, made_by=COTANGENT)
        return Node(contribution.op, contribution.operands, contribution.type, contribution.name, mine)
