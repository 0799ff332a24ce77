"""The rules: each looks at one node, and says what is amiss and what to do instead, or None.

What is made of public operations is judged as what it is made of; so a rule knows the safe forms from the graph: an
operand that cannot be 0, a greatest element that is subtracted, a `where` inside of the `where`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from math import log
from typing import TypeAlias

import numpy as np

from graphad.ir.leaves import Constant, Input, SizeOf
from graphad.ir.node import Node
from graphad.ir.tensor_type import FLOAT64, Dim, product
from graphad.linting.facts import Facts, is_trained, widened
from graphad.linting.patterns import compared, is_fixed, number
from graphad.ops.arithmetic import Add, Divide, Negative, Reciprocal, Rsqrt, Sqrt
from graphad.ops.division import FloorDivide
from graphad.ops.gather import Take
from graphad.ops.indexing import TakeAlongAxis
from graphad.ops.reduction import ArgExtreme, Extreme
from graphad.ops.selection import Clip, Equal, IsNan, LogicalNot, Maximum, NotEqual, Where
from graphad.ops.slicing import Slice
from graphad.ops.structure import Cast, Sum, Transpose
from graphad.ops.transcendental import Exp, Exp2, Expm1, Log, Log1p, Log2, Log10, Power, Sigmoid, Softplus
from graphad.rewrite.patterns import bare, softmax_terms, unshifted

Rule: TypeAlias = Callable[[Node, Facts], str | None]
_LOGARITHMS = (Log, Log2, Log10)
_EXPONENTIALS = (Exp, Exp2, Expm1)
_INSIDE = 64
"""How many nodes of a branch are looked at."""


def where_over_singular_branch(node: Node, facts: Facts) -> str | None:
    """where(x > 0, log(x), 0): where x is 0 the gradient is 0 times infinity."""
    if not isinstance(node.op, Where) or node not in facts.flowing:
        return None
    guarded = {one for subject in compared(node.operands[0]) for one in _elementwise(subject)}
    if not guarded:
        return None
    for branch in node.operands[1:]:
        for inner in _elementwise(branch):
            operand = _singular_operand(inner, facts)
            if operand is not None and not isinstance(bare(operand).op, Where) and guarded & set(_elementwise(operand)):
                return (
                    f"a branch holds {inner.op.name}, which is not finite for every {operand.label}: where it is not "
                    "taken, its gradient is 0 times infinity, NaN; make the operand safe first, as in "
                    "where(c, log(where(c, x, 1)), 0)"
                )
    return None


def _elementwise(node: Node) -> Iterator[Node]:
    """The node, and what it is made of by elementwise operations; no constants, and nothing behind a choice."""
    return islice(_walk(node), _INSIDE)


def _walk(node: Node) -> Iterator[Node]:
    pending, seen = [node], set()
    while pending:
        one = bare(pending.pop())
        if one in seen or is_fixed(one):
            continue
        seen.add(one)
        yield one
        if one.op.traits.elementwise and not isinstance(one.op, Where):
            pending.extend(operand for operand in one.operands if operand.type.is_float)


def _singular_operand(node: Node, facts: Facts) -> Node | None:
    """The operand for which the value or the derivative may be infinite."""
    if isinstance(node.op, (*_LOGARITHMS, Sqrt, Rsqrt)):
        return _unless(node.operands[0], facts.bounds[node.operands[0]].is_positive)
    if isinstance(node.op, Log1p):
        return _unless(node.operands[0], facts.bounds[node.operands[0]].low > -1)
    if isinstance(node.op, (Divide, Reciprocal)):
        return _unless(node.operands[-1], facts.bounds[node.operands[-1]].never_zero)
    if isinstance(node.op, Power):
        return _unless(node.operands[0], not _is_steep(node) or facts.bounds[node.operands[0]].is_positive)
    if isinstance(node.op, _EXPONENTIALS):
        return _unless(node.operands[0], not _overflows(node, facts))
    return None


def _unless(operand: Node, safe: bool) -> Node | None:
    return None if safe else operand


def _is_steep(node: Node) -> bool:
    """Whether a power has an infinite value or derivative at 0."""
    exponent = number(node.operands[1])
    return exponent is not None and exponent < 1 and exponent != 0


def _overflows(node: Node, facts: Facts) -> bool:
    most = log(float(np.finfo(node.dtype).max)) / (log(2) if isinstance(node.op, Exp2) else 1.0)
    return facts.bounds[node.operands[0]].high > most


def root_at_zero(node: Node, facts: Facts) -> str | None:
    """sqrt(sum(x * x)), whose derivative is infinite where x is 0."""
    steep = isinstance(node.op, (Sqrt, Rsqrt)) or (isinstance(node.op, Power) and _is_steep(node))
    if steep and node in facts.flowing and _can_be_zero(node.operands[0], facts):
        return (
            f"{node.op.name} has an infinite derivative at 0, which {node.operands[0].label} can be: add a small "
            "number inside, or take ga.norm or ga.std, whose gradient is 0 there"
        )
    return None


def _can_be_zero(node: Node, facts: Facts) -> bool:
    """Whether it is a square, a length, a count or the like, or the root of one, and nothing keeps it from 0."""
    found = bare(node)
    while isinstance(found.op, Sqrt):
        found = bare(found.operands[0])
    return found in facts.data and facts.bounds[found].may_touch_zero


def unbounded_exp(node: Node, facts: Facts) -> str | None:
    """exp(x) of any x: it overflows from 88 on, in float32."""
    if isinstance(node.op, (Exp, Exp2)) and node in facts.data and _overflows(node, facts):
        return (
            f"{node.op.name} overflows, since nothing bounds {node.operands[0].label}: subtract its greatest element, "
            "clip it, or use a function that does (ga.softmax, ga.logsumexp, ga.sigmoid, ga.softplus)"
        )
    return None


def log_of_softmax(node: Node, _: Facts) -> str | None:
    """log(softmax(x)), which is -inf where the softmax is rounded to 0."""
    if not isinstance(node.op, _LOGARITHMS):
        return None
    inside = _peeled(node.operands[0])
    if softmax_terms(inside) is not None:
        return "log of a softmax is -inf where the softmax rounds to 0: use ga.log_softmax or ga.softmax_cross_entropy"
    if isinstance(inside.op, Sigmoid):
        return "log of a sigmoid is -inf where the sigmoid rounds to 0: use ga.log_sigmoid or ga.sigmoid_cross_entropy"
    return None


def _peeled(node: Node) -> Node:
    """The node without what picks from it, and without what keeps it from 0."""
    while True:
        node = bare(node)
        if isinstance(node.op, (Slice, Take, TakeAlongAxis, Transpose)):
            node = node.operands[0]
        elif isinstance(node.op, (Add, Maximum, Clip)) and any(map(is_fixed, node.operands)):
            node = next((one for one in node.operands if not is_fixed(one)), node.operands[0])
            if is_fixed(node):
                return node
        else:
            return node


def log_of_sum_of_exp(node: Node, facts: Facts) -> str | None:
    """log(sum(exp(x))), which overflows where logsumexp does not."""
    total = bare(node.operands[0]) if isinstance(node.op, _LOGARITHMS) else node
    if not isinstance(total.op, Sum) or total is node:
        return None
    terms = bare(total.operands[0])
    if isinstance(terms.op, Exp) and _overflows(terms, facts):
        return "log of a sum of exp overflows: use ga.logsumexp"
    return None


def log_of_one_plus(node: Node, _: Facts) -> str | None:
    """log(1 + x), which loses the digits of a small x."""
    inside = bare(node.operands[0]) if isinstance(node.op, Log) else node
    if not isinstance(inside.op, Add) or inside is node or not any(number(one) == 1 for one in inside.operands):
        return None
    if any(isinstance(one.op, Exp) for one in inside.operands):
        return "log(1 + exp(x)) overflows, and loses digits where exp(x) is small: use ga.softplus"
    return "log(1 + x) loses the digits of a small x: use ga.log1p"


def log_at_zero(node: Node, facts: Facts) -> str | None:
    """log(relu(x)), which is -inf where the operand is 0."""
    if isinstance(node.op, _LOGARITHMS) and _can_be_zero(node.operands[0], facts):
        return f"{node.op.name} is -inf at 0, which {node.operands[0].label} can be: add a small number inside"
    return None


def creeping_float64(node: Node, facts: Facts) -> str | None:
    """float32 beside float64: all that follows is float64, of twice the size and half the speed."""
    casts = widened(node)
    if not casts or any(operand in facts.mixed for operand in node.operands):
        return None
    wide = next(one for one in node.operands if not isinstance(one.op, Cast))
    while wide.operands and wide.operands[0].dtype == FLOAT64:
        wide = wide.operands[0]
    place = f" (at {wide.origin.place})" if wide.origin.place else ""
    beside = f"{node.op.name} with the float32 {casts[0].operands[0].label}"
    return f"{wide.label}{place} is float64, and so becomes {beside}: cast it to float32"


def floor_division(node: Node, facts: Facts) -> str | None:
    """sum(losses) // n, which rounds down and has the gradient 0."""
    if not isinstance(node.op, FloorDivide):
        return None
    dividend, divisor = node.operands
    if dividend in facts.data and (isinstance(bare(divisor).op, SizeOf) or _is_total(dividend, divisor)):
        return "// rounds down and its gradient is 0: divide with /, or use ga.mean"
    return None


def _is_total(dividend: Node, divisor: Node) -> bool:
    return dividend.type.is_float and isinstance(bare(dividend).op, Sum) and is_fixed(divisor)


def mean_by_number(node: Node, _: Facts) -> str | None:
    """sum(losses) / 100, which is a mean for batches of 100 only."""
    if not isinstance(node.op, Divide):
        return None
    total, divisor = bare(node.operands[0]), number(node.operands[1])
    if not isinstance(total.op, Sum) or divisor is None or not (divisor > 2 and divisor.is_integer()):
        return None
    size = product(total.operands[0].shape[axis] for axis in total.op.axes)
    if isinstance(size, Dim):
        return f"a sum over {size} elements is divided by {divisor:g}, whatever {size} is: use ga.mean"
    return None


def division_by_zero(node: Node, facts: Facts) -> str | None:
    """sum(mask * x) / sum(mask), which is NaN where the mask is empty."""
    if not isinstance(node.op, (Divide, Reciprocal)):
        return None
    divisor = node.operands[-1]
    if _can_be_zero(divisor, facts) and not _counts_nan(divisor):
        counted = bare(divisor)
        label = (counted.operands[0] if isinstance(counted.op, Cast) else counted).label
        return f"{label}, by which is divided, can be 0: keep it from that, as in ga.maximum({label}, 1)"
    return None


def _counts_nan(node: Node) -> bool:
    """Whether it counts what is not NaN, as numpy's nanmean does, which means NaN for nothing."""
    node = bare(node)
    while isinstance(node.op, (Sum, Cast, LogicalNot)):
        node = bare(node.operands[0])
    return isinstance(node.op, IsNan)


def softmax_of_one(node: Node, _: Facts) -> str | None:
    """A softmax over an axis of size 1, which is always 1."""
    if not isinstance(node.op, Sum) or not isinstance(node.operands[0].op, Exp):
        return None
    terms = node.operands[0]
    if unshifted(terms.operands[0]) is not None and product(terms.shape[axis] for axis in node.op.axes) == 1:
        return "a softmax over an axis of size 1 is always 1, its cross-entropy 0: for one score use ga.sigmoid"
    return None


def probabilities_as_logits(node: Node, _: Facts) -> str | None:
    """softmax_cross_entropy(softmax(x), y): the loss takes logits, and does the softmax itself."""
    if isinstance(node.op, Exp):
        scores = unshifted(node.operands[0])
        if scores is not None and softmax_terms(bare(scores)) is not None:
            return "a softmax is taken of a softmax: losses and ga.softmax take logits, the scores before any softmax"
    if isinstance(node.op, Softplus):
        scores = bare(node.operands[0])
        scores = bare(scores.operands[0]) if isinstance(scores.op, Negative) else scores
        if isinstance(scores.op, Sigmoid):
            return "probabilities are taken for logits: ga.sigmoid_cross_entropy takes the scores before any sigmoid"
    return None


def unused(node: Node, facts: Facts) -> str | None:
    """An input or a parameter that nothing depends on."""
    if node in facts.nodes:
        return None
    what = "input" if isinstance(node.op, Input) else "parameter"
    return f"{node.label} is an unused {what}: nothing that is asked for depends on it"


def unreached_parameter(node: Node, facts: Facts) -> str | None:
    """A trained parameter that the loss depends on, but not its gradient."""
    missed = is_trained(node) and node in facts.nodes and node not in facts.live
    if missed and facts.live and (node in facts.declared or any(map(is_trained, facts.live))):
        return (
            f"no gradient reaches the parameter {node.label}: the loss depends on it through stop_gradient, rounding, "
            "integers or truth values only; declare it with trainable=False if that is meant"
        )
    return None


def argmax_in_loss(node: Node, facts: Facts) -> str | None:
    """1 - accuracy in a loss: an argmax has no gradient."""
    if node not in facts.live or not node.operands or any(operand.type.is_float for operand in node.operands):
        return None
    pending, seen = list(node.operands), set()
    while pending:
        one = pending.pop()
        if isinstance(one.op, ArgExtreme) and one in facts.trained:
            return f"{one.op.name} has no gradient: this part of the loss (an accuracy?) trains nothing"
        if one not in seen and not one.type.is_float:
            seen.add(one)
            pending.extend(one.operands)
    return None


def equality_of_floats(node: Node, _: Facts) -> str | None:
    """a == b of computed floats, which rounding decides."""
    if not isinstance(node.op, (Equal, NotEqual)) or not node.operands[0].type.is_float:
        return None
    x, y = map(bare, node.operands)
    if any(isinstance(one.op, Constant) for one in (x, y)) or _is_extreme_of(x, y) or _is_extreme_of(y, x):
        return None
    symbol = "==" if isinstance(node.op, Equal) else "!="
    return f"{x.label} {symbol} {y.label} compares floats, which rounding decides: compare abs(a - b) with a tolerance"


def _is_extreme_of(node: Node, whole: Node) -> bool:
    return isinstance(node.op, Extreme) and bare(node.operands[0]) is whole


RULES: tuple[Rule, ...] = (
    where_over_singular_branch,
    root_at_zero,
    unbounded_exp,
    log_of_softmax,
    log_of_sum_of_exp,
    log_of_one_plus,
    log_at_zero,
    creeping_float64,
    floor_division,
    mean_by_number,
    division_by_zero,
    softmax_of_one,
    probabilities_as_logits,
    unused,
    unreached_parameter,
    argmax_in_loss,
    equality_of_floats,
)
