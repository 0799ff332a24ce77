"""Formulas that overflow, round to 0 or lose digits on their way, in the form that does not.

Each rule is an identity of real numbers, so the result agrees to rounding, but where the formula as it was written gave
NaN, infinity or no digits the other form may give the true value. Never the other way: what was a number stays one, and
NaN in an operand stays NaN. What is shifted by its greatest element already stays as it is.
"""

from __future__ import annotations

from typing import NamedTuple

from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import product
from graphad.ops.arithmetic import Add, Divide, Multiply, Negative, Subtract
from graphad.ops.reduction import max
from graphad.ops.selection import isfinite, where
from graphad.ops.softmax import logsumexp
from graphad.ops.structure import BroadcastTo, Reshape, Sum, spread
from graphad.ops.transcendental import Exp, Log, Log1p, Sigmoid, exp, expm1, log, log1p, sigmoid, softplus
from graphad.rewrite.constants import is_everywhere
from graphad.rewrite.driver import Rewrites, Rule
from graphad.rewrite.patterns import alike, complement, one_plus, opposite, picks, softmax_terms, total_of, unshifted

_DEPTH = 4


def log_of_exp(node: Node) -> Node | None:
    """log(exp(x)) -> x."""
    inner = _argument(node)
    return inner.operands[0] if inner is not None and isinstance(inner.op, Exp) else None


def log_of_softmax(node: Node) -> Node | None:
    """log(exp(x) / sum(exp(x))) -> x - log(sum(exp(x))), where x is shifted by its greatest element."""
    share = _argument(node)
    x = None if share is None else softmax_terms(share)
    if share is None or x is None:
        return None
    terms, divisor = share.operands
    total = total_of(terms, divisor)
    if total is None or (unshifted(x) is None and _is_empty(x, total.axes)):
        return None
    below, whole = x, total.node
    if unshifted(x) is None:
        below = _shifted(x, total.axes)
        whole = apply(total.node.op, exp(below))
    return below - spread(log(whole), x.shape, total.axes)


def log_of_sum_of_exp(node: Node) -> Node | None:
    """log(sum(exp(x))) -> logsumexp(x), which shifts x by its greatest element, unless x is shifted."""
    total = _argument(node)
    if total is None or not isinstance(total.op, Sum) or not isinstance(total.operands[0].op, Exp):
        return None
    (x,) = total.operands[0].operands
    if unshifted(x) is not None or _is_empty(x, total.op.axes):
        return None
    return logsumexp(x, total.op.axes, keepdims=total.op.keepdims)


def log_of_sigmoid(node: Node) -> Node | None:
    """log(sigmoid(x)) -> -softplus(-x); log(1 - sigmoid(x)) -> -softplus(x)."""
    inner = _argument(node)
    if inner is None:
        return None
    if isinstance(inner.op, Sigmoid):
        return -softplus(_negated(inner.operands[0]))
    x = opposite(inner)
    return None if x is None else -softplus(x)


def log_of_part(node: Node) -> Node | None:
    """log(p[i]) -> log(p)[i], if one of the rules above knows log(p): a softmax at its label, a reshaped sum."""
    inner, parts = _argument(node), []
    while inner is not None and inner.operands and picks(inner.op):
        parts.append(inner)
        inner = inner.operands[0]
    if inner is None or not parts:
        return None
    whole = apply(Log(), inner)
    found = next((after for rule in _OF_LOGARITHMS if (after := rule(whole)) is not None), None)
    if found is None:
        return None
    for part in reversed(parts):
        found = apply(part.op, found, *part.operands[1:])
    return found


_OF_LOGARITHMS: tuple[Rule, ...] = (log_of_exp, log_of_softmax, log_of_sum_of_exp, log_of_sigmoid)


def log_of_one_plus_exp(node: Node) -> Node | None:
    """log(1 + exp(x)), log1p(exp(x)) -> softplus(x)."""
    inner = _argument(node)
    x = node.operands[0] if isinstance(node.op, Log1p) else None if inner is None else one_plus(inner)
    return softplus(x.operands[0]) if x is not None and isinstance(x.op, Exp) else None


def log_of_one_plus(node: Node) -> Node | None:
    """log(1 + x) -> log1p(x)."""
    inner = _argument(node)
    x = None if inner is None else one_plus(inner)
    return None if x is None else log1p(x)


def log_of_one_minus(node: Node) -> Node | None:
    """log(1 - x) -> log1p(-x)."""
    inner = _argument(node)
    x = None if inner is None else complement(inner)
    return None if x is None else log1p(_negated(x))


def exp_less_one(node: Node) -> Node | None:
    """exp(x) - 1, exp(x) + -1 -> expm1(x)."""
    if not isinstance(node.op, (Subtract, Add)):
        return None
    pairs = [node.operands, node.operands[::-1]] if isinstance(node.op, Add) else [node.operands]
    for terms, number in pairs:
        if isinstance(terms.op, Exp) and is_everywhere(number, -1.0 if isinstance(node.op, Add) else 1.0):
            return expm1(terms.operands[0])
    return None


def sigmoid_by_hand(node: Node) -> Node | None:
    """1 / (1 + exp(x)) -> sigmoid(-x)."""
    if not isinstance(node.op, Divide) or not is_everywhere(node.operands[0], 1.0):
        return None
    terms = one_plus(node.operands[1])
    return sigmoid(_negated(terms.operands[0])) if terms is not None and isinstance(terms.op, Exp) else None


def share_of_exp(node: Node) -> Node | None:
    """exp(x) / sum(exp(x)) -> the same with x shifted by its greatest element; exp(x) / (1 + exp(x)) -> sigmoid(x)."""
    return _share(*node.operands) if isinstance(node.op, Divide) else None


def multiply_share(node: Node) -> Node | None:
    """(a / sum(exp(x))) * exp(x) -> a * softmax(x), also where the quotient is repeated or negated: a gradient."""
    if not isinstance(node.op, Multiply):
        return None
    x, y = node.operands
    for factor, terms in ((x, y), (y, x)):
        found = _undivided(factor, terms, (), _DEPTH) if isinstance(terms.op, Exp) else None
        share = None if found is None else _share(terms, found.divisor)
        if found is not None and share is not None:
            return found.dividend * share
    return None


class _Quotient(NamedTuple):
    """A dividend and a divisor, both repeated to the shape of their quotient."""

    dividend: Node
    divisor: Node


def _undivided(node: Node, terms: Node, outer: tuple[Node, ...], depth: int) -> _Quotient | None:
    """The quotient that the node is, under ``outer``: what repeats, reshapes or negates it."""
    while isinstance(node.op, (BroadcastTo, Reshape, Negative)):
        outer = (node, *outer)
        (node,) = node.operands
    if isinstance(node.op, Divide):
        views = tuple(one for one in outer if not isinstance(one.op, Negative))
        return _Quotient(_under(outer, node.operands[0]), _under(views, node.operands[1]))
    if not isinstance(node.op, Add) or not depth:
        return None
    found = [_undivided(term, terms, outer, depth - 1) for term in node.operands]
    left, right = found
    if left is None or right is None or not alike(left.divisor, right.divisor):
        return None
    return _Quotient(left.dividend + right.dividend, left.divisor)


def _under(outer: tuple[Node, ...], node: Node) -> Node:
    for one in outer:
        node = apply(one.op, node)
    return node


def _share(terms: Node, divisor: Node) -> Node | None:
    """exp(x) / divisor, if what is divided by is a sum of the terms, or 1 and them, and it may overflow."""
    if not isinstance(terms.op, Exp):
        return None
    (x,) = terms.operands
    if one_plus(divisor) is terms:
        return sigmoid(x)
    total = total_of(terms, divisor)
    if total is None or unshifted(x) is not None or _is_empty(x, total.axes):
        return None
    shifted = exp(_shifted(x, total.axes))
    return shifted / spread(apply(Sum(total.axes, keepdims=True), shifted), x.shape, total.axes)


def _shifted(x: Node, axes: tuple[int, ...]) -> Node:
    """x less its greatest element, if that is finite: beside infinities the others stay what they were."""
    greatest = max(x, axes, keepdims=True)
    return x - where(isfinite(greatest), greatest, 0.0)


def _is_empty(x: Node, axes: tuple[int, ...]) -> bool:
    """Whether there is nothing along the axes, so no greatest element."""
    return product(x.shape[axis] for axis in axes) == 0


def _negated(x: Node) -> Node:
    """-x, so that what is negated twice is found to be what it was."""
    return x.operands[0] if isinstance(x.op, Negative) else -x


def _argument(node: Node) -> Node | None:
    """What a logarithm is taken of."""
    return node.operands[0] if isinstance(node.op, Log) else None


STABILITY: tuple[Rule, ...] = (
    *_OF_LOGARITHMS,
    log_of_part,
    log_of_one_plus_exp,
    log_of_one_plus,
    log_of_one_minus,
    exp_less_one,
    sigmoid_by_hand,
    share_of_exp,
    multiply_share,
)
STABILISE = Rewrites("stable forms", STABILITY, exact=False)
