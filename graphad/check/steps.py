"""From which time step on a gradient made by hand is wrong.

What is computed by hand at a step is compared with the cotangents that reverse mode finds for that step. Where a
cotangent turns up by hand at the last steps and at no earlier one, the mistake lies in what carries it back in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from graphad.autodiff.reverse import grad
from graphad.check.problem import Problem
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node, Template
from graphad.ir.op import Array
from graphad.ir.topology import reachable

_SAME = 1e-9
Series: TypeAlias = Mapping[Template | None, Mapping[int, tuple[Node, Array]]]
"""For each node of a repeated step, its copy at each step and that copy's value."""


@dataclass(frozen=True, eq=False)
class _Lost:
    """A node whose cotangent is found by hand at its step and those after it, but at none before.

    ``distances`` says how far off what is computed by hand is at each step.
    """

    node: Node
    step: int
    distances: Mapping[int, float]


def lost_on_the_way(problem: Problem) -> str:
    """Which cotangent is lost between two steps, if one is; "" if none is, or if nothing bears the labels of steps."""
    forward = [node for node in reachable(problem.nodes, [problem.loss]) if _has_step(node)]
    computed = set(Graph((), (problem.loss,)).nodes)
    by_hand = [node for node in Graph((), problem.gradients).nodes if _has_step(node) and node not in computed]
    cotangents = grad(problem.loss, forward, disconnected="zero")
    values = evaluate(Graph(problem.nodes, (*cotangents, *by_hand)), problem.values)
    lost = _lost(_series(forward, values[: len(forward)]), _series(by_hand, values[len(forward) :]))
    if lost is None:
        return ""
    before, first = lost.step - 1, min(lost.distances)
    return (
        f"the cotangent of {lost.node.label} (at {lost.node.origin.place}) is found by hand, and no more at step "
        f"{before} (off by {lost.distances[before]:.2g}; at step {first} by {lost.distances[first]:.2g}): look at what "
        "carries it from one step to the one before"
    )


def _has_step(node: Node) -> bool:
    return node.type.is_float and node.origin.step is not None and node.origin.template is not None


def _series(nodes: Sequence[Node], values: Sequence[Array]) -> Series:
    found: dict[Template | None, dict[int, tuple[Node, Array]]] = {}
    for node, value in zip(nodes, values, strict=True):
        if node.origin.step is not None:
            found.setdefault(node.origin.template, {})[node.origin.step] = node, value
    return found


def _lost(cotangents: Series, by_hand: Series) -> _Lost | None:
    """Of all that are lost, a named one, and what comes nearest to it."""
    lost = [one for copies in cotangents.values() for one in _lost_of(copies, by_hand)]
    return min(lost, key=lambda one: (one.node.name is None, one.distances[one.step - 1]), default=None)


def _lost_of(copies: Mapping[int, tuple[Node, Array]], by_hand: Series) -> list[_Lost]:
    lost = []
    for series in by_hand.values():
        steps = sorted(step for step, (_, cotangent) in copies.items() if step in series and cotangent.any())
        distances = {step: _distance(series[step][1], copies[step][1]) for step in steps}
        missing = [step for step in steps if distances[step] > _SAME]
        if steps and not missing:
            return []
        if missing and missing == [step for step in steps if step <= missing[-1]] and missing[-1] + 1 in distances:
            lost.append(_Lost(copies[missing[-1] + 1][0], missing[-1] + 1, distances))
    return lost


def _distance(value: Array, cotangent: Array) -> float:
    if value.shape != cotangent.shape:
        return np.inf
    return float(np.abs(value - cotangent).max() / np.abs(cotangent).max())
