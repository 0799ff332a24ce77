"""Normalisation: values brought to mean 0 and size 1, over their own features or over the batch.

Variances are means of squared distances from the mean, taken after it is known: no digits are lost where the mean is
great. ``epsilon`` stands under the root, so where all values are equal the result is 0 and the gradient is finite.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from graphad.errors import ArgumentError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ops.arithmetic import sqrt, square
from graphad.ops.build import Operand, as_float, as_node, cast, normalize_axes
from graphad.ops.control import stop_gradient
from graphad.ops.reduction import mean, sum
from graphad.ops.selection import maximum
from graphad.ops.shaping import reshape


@builder
def layer_norm(
    x: Operand,
    scale: Operand | None = None,
    offset: Operand | None = None,
    axis: Any = -1,
    epsilon: float = 1e-5,
) -> Node:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, with mean and variance over ``axis`` (Ba et al., 2016).

    ``axis`` is an axis, several, or None for all; the variance is that of the population. ``scale`` and ``offset`` have
    the sizes of these axes, in order, or none. The result has the shape of x. Keras's LayerNormalization (its gamma,
    beta, and an epsilon of 1e-3); torch.nn.functional.layer_norm over the last axes.

    >>> import graphad as ga
    >>> layer_norm(ga.input("x", shape=("batch", 5, 3)), scale=[1.0, 2.0, 3.0])
    <multiply: float32[batch, 5, 3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    centred, variance, _ = _moments(node, axes)
    return _scaled(centred / sqrt(variance + _positive(epsilon)), axes, scale, offset)


@builder
def rms_norm(x: Operand, scale: Operand | None = None, axis: Any = -1, epsilon: float = 1e-6) -> Node:
    """x / sqrt(mean(x^2) + epsilon) * scale, the mean over ``axis`` (Zhang and Sennrich, 2019); scale as in layer_norm.

    >>> import graphad as ga
    >>> rms_norm(ga.input("x", shape=("batch", 3)))
    <divide: float32[batch, 3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    size = sqrt(mean(square(node), axes, keepdims=True) + _positive(epsilon))
    return _scaled(node / size, axes, scale)


@builder
def l2_normalize(x: Operand, axis: Any = -1, epsilon: float = 1e-12) -> Node:
    """x / sqrt(max(sum(x^2), epsilon)), the sum over ``axis``: vectors of length 1; a vector of zeros stays one.

    >>> import graphad as ga
    >>> l2_normalize(ga.input("x", shape=("batch", 3)))
    <divide: float32[batch, 3]>
    """
    node = as_float(x)
    return node / sqrt(maximum(sum(square(node), axis, keepdims=True), _positive(epsilon)))


@builder
def batch_norm(
    x: Operand,
    mean: Operand,
    variance: Operand,
    scale: Operand | None = None,
    offset: Operand | None = None,
    axis: Any = -1,
    epsilon: float = 1e-3,
) -> Node:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset with given statistics (Ioffe and Szegedy, 2015).

    For use after training; while training, `batch_norm_training` takes the statistics from the batch. ``axis`` is that
    of the features (or several): mean, variance, scale and offset have its size. Keras's BatchNormalization with
    ``training=False`` (moving_mean, moving_variance, gamma, beta); torch's epsilon is 1e-5.

    >>> import graphad as ga
    >>> batch_norm(ga.input("x", shape=("batch", 3)), mean=[0.0, 1.0, 2.0], variance=[1.0, 1.0, 4.0])
    <divide: float32[batch, 3]>
    """
    node = as_float(x)
    axes = normalize_axes(axis, node.ndim)
    centre, spread = (_along(axes, node, statistic) for statistic in (mean, variance))
    return _scaled((node - centre) / sqrt(spread + _positive(epsilon)), axes, scale, offset)


class BatchNorm(NamedTuple):
    """What `batch_norm_training` gives: the result, the batch's mean and variance, and the new running ones."""

    output: Node
    mean: Node
    variance: Node
    running_mean: Node
    running_variance: Node


@builder
def batch_norm_training(
    x: Operand,
    running_mean: Operand,
    running_variance: Operand,
    scale: Operand | None = None,
    offset: Operand | None = None,
    axis: Any = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> BatchNorm:
    """`batch_norm` with the mean and the variance of the batch, over all axes but ``axis``, and new running statistics.

    running' = momentum * running + (1 - momentum) * batch; they carry no gradient, but the output's reaches x through
    the batch's statistics. The variance is that of the population in both places (so Keras; torch's running variance
    is the sample's, and its momentum is 1 - this one). The running statistics are nodes for `updates`:

    >>> import graphad as ga
    >>> mean = ga.parameter([0.0, 0.0, 0.0], "mean", trainable=False)
    >>> variance = ga.parameter([1.0, 1.0, 1.0], "variance", trainable=False)
    >>> x = ga.input("x", shape=("batch", 3))
    >>> norm = batch_norm_training(x, mean, variance)
    >>> norm.output
    <divide: float32[batch, 3]>
    >>> step = ga.compile([x], norm.output, updates={mean: norm.running_mean, variance: norm.running_variance})
    """
    if not 0 <= momentum <= 1:
        raise ArgumentError(f"momentum is a share from 0 to 1; got {momentum!r}")
    node = as_float(x)
    features = normalize_axes(axis, node.ndim)
    axes = tuple(i for i in range(node.ndim) if i not in features)
    centred, variance, mean = _moments(node, axes)
    output = _scaled(centred / sqrt(variance + _positive(epsilon)), features, scale, offset)
    batch = [reshape(statistic, [node.shape[i] for i in features]) for statistic in (mean, variance)]
    olds = [as_float(running) for running in (running_mean, running_variance)]
    running = [_moved(old, new, momentum) for old, new in zip(olds, batch, strict=True)]
    return BatchNorm(output, *batch, *running)


def _moved(old: Node, new: Node, momentum: float) -> Node:
    if old.shape != new.shape:
        raise ShapeError(f"the running statistics have the shape of the batch's, {new.shape}; got {old.type}")
    return momentum * stop_gradient(old) + (1.0 - momentum) * cast(stop_gradient(new), old.dtype)


def _moments(x: Node, axes: tuple[int, ...]) -> tuple[Node, Node, Node]:
    """X less its mean over the axes, its variance, and the mean, the axes kept with size 1."""
    if not axes:
        raise ShapeError(f"there is no axis of {x.type} left to take the mean over")
    average = mean(x, axes, keepdims=True)
    centred = x - average
    return centred, mean(square(centred), axes, keepdims=True), average


def _scaled(x: Node, axes: tuple[int, ...], scale: Operand | None, offset: Operand | None = None) -> Node:
    """X * scale + offset, of which each belongs to the axes, or is none."""
    scaled = x if scale is None else x * _along(axes, x, scale)
    return scaled if offset is None else scaled + _along(axes, x, offset)


def _along(axes: tuple[int, ...], x: Node, value: Operand) -> Node:
    """A value with the sizes of the axes, or without axes, so shaped that it broadcasts along the others."""
    node = as_node(value)
    sizes = tuple(x.shape[axis] for axis in axes)
    if node.ndim and node.shape != sizes:
        raise ShapeError(f"axes {axes} of {x.type} need a value of shape {sizes} or a scalar; got {node!r}: reshape it")
    return reshape(node, [x.shape[i] if i in axes else 1 for i in range(x.ndim)]) if node.ndim else node


def _positive(epsilon: float) -> float:
    if not epsilon > 0:
        raise ArgumentError(f"epsilon keeps the root from 0 and must be positive; got {epsilon!r}")
    return epsilon
