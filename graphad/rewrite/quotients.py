"""Quotients that are multiplied by what they were divided by: what a gradient does behind a logarithm.

The gradient of log(p), p = e / s, e = exp(x), is ((g / p) / s) * e. Where e rounds to 0, that is 0 / 0. In exact
arithmetic e, s and p are positive for every x, so the quotients cancel, always: what is left is g, and finite. Nothing
else cancels: (x / n) * n stays NaN where n is 0, since a count, unlike an exponential, may be 0. A number stays a
number; a NaN in x alone no longer reaches a product from which exp(x) has gone. What a loop records and reads back is
not looked through: a probability that is fed into the next step stays a divisor.
"""

from __future__ import annotations

from collections.abc import Callable

from graphad.ir.node import Node, apply
from graphad.ops.arithmetic import Add, Divide, Multiply, Negative
from graphad.ops.structure import Reshape, Sum
from graphad.ops.transcendental import Exp
from graphad.rewrite.driver import Rewrites
from graphad.rewrite.patterns import Total, alike, is_positive, picks, total_of

_DEPTH = 5
"""How many nodes lie between a product and the quotient in it, at the most."""


def multiply_by_divisor(node: Node) -> Node | None:
    """(a / b) * b -> a, ((a / (b / c)) / c) * b -> a, (a / b + d) * b -> a + d * b, for what is positive."""
    if not isinstance(node.op, Multiply):
        return None
    x, y = node.operands
    for quotient, factor in ((x, y), (y, x)):
        found = _times(quotient, factor, _DEPTH) if is_positive(factor) else None
        if found is None and isinstance(factor.op, Multiply):
            found = _times_product(quotient, factor)
        if found is not None:
            return found
    return None


def _times_product(x: Node, factors: Node) -> Node | None:
    """(a / b) * (b * c) -> a * c."""
    for factor, other in (factors.operands, factors.operands[::-1]):
        found = _times(x, factor, _DEPTH) if is_positive(factor) else None
        if found is not None:
            return found * other
    return None


def _times(x: Node, factor: Node, depth: int) -> Node | None:
    """x * factor, without the division by the factor that x holds; None if it holds none."""
    rule = _INSIDE.get(type(x.op), _times_scattered)
    return rule(x, factor, depth - 1) if depth else None


def _times_quotient(x: Node, factor: Node, depth: int) -> Node | None:
    """(a / b) * b -> a; (a / c) * b -> a * (b / c), if that cancels, or a * b / c, if that does."""
    dividend, divisor = x.operands
    if alike(divisor, factor):
        return dividend
    share = _times(dividend, apply(Divide(), factor, divisor), depth) if is_positive(divisor) else None
    if share is not None:
        return share
    found = _times(dividend, factor, depth)
    return None if found is None else found / divisor


def _times_negative(x: Node, factor: Node, depth: int) -> Node | None:
    """-(a / b) * b -> -a."""
    found = _times(x.operands[0], factor, depth)
    return None if found is None else -found


def _times_sum(x: Node, factor: Node, depth: int) -> Node | None:
    """(a / b + d) * b -> a + d * b."""
    found = [_times(term, factor, depth) for term in x.operands]
    if all(one is None for one in found):
        return None
    left, right = (term * factor if one is None else one for one, term in zip(found, x.operands, strict=True))
    return left + right


def _times_product_of(x: Node, factor: Node, depth: int) -> Node | None:
    """((a / b) * c) * b -> a * c."""
    for one, other in (x.operands, x.operands[::-1]):
        found = _times(one, factor, depth)
        if found is not None:
            return found * other
    return None


def _times_reshaped(x: Node, factor: Node, depth: int) -> Node | None:
    """reshape(a / b.reshape(s)) * b -> reshape(a)."""
    (inner,) = x.operands
    found = _times(inner, apply(Reshape(inner.shape), factor), depth)
    return None if found is None else apply(x.op, found)


def _times_scattered(x: Node, factor: Node, depth: int) -> Node | None:
    """scatter(a / b[i], i) * b -> scatter(a, i): the cotangent of what picks from b, whatever it is that picks."""
    for values in x.operands:
        picked = _picked(values)
        if picked is None or not alike(picked.operands[0], factor):
            continue
        found = _times(values, picked, depth)
        before = picked.op.vjp(values, picked, *picked.operands)[0]
        if found is not None and before is not None and alike(before, x):
            return picked.op.vjp(found, picked, *picked.operands)[0]
    return None


def _picked(values: Node) -> Node | None:
    """b[i], if the values are a / b[i], reshaped or not."""
    if isinstance(values.op, Reshape):
        (values,) = values.operands
    if not isinstance(values.op, Divide):
        return None
    picked = values.operands[1]
    while isinstance(picked.op, Reshape):
        (picked,) = picked.operands
    return picked if picks(picked.op) else None


_INSIDE: dict[type, Callable[[Node, Node, int], Node | None]] = {
    Divide: _times_quotient,
    Negative: _times_negative,
    Add: _times_sum,
    Multiply: _times_product_of,
    Reshape: _times_reshaped,
}


def divide_after_sum(node: Node) -> Node | None:
    """sum(a / t), t = sum(exp(x)) over the same axes -> sum(a) / t: fewer divisions, and none by a repeated divisor.

    Only where the a come close to the greatest float could their sum overflow.
    """
    if not isinstance(node.op, Sum):
        return None
    (terms,) = node.operands
    quotient = terms.operands[0] if isinstance(terms.op, Negative) else terms
    if not isinstance(quotient.op, Divide):
        return None
    dividend, divisor = quotient.operands
    total = _sum_of_exp(divisor)
    if total is None or total.axes != node.op.axes:
        return None
    same = total.node.shape == node.shape
    result = apply(node.op, dividend) / (total.node if same else apply(Reshape(node.shape), total.node))
    return result if quotient is terms else -result


def _sum_of_exp(divisor: Node) -> Total | None:
    """The sum of exp(x) that is repeated to the shape of x."""
    inner = divisor
    while picks(inner.op) and not isinstance(inner.op, Sum):
        inner = inner.operands[0]
    is_one = isinstance(inner.op, Sum) and isinstance(inner.operands[0].op, Exp)
    return total_of(inner.operands[0], divisor) if is_one else None


CANCEL = Rewrites("quotients that cancel", (multiply_by_divisor, divide_after_sum), exact=False)
