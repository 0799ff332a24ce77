"""Losses and measures, built from other operations: they have no gradient rules of their own."""

from __future__ import annotations

from graphad.errors import ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ops.build import (
    Operand,
    as_float,
    as_node,
    cast,
)
from graphad.ops.indexing import take_along_axis
from graphad.ops.reduction import argmax, mean, sum
from graphad.ops.selection import equal
from graphad.ops.shaping import expand_dims, squeeze
from graphad.ops.softmax import log_softmax, shifted
from graphad.ops.transcendental import exp, log


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
    below = shifted(scores, -1)
    chosen = take_along_axis(below, expand_dims(target, -1), axis=-1)
    return log(sum(exp(below), axis=-1)) - squeeze(chosen, -1)


@builder
def mse(prediction: Operand, target: Operand) -> Node:
    """The mean of the squared differences."""
    difference = as_float(prediction) - target
    return mean(difference * difference)


@builder
def accuracy(logits: Operand, labels: Operand) -> Node:
    """The fraction of examples whose greatest logit is at the label: float32, 0 to 1."""
    return mean(cast(equal(argmax(logits, axis=-1), labels), "float32"))
