"""Losses and measures, built from other operations: they have no gradient rules of their own.

Classifiers are judged by their logits, the raw scores before any softmax or sigmoid; what takes something else says so.
Losses of classes and of distributions give one number for each example (or label): take their mean. Losses of
numbers, and the measures called accuracy, are means over everything. Shapes must agree and are never broadcast, but
a scalar fits all.

Keras's names for them: SparseCategoricalCrossentropy and CategoricalCrossentropy are `softmax_cross_entropy`,
BinaryCrossentropy `sigmoid_cross_entropy` (all three with from_logits=True), KLDivergence `kl_divergence` (of
probabilities, there), MeanSquaredError `mse`, MeanAbsoluteError `mae`, Huber `huber`, Hinge `hinge`,
CosineSimilarity -`cosine_similarity`, SparseCategoricalAccuracy `accuracy`, BinaryAccuracy `binary_accuracy` (of
probabilities, there), SparseTopKCategoricalAccuracy `top_k_accuracy`, regularizers.L2(c) c * `l2_penalty`. Keras
passes the labels first, graphad the predictions.
"""

from __future__ import annotations

from typing import Any

from graphad.errors import ArgumentError, ShapeError
from graphad.ir import nest
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ir.tensor_type import BOOL, FLOAT32
from graphad.ops.arithmetic import square
from graphad.ops.build import Operand, as_float, as_node, broadcast, cast, size_of
from graphad.ops.indexing import take_along_axis
from graphad.ops.normalisation import l2_normalize
from graphad.ops.order import topk
from graphad.ops.reduction import any, argmax, mean, sum
from graphad.ops.selection import absolute, equal, relu, where
from graphad.ops.shaping import expand_dims, squeeze
from graphad.ops.softmax import shifted
from graphad.ops.transcendental import exp, log, softplus


@builder
def softmax_cross_entropy(logits: Operand, labels: Operand, label_smoothing: float = 0.0) -> Node:
    """-log softmax(logits)[label] along the last axis, one number for each example.

    ``labels`` are integers of the logits' shape without the last axis, or floats of the logits' shape: a distribution.
    With ``label_smoothing`` = a (0 to 1), a distribution q over K classes is replaced by (1 - a) q + a / K.
    With respect to the logits the cotangent is softmax(logits) - labels: nothing is divided by a probability.

    >>> import graphad as ga
    >>> logits, y = ga.input("logits", shape=("batch", 10)), ga.input("y", shape=("batch",), dtype="int64")
    >>> softmax_cross_entropy(logits, y)
    <subtract: float32[batch]>
    """
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"label_smoothing is a share from 0 to 1; got {label_smoothing!r}")
    scores, target = as_float(logits), as_node(labels)
    if target.shape != (scores.shape if target.type.is_float else scores.shape[:-1]):
        raise ShapeError(
            f"logits {scores.type} need integer labels of shape {scores.shape[:-1]} "
            f"or float labels of shape {scores.shape}; got {target.type}"
        )
    below = shifted(scores, -1)
    if not target.type.is_float:
        return log(sum(exp(below), axis=-1)) - _mean_of_labels(below, target, label_smoothing)
    if label_smoothing:
        target = (1.0 - label_smoothing) * target + label_smoothing / size_of(scores.shape[-1], scores.dtype)
    return sum(target * (log(sum(exp(below), axis=-1, keepdims=True)) - below), axis=-1)


def _mean_of_labels(below: Node, labels: Node, smoothing: float) -> Node:
    """The logit at the label; smoothed, its mean over the distribution that the label has become."""
    chosen = squeeze(take_along_axis(below, expand_dims(labels, -1), axis=-1), -1)
    return (1.0 - smoothing) * chosen + smoothing * mean(below, axis=-1) if smoothing else chosen


@builder
def sigmoid_cross_entropy(logits: Operand, labels: Operand, pos_weight: Operand | None = None) -> Node:
    """-y log s(x) - (1 - y) log(1 - s(x)) with the sigmoid s, for each logit x and its label y: of the logits' shape.

    Labels are 0 or 1, truth values, or probabilities. ``pos_weight``, which broadcasts to the logits' shape, is a
    factor of the first term, to make up for labels that are seldom 1. With respect to the logits the cotangent is
    s(x) - y (without weights), and both are exact in both tails.

    >>> import graphad as ga
    >>> logits, y = ga.input("logits", shape=("batch", 4)), ga.input("y", shape=("batch", 4), dtype="bool")
    >>> sigmoid_cross_entropy(logits, y)
    <add: float32[batch, 4]>
    """
    scores, given = _fitting(logits, labels)
    x = as_float(scores)
    y = cast(given, x.dtype)
    positive = y * softplus(-x)
    if pos_weight is not None:
        positive = broadcast(cast(pos_weight, x.dtype), positive.shape) * positive
    return positive + (1.0 - y) * softplus(x)


@builder
def kl_divergence(logits: Operand, target: Operand) -> Node:
    """Sum of q log(q / p) along the last axis, p = softmax(logits), q = ``target``: one number for each example.

    The target holds probabilities of the logits' shape; where one is 0, so is its term. The cotangent of the logits is
    that of the cross-entropy, p - q.

    >>> import graphad as ga
    >>> kl_divergence(ga.input("logits", shape=("batch", 3)), ga.input("q", shape=("batch", 3)))
    <add: float32[batch]>
    """
    scores, q = _fitting(logits, target)
    q = as_float(q)
    some = q > 0.0
    return softmax_cross_entropy(scores, q) + sum(where(some, q * log(where(some, q, 1.0)), 0.0), axis=-1)


@builder
def mse(prediction: Operand, target: Operand) -> Node:
    """The mean of the squared differences.

    >>> import graphad as ga
    >>> mse(ga.input("prediction", shape=("batch",)), ga.input("target", shape=("batch",)))
    <divide: float32[]>
    """
    return mean(square(_difference(prediction, target)))


@builder
def mae(prediction: Operand, target: Operand) -> Node:
    """The mean of the absolute differences; where there is none, the gradient is 0.

    >>> import graphad as ga
    >>> mae(ga.input("prediction", shape=("batch",)), 1.0)
    <divide: float32[]>
    """
    return mean(absolute(_difference(prediction, target)))


@builder
def huber(prediction: Operand, target: Operand, delta: float = 1.0) -> Node:
    """The mean of d^2 / 2 for differences d up to ``delta``, and of delta (abs(d) - delta / 2) for greater ones.

    The gradient is d, held between -delta and delta, over the number of elements (Huber, 1964).

    >>> import graphad as ga
    >>> huber(ga.input("prediction", shape=("batch",)), ga.input("target", shape=("batch",)), delta=2.0)
    <divide: float32[]>
    """
    if not delta > 0:
        raise ArgumentError(f"delta is where the square ends, a positive number; got {delta!r}")
    difference = _difference(prediction, target)
    size = absolute(difference)
    return mean(where(size <= delta, 0.5 * square(difference), delta * (size - 0.5 * delta)))


@builder
def hinge(prediction: Operand, target: Operand) -> Node:
    """The mean of max(0, 1 - target * prediction), for targets of -1 and 1; where it is 0, so is the gradient.

    >>> import graphad as ga
    >>> hinge(ga.input("prediction", shape=("batch",)), ga.input("target", shape=("batch",)))
    <divide: float32[]>
    """
    x, y = _fitting(prediction, target)
    return mean(relu(1.0 - y * x))


@builder
def cosine_similarity(x: Operand, y: Operand, axis: int = -1) -> Node:
    """The cosine of the angle between vectors along ``axis``, -1 to 1; of a vector of zeros, 0.

    >>> import graphad as ga
    >>> cosine_similarity(ga.input("x", shape=("batch", 3)), ga.input("y", shape=("batch", 3)))
    <sum: float32[batch]>
    """
    first, second = _fitting(x, y)
    return sum(l2_normalize(first, axis) * l2_normalize(second, axis), axis=axis)


@builder
def l2_penalty(parameters: Any) -> Node:
    """The sum of all squares in a node, or in tuples, lists and dicts of nodes: add it, times a factor, to a loss.

    >>> import graphad as ga
    >>> l2_penalty([ga.parameter([[1.0, 2.0]], name="W"), ga.parameter([2.0], name="b")])
    <add: float32[]>
    """
    squares = [sum(square(as_float(leaf))) for leaf in nest.leaves(parameters)]
    if not squares:
        raise ArgumentError("there is nothing to penalise: give at least one parameter")
    total = squares[0]
    for one in squares[1:]:
        total = total + one
    return total


@builder
def accuracy(logits: Operand, labels: Operand) -> Node:
    """The fraction of examples whose greatest logit is at the label: float32, 0 to 1.

    Labels have the logits' shape without the last axis; a ShapeError names both types if not.
    """
    scores, target = _scores_and_labels(logits, labels)
    return _fraction(equal(argmax(scores, axis=-1), target))


@builder
def top_k_accuracy(logits: Operand, labels: Operand, k: int = 5) -> Node:
    """The fraction of examples whose label is among the ``k`` greatest logits; with k = 1, the accuracy.

    Of logits that tie, the first is the greatest. A label whose logit is NaN, or which is no class, is wrong.

    >>> import graphad as ga
    >>> logits, y = ga.input("logits", shape=("batch", 10)), ga.input("y", shape=("batch",), dtype="uint8")
    >>> top_k_accuracy(logits, y, k=3)
    <divide: float32[]>
    """
    scores, target = _scores_and_labels(logits, labels)
    _, places = topk(scores, k, axis=-1)
    return _fraction(any(equal(places, expand_dims(target, -1)), axis=-1))


@builder
def binary_accuracy(logits: Operand, labels: Operand) -> Node:
    """The fraction of logits on the side of their labels: above 0 (a probability above 1/2) where the label is 1.

    Labels are 0 or 1, truth values, or probabilities, which count as 1 above 1/2; their shape is that of the logits.

    >>> import graphad as ga
    >>> binary_accuracy(ga.input("logits", shape=("batch",)), ga.input("y", shape=("batch",), dtype="bool"))
    <divide: float32[]>
    """
    x, y = _fitting(logits, labels)
    return _fraction(equal(x > 0.0, y if y.dtype == BOOL else y > 0.5))


def _fraction(right: Node) -> Node:
    return mean(cast(right, FLOAT32))


def _scores_and_labels(logits: Operand, labels: Operand) -> tuple[Node, Node]:
    """Logits (..., classes) and labels (...), or one label for all."""
    scores, target = as_node(logits), as_node(labels)
    if not scores.ndim:
        raise ShapeError(f"logits have an axis of classes; got {scores.type}")
    if target.ndim and target.shape != scores.shape[:-1]:
        raise ShapeError(
            f"logits {scores.type} need labels of shape {scores.shape[:-1]}, one class for each example, or a scalar; "
            f"got {target.type}: reshape them, or take the argmax of distributions"
        )
    return scores, target


def _difference(prediction: Operand, target: Operand) -> Node:
    x, y = _fitting(prediction, target)
    return as_float(x) - y


def _fitting(prediction: Operand, target: Operand) -> tuple[Node, Node]:
    """Both as nodes: of one shape, or one of them a scalar. Broadcasting would compare each with each."""
    x, y = as_node(prediction), as_node(target)
    if x.ndim and y.ndim and x.shape != y.shape:
        raise ShapeError(f"{x.type} and {y.type} differ in shape and are not broadcast: reshape or squeeze one of them")
    return x, y
