"""Checkpoints: what a function computes is not kept for its gradient, but computed again when that is (Chen, Xu, Zhang
and Guestrin, "Training deep nets with sublinear memory cost", 2016).

Reverse mode declares the function's nodes a second time as it comes to them, and hands these to the rules in the place
of the first. What they read from outside goes through a barrier (`Recompute`), so no rewrite merges the two; and it
waits for a cotangent of the function, so no schedule computes it before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from graphad.autodiff.sweep import Sweep
from graphad.errors import ArgumentError
from graphad.ir import nest
from graphad.ir.leaves import Constant, Key, SizeOf
from graphad.ir.node import Node, apply, next_rank
from graphad.ir.topology import topological_order
from graphad.ops.build import as_node
from graphad.ops.control import Checkpointed, Recompute
from graphad.ops.structure import Copy

P = ParamSpec("P")
R = TypeVar("R")


def checkpoint(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, whose intermediate values are computed again for its gradient instead of being kept.

    It takes and returns what it takes and returns: nodes, or tuples, lists or dicts of nodes. Gradients are exactly
    those without checkpoint, also by what it uses beside its arguments, and random draws are drawn alike; it may call
    other checkpointed functions. Only its results, and what it reads, are kept. For a chain of n layers, one
    checkpoint around each of n ** 0.5 segments keeps about 2 n ** 0.5 layers and computes forward twice.

    Inside of the step of an unrolled cell, one step is computed again at a time. Second derivatives are right, but
    what they need of the gradient itself is kept.

    >>> import graphad as ga
    >>> layer = ga.checkpoint(lambda x: ga.tanh(ga.sin(x)))
    >>> x = ga.input("x", shape=("batch", 3))
    >>> ga.grad(ga.sum(layer(x)), x)
    <d_x: float32[batch, 3]>
    """
    if not callable(function):
        raise ArgumentError(f"checkpoint takes a function; got {function!r}")

    @wraps(function)
    def build(*arguments: P.args, **keywords: P.kwargs) -> R:
        since = next_rank()
        results = function(*arguments, **keywords)
        kept: R = nest.mapped(lambda result: _kept(result, since), results)
        return kept

    return build


def _kept(result: Any, since: int) -> Node | None:
    if result is None:
        return None
    node = as_node(result)
    return apply(Checkpointed(since), node, name=node.name)


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a checkpointed function: the rank at which it began, its nodes repeated, and what those read."""

    since: int
    inside: dict[Node, Node] = field(default_factory=dict)
    gates: dict[Node, Node] = field(default_factory=dict)

    def computed(self, node: Node) -> bool:
        """Whether the call declared the node and has not repeated it yet; leaves are not computed."""
        return node.origin.rank > self.since and not node.op.traits.leaf and node not in self.inside


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What one sweep of reverse mode computes again: ``again`` maps nodes inside of checkpoints to their repetition.

    Of functions inside of functions the outer is entered first and repeats all; the inner repeats its own nodes once
    more, from what the outer has repeated.
    """

    sweep: Sweep
    again: dict[Node, Node] = field(default_factory=dict)
    calls: dict[int, _Call] = field(default_factory=dict)
    times: dict[Node, int] = field(default_factory=dict)

    def enter(self, node: Node, cotangent: Node) -> None:
        """Come to a node whose cotangent is known: if it is a result of a checkpointed function, repeat that."""
        if not isinstance(node.op, Checkpointed):
            return
        call = self.calls.setdefault(node.op.since, _Call(node.op.since))
        for old in topological_order(filter(call.computed, node.operands), call.computed):
            times = self.times[old] = self.times.get(old, 0) + 1
            with self.sweep.labels(old.origin, "recomputation", old, times):
                operands = [self._operand(operand, call, cotangent) for operand in old.operands]
                op = Copy() if isinstance(old.op, Checkpointed) else old.op  # it is not entered again
                call.inside[old] = apply(op, *operands, name=old.name)
        self.again.update(call.inside)

    def _operand(self, operand: Node, call: _Call, cotangent: Node) -> Node:
        """What a repeated node reads: a repeated node, a constant, or through the barrier what was kept."""
        if operand in call.inside:
            return call.inside[operand]
        if isinstance(operand.op, (Constant, SizeOf)):
            return operand
        if operand not in call.gates:
            waits_for = () if isinstance(operand.op, Key) else (cotangent,)
            kept = self.image(operand)
            call.gates[operand] = apply(Recompute(), kept, *waits_for, name=operand.name)
        return call.gates[operand]

    def image(self, node: Node) -> Node:
        """What a rule is given for a node: its repetition, if there is one."""
        return self.again.get(node, node)
