"""Which operation is to blame for a wrong gradient.

Move one entry of a variable, and every value of the graph moves along a tangent t, which differences give. Let c be the
cotangents that reverse mode gives. A right rule keeps what it is handed: for an operation on operands x with the
result v, <c(v), t(v)> = sum over x of <what the rule hands x, t(x)>. From the loss down to the entry, these equations
add up to "the derivative by differences = the gradient by the graph": so what is wrong with a gradient is the sum of
what single rules fail to keep. Of those that fail, the one nearest to the loss is to blame: its own cotangent is right.
One pass over the graph finds it, however deep that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import numpy as np

from graphad.autodiff.custom import CustomGradient
from graphad.autodiff.reverse import grad
from graphad.check.comparison import Comparison
from graphad.check.problem import Problem
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import COTANGENT, Node, application_text, labels_from
from graphad.ir.op import Array
from graphad.ir.topology import reachable

Arrays: TypeAlias = Mapping[Node, Array]
_LEAST_SHARE = 0.05
"""Of what is missing, what a rule must account for at least to be blamed."""
_COPYS_SHARE = 1e-6
"""Likewise, to be counted as one more that fails."""


@dataclass(frozen=True, eq=False)
class Blame:
    """The operation whose rule is wrong, and what is to be said of it."""

    node: Node
    text: str

    @property
    def is_deliberate(self) -> bool:
        """Whether the operation is there to change a gradient, and not to have one that somebody wrote."""
        return _is_deliberate(self.node)


@dataclass(frozen=True, eq=False)
class _Rule:
    """One application of an operation's rule: what it was handed, and what it handed on, each along the tangents."""

    node: Node
    handed: float
    passed: tuple[float, ...]

    @property
    def missing(self) -> float:
        """What the rule failed to keep."""
        return self.handed - sum(self.passed)

    def fails(self, least: float) -> bool:
        """Whether as much is missing; if that is no finite number, whether this rule is where it ceases to be one."""
        return abs(self.missing) > least if isfinite(least) else isfinite(self.handed) and not isfinite(self.missing)


def blame(problem: Problem, wrong: Comparison) -> Blame | None:
    """The operation to blame for a wrong comparison; None if no single one accounts for it."""
    start = problem.nodes[wrong.place]
    active = [node for node in reachable([start], [problem.loss]) if node.type.is_float]
    tangents = _tangents(problem, wrong, active)
    missing = abs(wrong.slope.value - wrong.number)
    rules = _rules(problem, active, tangents)
    failing = [rule for rule in rules if rule.fails(_LEAST_SHARE * missing)]
    if not failing:
        return None
    first = failing[-1]
    wanted = _wanted(problem, first, tangents, wrong.slope.width)
    return Blame(first.node, _text(first, wanted, _copies(first.node, rules, _COPYS_SHARE * missing)))


def _tangents(problem: Problem, wrong: Comparison, active: Sequence[Node]) -> dict[Node, Array]:
    """How each value moves with the entry: central differences at two widths, extrapolated."""
    graph = Graph(problem.nodes, tuple(active))

    def central(width: float) -> list[Array]:
        ends = []
        for step in (width, -width):
            values = problem.values
            values[wrong.place] = values[wrong.place] + step * wrong.direction
            ends.append(evaluate(graph, values))
        return [(right - left) / (2 * width) for right, left in zip(*ends, strict=True)]

    wide, narrow = central(4 * wrong.slope.width), central(wrong.slope.width)
    return {node: (16 * n - w) / 15 for node, n, w in zip(active, narrow, wide, strict=True)}


def _rules(problem: Problem, active: Sequence[Node], tangents: Arrays) -> list[_Rule]:
    """The rules between the variable and the loss, applied to the cotangents of reverse mode."""
    computed = [node for node in active if any(operand in tangents for operand in node.operands)]
    cotangents = grad(problem.loss, computed, disconnected="zero")
    handed_on = [_apply_rule(node, c) for node, c in zip(computed, cotangents, strict=True)]
    wanted = [node for row in handed_on for node in row if node is not None]
    values = evaluate(Graph(problem.nodes, (*cotangents, *wanted)), problem.values)
    found, rest = dict(zip(cotangents, values, strict=False)), iter(values[len(cotangents) :])
    rules = []
    for node, cotangent, row in zip(computed, cotangents, handed_on, strict=True):
        parts = [None if one is None else next(rest) for one in row]
        passed = tuple(
            0.0 if part is None or operand not in tangents else _along(part, tangents[operand])
            for part, operand in zip(parts, node.operands, strict=True)
        )
        rules.append(_Rule(node, _along(found[cotangent], tangents[node]), passed))
    return rules


def _apply_rule(node: Node, cotangent: Node) -> tuple[Node | None, ...]:
    with labels_from(node.origin, made_by=f"vjp of {node.op.name}", twin=node):
        return node.op.vjp(cotangent, node, *node.operands)


def _along(part: Array, tangent: Array) -> float:
    """Their product, in which 0 times infinity is 0."""
    return float(np.vdot(part, np.where(part, tangent, 0.0)))


def _copies(first: Node, rules: Sequence[_Rule], least: float) -> int:
    """How many other applications of the same operation in the same line fail too."""
    failing = (rule.node for rule in rules if rule.node is not first and rule.fails(least))
    return sum(type(node.op) is type(first.op) and node.origin.source == first.origin.source for node in failing)


def _wanted(problem: Problem, rule: _Rule, tangents: Arrays, width: float) -> list[float]:
    """What the rule should pass on to each operand, by differences of the operation alone."""
    node = rule.node
    (cotangent,) = grad(problem.loss, [node], disconnected="zero")
    given, *operands = evaluate(Graph(problem.nodes, (cotangent, *node.operands)), problem.values)
    found = []
    for place, operand in enumerate(node.operands):
        right, left = list(operands), list(operands)
        if operand in tangents:
            right[place] = operands[place] + width * tangents[operand]
            left[place] = operands[place] - width * tangents[operand]
        with np.errstate(all="ignore"):
            moved = (node.op.kernel(*right) - node.op.kernel(*left)) / (2 * width)
        found.append(_along(given, moved))
    return found


def _text(rule: _Rule, wanted: Sequence[float], copies: int) -> str:
    node = rule.node
    if isinstance(node.op, CustomGradient):
        return (
            f"to blame is the vjp that was written for {node.op.function}, in {_called(node)}: its cotangent is right, "
            f"but it passes {sum(rule.passed):.6g} on, where differences say {rule.handed:.6g}"
        )
    if _is_deliberate(node):
        return f"{_called(node)} changes gradients on purpose, and differences look through it: check a loss without it"
    off = [abs(right - passed) for right, passed in zip(wanted, rule.passed, strict=True)]
    place = int(np.argmax(np.nan_to_num(off, nan=np.inf)))
    more = f"; so it does {copies} more times in that line" if copies else ""
    operand = f"{node.operands[place].label} (number {place + 1})"
    return (
        f"to blame is the gradient rule of {_called(node)}: its own cotangent is right, but to its operand {operand} "
        f"it passes {rule.passed[place]:.6g} on, where differences say {wanted[place]:.6g}{more}"
    )


def _is_deliberate(node: Node) -> bool:
    return node.op.traits.identity and not isinstance(node.op, CustomGradient)


def _called(node: Node) -> str:
    """The operation on its operands, its step and line, and what made it if that was not the user."""
    origin = node.origin
    place = f" (at {origin.place})" if origin.place else ""
    by = "" if origin.made_by is None else f", made by the {origin.made_by}"
    if origin.made_by == COTANGENT:
        by = "" if origin.twin is None else f", the cotangent of {origin.twin.label}"
    return f"{application_text(node.op, node.operands)}{place}{by}"
