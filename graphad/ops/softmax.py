"""Softmax and its kin: exact in both tails, since what is exponentiated is never positive."""

from __future__ import annotations

from typing import Any

from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ops.build import Operand, as_float, normalize_axes
from graphad.ops.control import stop_gradient
from graphad.ops.options import numpy_options
from graphad.ops.reduction import max, sum
from graphad.ops.selection import isfinite, where
from graphad.ops.shaping import reshape
from graphad.ops.structure import reduced_shape
from graphad.ops.transcendental import exp, log


@builder
@numpy_options
def logsumexp(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    """log(sum(exp(x))) over ``axis``, without overflow; of nothing but -inf it is -inf, and the gradient is 0.

    A ShapeError for an empty axis.

    >>> import graphad as ga
    >>> logsumexp(ga.input("x", shape=("batch", 3)), axis=1, keepdims=True)
    <add: float32[batch, 1]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    greatest = stop_gradient(max(node, axes, keepdims=True))
    finite = isfinite(greatest)
    terms = exp(node - where(finite, greatest, 0.0))
    total = log(where(finite, sum(terms, axes, keepdims=True), 1.0)) + greatest
    return total if keepdims else reshape(total, reduced_shape(node.shape, axes, keepdims=False))


@builder
def log_softmax(x: Operand, axis: int = -1) -> Node:
    """The logarithm of the softmax, exact in both tails."""
    below = shifted(x, axis)
    return below - log(sum(exp(below), axis, keepdims=True))


def shifted(x: Operand, axis: int) -> Node:
    """x less its greatest element: no softmax changes, nothing overflows, and great logits lose no digits."""
    node = as_float(x)
    return node - stop_gradient(max(node, axis, keepdims=True))


@builder
def softmax(x: Operand, axis: int = -1) -> Node:
    """exp(x) over its sum along ``axis``."""
    terms = exp(shifted(x, axis))
    return terms / sum(terms, axis, keepdims=True)
