"""Losses, normalisation and recurrent cells, from their formulas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.oracles.peer import np, special

Function = Callable[..., Any]
Array = Any
UNITS = 2


def log_softmax(x: Array) -> Array:
    """Along the last axis."""
    return x - special.logsumexp(x, axis=-1, keepdims=True)


def cross_entropy(logits: Array, labels: Array, smoothing: float = 0.0) -> Array:
    """Of labels that are integers, or a distribution for each example."""
    classes = logits.shape[-1]
    wanted = labels if labels.ndim == logits.ndim else np.eye(classes)[labels]
    smooth = (1.0 - smoothing) * wanted + smoothing / classes
    return -np.sum(smooth * log_softmax(logits), axis=-1)


def sigmoid_cross_entropy(x: Array, y: Array, weight: float = 1.0) -> Array:
    """Of a yes and a no."""
    return weight * y * np.log1p(np.exp(-x)) + (1.0 - y) * np.log1p(np.exp(x))


def huber(x: Array, y: Array, delta: float) -> Array:
    """The mean of a parabola that goes on as a line."""
    error = np.abs(x - y)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


def cosine_similarity(x: Array, y: Array) -> Array:
    """Along axis 0."""
    return np.sum(x * y, axis=0) / np.sqrt(np.sum(x * x, axis=0) * np.sum(y * y, axis=0))


def standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """Of mean 0 and nearly of variance 1 over the axes."""
    centred = x - np.mean(x, axis=axes, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=axes, keepdims=True) + epsilon)


def layer_norm_of_two_axes(x: Array, scale: Array, offset: Array) -> Array:
    """Over the first axis and the last."""
    return standardised(x, (0, 2), 1e-5) * scale[:, None] + offset[:, None]


def batch_norm_training(x: Array, scale: Array, offset: Array) -> Array:
    """Features are axis 1."""
    return standardised(x, (0, 2), 1e-3) * scale[:, None] + offset[:, None]


def simple(h: Array, x: Array, W: Array, U: Array, b: Array) -> Array:
    """One step of the simple cell."""
    return np.tanh(np.dot(x, W) + np.dot(h, U) + b)


def lstm(carry: tuple[Array, Array], x: Array, W: Array, U: Array, b: Array) -> tuple[Array, Array]:
    """One step; the gates stand in the order input, forget, candidate, output."""
    h, c = carry
    gates = np.dot(x, W) + np.dot(h, U) + b
    i, f, g, o = (gates[:, k * UNITS : (k + 1) * UNITS] for k in range(4))
    c = special.expit(f) * c + special.expit(i) * np.tanh(g)
    return special.expit(o) * np.tanh(c), c


def gru(h: Array, x: Array, W: Array, U: Array, b: Array, reset_after: bool = True) -> Array:
    """One step; the gates stand in the order update, reset, candidate."""
    of_x, of_h = (b[0], b[1]) if reset_after else (b, 0.0)
    from_x, from_h = np.dot(x, W) + of_x, np.dot(h, U) + of_h
    z = special.expit(from_x[:, :UNITS] + from_h[:, :UNITS])
    r = special.expit(from_x[:, UNITS:-UNITS] + from_h[:, UNITS:-UNITS])
    remembered = r * from_h[:, -UNITS:] if reset_after else np.dot(r * h, U[:, -UNITS:])
    return z * h + (1.0 - z) * np.tanh(from_x[:, -UNITS:] + remembered)


def walk(step: Function, x: Array, *weights: Array) -> Array:
    """The states h at each time, axis 1."""
    carry: Any = np.zeros((len(x), UNITS))
    carry, states = ((carry, carry) if step is lstm else carry), []
    for t in range(x.shape[1]):
        carry = step(carry, x[:, t], *weights)
        states.append(carry[0] if isinstance(carry, tuple) else carry)
    return np.stack(states, axis=1)


def unroll(h: Array, w: Array, xs: Array) -> Array:
    """A state that is multiplied by weights, and tells its product with what is read."""
    outputs = []
    for t in range(xs.shape[1]):
        h = np.tanh(h * w + xs[:, t])
        outputs.append(h * xs[:, t])
    return np.stack(outputs, axis=1)


def bidirectional(x: Array, W: Array, U: Array, b: Array) -> Array:
    """There with one cell, and back with another that has no bias."""
    return np.concatenate([walk(simple, x, W, U, b), walk(simple, x[:, ::-1], 2.0 * W, -U, 0.0)[:, ::-1]], axis=2)


FUNCTIONS: dict[str, Function] = {
    "softmax_cross_entropy(labels)": cross_entropy,
    "softmax_cross_entropy(distribution)": cross_entropy,
    "softmax_cross_entropy(labels, smoothed)": partial(cross_entropy, smoothing=0.3),
    "softmax_cross_entropy(distribution, smoothed)": partial(cross_entropy, smoothing=0.3),
    "sigmoid_cross_entropy(probabilities)": sigmoid_cross_entropy,
    "sigmoid_cross_entropy(weighted truth values)": partial(sigmoid_cross_entropy, weight=2.5),
    "kl_divergence": lambda x, q: np.sum(q * (np.log(q) - log_softmax(x)), axis=-1),
    "mse": lambda x, y: np.mean((x - y) ** 2),
    "mae": lambda x, y: np.mean(np.abs(x - y)),
    "huber": partial(huber, delta=0.75),
    "hinge": lambda x, y: np.mean(np.maximum(0.0, 1.0 - x * y)),
    "cosine_similarity": cosine_similarity,
    "l2_penalty": lambda x, y: np.sum(x**2) + np.sum(y**2),
    "layer_norm": lambda x: standardised(x, (1,), 1e-5),
    "layer_norm(two axes, scale and offset)": layer_norm_of_two_axes,
    "rms_norm": lambda x, scale: x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + 1e-6) * scale,
    "l2_normalize": lambda x: x / np.sqrt(np.sum(x**2, axis=0)),
    "batch_norm(given statistics)": lambda x, mean, variance, scale: (x - mean) * scale / np.sqrt(variance + 1e-3),
    "batch_norm_training": batch_norm_training,
    "unroll": unroll,
    "rnn_cell": partial(walk, simple),
    "lstm_cell": partial(walk, lstm),
    "gru_cell(reset after)": partial(walk, gru),
    "gru_cell(reset before)": partial(walk, partial(gru, reset_after=False)),
    "bidirectional": bidirectional,
}
