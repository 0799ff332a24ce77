"""Dropout: a mask, drawn once, that forward, backward and recomputation share."""

from __future__ import annotations

from typing import Any

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ir.tensor_type import BOOL
from graphad.ops.build import Operand, as_float
from graphad.ops.random import bernoulli
from graphad.ops.selection import where


@builder
def dropout(x: Operand, rate: float, training: Any = True) -> Node:
    """``x`` with each element zero with probability ``rate``, and the others divided by 1 - ``rate``.

    So the expectation stays the same (Srivastava et al., 2014, inverted as in section 10). Each element has a choice of
    its own; a mask for all time steps is one that is declared outside of the step. A choice selects: NaN in what is
    dropped does not leak. ``training`` is True, False (``x`` as it is), or a node that says which at each call.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 4))
    >>> ga.compile([x], ga.dropout(x, 0.5))([[1, 1, 1, 1]])
    array([[2., 2., 0., 2.]], dtype=float32)
    """
    if not 0 <= rate <= 1:
        raise ArgumentError(f"the rate is a number from 0 to 1; got {rate!r}")
    node = as_float(x)
    if isinstance(training, Node):
        _check_flag(training)
        return where(training, _dropped(node, float(rate)), node)
    if not isinstance(training, bool):
        raise ArgumentError(f"training is True, False or a node; got {training!r}")
    return _dropped(node, float(rate)) if training else node


def _dropped(x: Node, rate: float) -> Node:
    kept = bernoulli(1.0 - rate, x.shape)
    return where(kept, x * (1.0 / (1.0 - rate) if rate < 1 else 0.0), 0.0)


def _check_flag(training: Node) -> None:
    if training.dtype != BOOL:
        raise DTypeError(f"training is bool; got {training!r}: compare it with something")
    if training.shape != ():
        raise ShapeError(f"training is one truth value; got {training!r}")
