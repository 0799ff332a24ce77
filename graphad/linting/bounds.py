"""Between which bounds the elements of every node lie, and whether they can be 0: what follows from the graph alone.

Each operation maps the intervals of its operands to one of its result. What is not known is anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isnan, pi
from typing import Any, TypeAlias

import numpy as np

from graphad.ir.leaves import Constant, SizeOf
from graphad.ir.node import Node
from graphad.ir.op import Op
from graphad.linting.patterns import Test, number, test_of
from graphad.ops.activation import Softsign
from graphad.ops.arithmetic import Add, Divide, Multiply, Negative, Reciprocal, Rsqrt, Sqrt, Square, Subtract
from graphad.ops.contraction import Matmul
from graphad.ops.error_function import Erf, Erfc
from graphad.ops.gather import Take
from graphad.ops.indexing import OneHot, TakeAlongAxis
from graphad.ops.padding import Pad
from graphad.ops.random import Uniform
from graphad.ops.reduction import Extreme, Prod
from graphad.ops.scan import CumSum
from graphad.ops.selection import (
    Absolute,
    Clip,
    Equal,
    FMax,
    FMin,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Maximum,
    Minimum,
    Relu,
    Sign,
    Where,
)
from graphad.ops.slicing import Assemble, Concatenate, Stack
from graphad.ops.statistics import Norm
from graphad.ops.structure import Cast, Copy, Sum
from graphad.ops.transcendental import Exp, Exp2, Expm1, Log, Log1p, Power, Sigmoid, Softplus, Tanh
from graphad.ops.trigonometry import Arctan, Cos, Sin
from graphad.rewrite.patterns import bare, softmax_terms, unshifted


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included; ``nonzero``: 0 is not in it."""

    low: float = -inf
    high: float = inf
    nonzero: bool = False

    @property
    def is_positive(self) -> bool:
        """Whether all of it is greater than 0."""
        return self.low > 0 or (self.low == 0 and self.nonzero)

    @property
    def may_touch_zero(self) -> bool:
        """Whether it ends at 0 from above, and 0 is in it: as counts, lengths and squares do."""
        return self.low == 0 and not self.nonzero

    @property
    def never_zero(self) -> bool:
        """Whether 0 is not in it."""
        return self.nonzero or self.low > 0 or self.high < 0


ANYTHING = Interval()
UNIT = Interval(0.0, 1.0)
NOT_NEGATIVE = Interval(0.0, inf)
Intervals: TypeAlias = Sequence[Interval]
Rule: TypeAlias = Callable[[Node, Intervals], Interval]


def bounds(nodes: Iterable[Node]) -> dict[Node, Interval]:
    """The interval of each node, operands first."""
    found: dict[Node, Interval] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            found[node] = _interval(node, found)
    return found


def _interval(node: Node, known: Mapping[Node, Interval]) -> Interval:
    operands = [known[operand] for operand in node.operands]
    rule = next((_RULES[kind] for kind in type(node.op).__mro__ if kind in _RULES), None)
    if rule is not None:
        found = rule(node, operands)
        return ANYTHING if isnan(found.low) or isnan(found.high) else found
    traits = node.op.traits
    if traits.view or traits.contiguous_view or traits.identity:
        return operands[0]
    return {"b": UNIT, "u": NOT_NEGATIVE}.get(node.dtype.kind, ANYTHING)


def hull(intervals: Intervals) -> Interval:
    """The least interval that holds all of them."""
    low, high = min(one.low for one in intervals), max(one.high for one in intervals)
    return Interval(low, high, all(one.never_zero for one in intervals))


def _constant(node: Node, _: Intervals) -> Interval:
    if not isinstance(node.op, Constant):
        raise TypeError(f"{node!r} is no constant")
    value = node.op.value
    return Interval(float(value.min()), float(value.max()), bool(value.all())) if value.size else ANYTHING


def _monotone(function: Callable[[Any], Any], nonzero: bool = False) -> Rule:
    def rule(_: Node, operands: Intervals) -> Interval:
        low, high = (float(function(end)) for end in (operands[0].low, operands[0].high))
        return Interval(low, high, nonzero)

    return rule


def _within(low: float, high: float, nonzero: bool = False) -> Rule:
    return lambda _, __: Interval(low, high, nonzero)


def _add(_: Node, operands: Intervals) -> Interval:
    x, y = operands
    low = x.low + y.low
    return Interval(low, x.high + y.high, x.low >= 0 and y.low >= 0 and (x.never_zero or y.never_zero))


def _subtract(node: Node, operands: Intervals) -> Interval:
    x, y = operands
    if unshifted(node) is not None:
        return Interval(-inf, 0.0)
    return Interval(x.low - y.high, x.high - y.low)


def _negative(_: Node, operands: Intervals) -> Interval:
    (x,) = operands
    return Interval(-x.high, -x.low, x.nonzero)


def _multiply(node: Node, operands: Intervals) -> Interval:
    x, y = operands
    (first, sign), (second, other) = map(_signed, node.operands)
    if first is second:
        square = _square(node, operands)
        return square if sign == other else _negative(node, (square,))
    ends = [0.0 if 0 in (a, b) else a * b for a in (x.low, x.high) for b in (y.low, y.high)]
    return Interval(min(ends), max(ends), x.never_zero and y.never_zero)


def _signed(node: Node) -> tuple[Node, int]:
    """X and -1, if the node is -x."""
    found = bare(node)
    return (bare(found.operands[0]), -1) if isinstance(found.op, Negative) else (found, 1)


def _square(_: Node, operands: Intervals) -> Interval:
    size = _magnitude(operands[0])
    return Interval(size.low**2, size.high**2, size.nonzero)


def _absolute(_: Node, operands: Intervals) -> Interval:
    return _magnitude(operands[0])


def _magnitude(x: Interval) -> Interval:
    low = max(x.low, -x.high, 0.0)
    return Interval(low, max(abs(x.low), abs(x.high)), x.never_zero)


def _divide(node: Node, operands: Intervals) -> Interval:
    x, y = operands
    if softmax_terms(node) is not None:
        return replace(UNIT, nonzero=True)
    if y.low == y.high and y.never_zero:
        return _multiply(node, (x, Interval(1 / y.low, 1 / y.low, nonzero=True)))
    if not y.is_positive:
        return ANYTHING
    return Interval(0.0 if x.low >= 0 else -inf, 0.0 if x.high <= 0 else inf, x.never_zero)


def _root(_: Node, operands: Intervals) -> Interval:
    (x,) = operands
    return Interval(float(np.sqrt(max(x.low, 0.0))), float(np.sqrt(max(x.high, 0.0))), x.never_zero)


def _inverse(_: Node, operands: Intervals) -> Interval:
    return Interval(0.0, inf, nonzero=True) if operands[0].is_positive else ANYTHING


def _power(node: Node, operands: Intervals) -> Interval:
    x, _ = operands
    exponent = number(node.operands[1])
    if x.low >= 0:
        return Interval(0.0, inf, x.never_zero)
    return Interval(0.0, inf, x.never_zero) if exponent is not None and exponent % 2 == 0 else ANYTHING


def _total(_: Node, operands: Intervals) -> Interval:
    """Of at least one, so sums of positive numbers are positive."""
    x = operands[0]
    return Interval(x.low if x.low >= 0 else -inf, x.high if x.high <= 0 else inf, x.low >= 0 and x.never_zero)


def _scattered(node: Node, operands: Intervals) -> Interval:
    return hull([_total(node, operands), Interval(0.0, 0.0)])


def _not_negative_together(_: Node, operands: Intervals) -> Interval:
    return NOT_NEGATIVE if all(x.low >= 0 for x in operands) else ANYTHING


def _product(_: Node, operands: Intervals) -> Interval:
    (x,) = operands
    return Interval(0.0, inf, x.never_zero) if x.low >= 0 else ANYTHING


def _greater(_: Node, operands: Intervals) -> Interval:
    low, high = max(x.low for x in operands), max(x.high for x in operands)
    return Interval(low, high, any(x.is_positive for x in operands) or all(x.never_zero for x in operands))


def _lesser(_: Node, operands: Intervals) -> Interval:
    low, high = min(x.low for x in operands), min(x.high for x in operands)
    return Interval(low, high, all(x.never_zero for x in operands))


def _clip(node: Node, operands: Intervals) -> Interval:
    x, low, high = operands
    return _lesser(node, (_greater(node, (x, low)), high))


def _where(node: Node, operands: Intervals) -> Interval:
    """The hull of both choices, each as far as the condition lets it be taken."""
    condition, *choices = node.operands
    test = test_of(condition)
    if test is None:
        return hull(operands[1:])
    taken = [
        _where_it_holds(interval, one) if bare(choice) is test.subject else interval
        for choice, interval, one in zip(choices, operands[1:], (test, test.negated), strict=True)
    ]
    return hull(taken)


def _where_it_holds(x: Interval, test: Test) -> Interval:
    bound, relation = test.bound, test.relation
    if relation in (Greater, GreaterEqual):
        nonzero = x.never_zero or bound > 0 or (bound == 0 and relation is Greater)
        return Interval(max(x.low, bound), x.high, nonzero)
    if relation in (Less, LessEqual):
        return Interval(x.low, min(x.high, bound), x.never_zero or bound < 0 or (bound == 0 and relation is Less))
    if relation is Equal:
        return Interval(bound, bound, bound != 0)
    return replace(x, nonzero=x.never_zero or bound == 0)


def _kept(_: Node, operands: Intervals) -> Interval:
    return operands[0]


def _cast(node: Node, operands: Intervals) -> Interval:
    (x,) = operands
    if node.dtype.kind == "b":
        return UNIT
    truncates = node.operands[0].type.is_float and not node.type.is_float
    return Interval(float(np.trunc(x.low)), float(np.trunc(x.high))) if truncates else x


def _any_of(_: Node, operands: Intervals) -> Interval:
    return hull(operands)


_RULES: Mapping[type[Op], Rule] = {
    Constant: _constant,
    SizeOf: _within(1.0, inf, nonzero=True),
    Uniform: _within(0.0, 1.0),
    OneHot: _within(0.0, 1.0),
    Sigmoid: _within(0.0, 1.0, nonzero=True),
    Tanh: _within(-1.0, 1.0),
    Softsign: _within(-1.0, 1.0),
    Sign: _within(-1.0, 1.0),
    Sin: _within(-1.0, 1.0),
    Cos: _within(-1.0, 1.0),
    Arctan: _within(-pi / 2, pi / 2),
    Erf: _within(-1.0, 1.0),
    Erfc: _within(0.0, 2.0, nonzero=True),
    Norm: _within(0.0, inf),
    Exp: _monotone(np.exp, nonzero=True),
    Exp2: _monotone(np.exp2, nonzero=True),
    Softplus: _monotone(lambda x: np.logaddexp(x, 0.0), nonzero=True),
    Expm1: _monotone(np.expm1),
    Log: _monotone(lambda x: np.log(max(x, 0.0))),
    Log1p: _monotone(lambda x: np.log1p(max(x, -1.0))),
    Relu: _monotone(lambda x: max(x, 0.0)),
    Add: _add,
    Subtract: _subtract,
    Negative: _negative,
    Multiply: _multiply,
    Square: _square,
    Absolute: _absolute,
    Divide: _divide,
    Sqrt: _root,
    Rsqrt: _inverse,
    Reciprocal: _inverse,
    Power: _power,
    Sum: _total,
    CumSum: _total,
    Assemble: _scattered,
    Matmul: _not_negative_together,
    Prod: _product,
    Maximum: _greater,
    FMax: _greater,
    Minimum: _lesser,
    FMin: _lesser,
    Clip: _clip,
    Where: _where,
    Cast: _cast,
    Copy: _kept,
    Extreme: _kept,
    Take: _kept,
    TakeAlongAxis: _kept,
    Concatenate: _any_of,
    Stack: _any_of,
    Pad: _any_of,
}
