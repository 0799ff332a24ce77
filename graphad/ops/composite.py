"""What is built from other operations and has no rules of its own: softmax, losses, measures, shapes by convenience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Dim, Dimension, dimension_of, exact_quotient, product, shape_of
from graphad.ops.build import (
    Operand,
    as_float,
    as_node,
    broadcast,
    cast,
    normalize_axes,
    normalize_axis,
    unify,
)
from graphad.ops.control import stop_gradient
from graphad.ops.indexing import take_along_axis
from graphad.ops.reduction import argmax, max, mean, sum
from graphad.ops.selection import equal, isfinite, where
from graphad.ops.slicing import Concatenate, Stack
from graphad.ops.structure import Reshape, Transpose, reduced_shape
from graphad.ops.transcendental import exp, log


@builder
def reshape(x: Operand, shape: Any) -> Node:
    """The same elements, in order, in another shape; one size may be -1, which stands for whatever is left.

    >>> import graphad as ga
    >>> reshape(ga.input("x", shape=("batch", 28, 28)), (-1, 784))
    <reshape: float32[batch, 784]>
    """
    node = as_node(x)
    sizes = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    open_axes = [i for i, size in enumerate(sizes) if not isinstance(size, (str, Dim)) and size == -1]
    known: list[Dimension] = [1 if i in open_axes else dimension_of(size) for i, size in enumerate(sizes)]
    if len(open_axes) > 1:
        raise ShapeError("only one size may be -1")
    if open_axes:
        known[open_axes[0]] = exact_quotient(node.type.size, product(known))
    return node if tuple(known) == node.shape else apply(Reshape(tuple(known)), node)


@builder
def transpose(x: Operand, axes: Sequence[int] | None = None) -> Node:
    """The axes in another order; reversed, if ``axes`` is None."""
    node = as_node(x)
    order = tuple(reversed(range(node.ndim))) if axes is None else tuple(normalize_axis(a, node.ndim) for a in axes)
    return apply(Transpose(order), node)


@builder
def expand_dims(x: Operand, axis: int) -> Node:
    """A new axis of size 1 at ``axis`` of the result."""
    node = as_node(x)
    place = normalize_axis(axis, node.ndim + 1)
    return apply(Reshape((*node.shape[:place], 1, *node.shape[place:])), node)


@builder
def squeeze(x: Operand, axis: int) -> Node:
    """Without ``axis``, whose size must be 1."""
    node = as_node(x)
    place = normalize_axis(axis, node.ndim)
    if node.shape[place] != 1:
        raise ShapeError(f"the axis has size {node.shape[place]}, not 1")
    return apply(Reshape((*node.shape[:place], *node.shape[place + 1 :])), node)


@builder
def broadcast_to(x: Operand, shape: Any) -> Node:
    """``x`` repeated along new leading axes and axes of size 1 to ``shape``."""
    return broadcast(as_node(x), shape_of(shape))


@builder
def concatenate(parts: Sequence[Operand], axis: int = 0) -> Node:
    """The parts one after the other along an axis they have; they must agree in every other axis."""
    nodes = _unified(parts)
    return apply(Concatenate(normalize_axis(axis, nodes[0].ndim)), *nodes)


@builder
def stack(parts: Sequence[Operand], axis: int = 0) -> Node:
    """The parts, all of one shape, along a new axis."""
    nodes = _unified(parts)
    return apply(Stack(normalize_axis(axis, nodes[0].ndim + 1)), *nodes)


def _unified(parts: Sequence[Operand]) -> list[Node]:
    nodes = unify(parts)
    if not nodes:
        raise ShapeError("there is nothing to join: give at least one part")
    return nodes


@builder
def zeros_like(x: Operand) -> Node:
    """Zeros of the operand's shape and dtype."""
    node = as_node(x)
    return broadcast(cast(0, node.dtype), node.shape)


@builder
def logsumexp(x: Operand, axis: Any = -1, keepdims: bool = False) -> Node:
    """log(sum(exp(x))) over ``axis``, without overflow; of nothing but -inf it is -inf, and the gradient is 0."""
    node = as_float(x)
    greatest = stop_gradient(max(node, axis, keepdims=True))
    finite = isfinite(greatest)
    terms = exp(node - where(finite, greatest, 0.0))
    total = log(where(finite, sum(terms, axis, keepdims=True), 1.0)) + greatest
    return (
        total
        if keepdims
        else reshape(total, reduced_shape(node.shape, normalize_axes(axis, node.ndim), keepdims=False))
    )


@builder
def log_softmax(x: Operand, axis: int = -1) -> Node:
    """The logarithm of the softmax, exact in both tails."""
    shifted = _shifted(x, axis)
    return shifted - log(sum(exp(shifted), axis, keepdims=True))


def _shifted(x: Operand, axis: int) -> Node:
    """x less its greatest element: no softmax changes, nothing overflows, and great logits lose no digits."""
    node = as_float(x)
    return node - stop_gradient(max(node, axis, keepdims=True))


@builder
def softmax(x: Operand, axis: int = -1) -> Node:
    """exp(x) over its sum along ``axis``."""
    terms = exp(_shifted(x, axis))
    return terms / sum(terms, axis, keepdims=True)


@builder
def softmax_cross_entropy(logits: Operand, labels: Operand) -> Node:
    """-log softmax(logits)[label] along the last axis, one number for each example.

    ``labels`` are integers of the logits' shape without the last axis, or floats of the logits' shape: a distribution.
    With respect to the logits the cotangent is softmax(logits) - labels: nothing is divided by a probability.

    >>> import graphad as ga
    >>> logits, y = ga.input("logits", shape=("batch", 10)), ga.input("y", shape=("batch",), dtype="int64")
    >>> softmax_cross_entropy(logits, y)
    <subtract: float32[batch]>
    """
    scores, target = as_float(logits), as_node(labels)
    if target.shape != (scores.shape if target.type.is_float else scores.shape[:-1]):
        raise ShapeError(
            f"logits {scores.type} need integer labels of shape {scores.shape[:-1]} "
            f"or float labels of shape {scores.shape}; got {target.type}"
        )
    if target.type.is_float:
        return -sum(target * log_softmax(scores), axis=-1)
    shifted = _shifted(scores, -1)
    chosen = take_along_axis(shifted, expand_dims(target, -1), axis=-1)
    return log(sum(exp(shifted), axis=-1)) - squeeze(chosen, -1)


@builder
def mse(prediction: Operand, target: Operand) -> Node:
    """The mean of the squared differences."""
    difference = as_float(prediction) - target
    return mean(difference * difference)


@builder
def accuracy(logits: Operand, labels: Operand) -> Node:
    """The fraction of examples whose greatest logit is at the label: float32, 0 to 1."""
    return mean(cast(equal(argmax(logits, axis=-1), labels), "float32"))
