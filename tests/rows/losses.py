"""Rows of losses and measures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import graphad as ga
from tests.rows.sample import FunctionSample, Operand, apart, below, each, normal, truth


def probabilities(*shape: int) -> Operand:
    """Numbers from 1/8 to 1 that add up to 1 along the last axis."""

    def draw(generator: np.random.Generator, size: tuple[int, ...]) -> Any:
        numbers = generator.uniform(0.125, 1.0, size)
        return numbers / numbers.sum(axis=-1, keepdims=True)

    return Operand(shape, draw)


def signs(*shape: int) -> Operand:
    """-1 and 1, as floats."""
    return Operand(shape, lambda generator, size: generator.choice([-1.0, 1.0], size))


def _log_softmax(line: Any) -> list[float]:
    return [x - math.log(math.fsum(map(math.exp, line))) for x in line]


def _cross_entropy(logits: Any, labels: Any, smoothing: float = 0.0) -> list[float]:
    losses = []
    for line, label in zip(logits, labels, strict=True):
        wanted = label if np.ndim(label) else np.eye(len(line))[label]
        smooth = [(1 - smoothing) * q + smoothing / len(line) for q in wanted]
        losses.append(-math.fsum(q * x for q, x in zip(smooth, _log_softmax(line), strict=True)))
    return losses


def _sigmoid_cross_entropy(weight: float = 1.0) -> Any:
    def loss(x: float, y: float) -> float:
        p = 1 / (1 + math.exp(-x))
        return -weight * y * math.log(p) - (1 - y) * math.log(1 - p)

    return each(loss)


def _mean(function: Any) -> Any:
    """The mean of a function of Python numbers over all elements."""
    return lambda *arrays: np.mean(each(function)(*arrays))


def _ranked(line: Any) -> list[int]:
    return sorted(range(len(line)), key=lambda i: -line[i])


def _divergence(logits: Any, q: Any) -> list[float]:
    logs = map(_log_softmax, logits)
    pairs = zip(q, logs, strict=True)
    return [math.fsum(p * (math.log(p) - x) for p, x in zip(line, log, strict=True)) for line, log in pairs]


def _cosine(x: Any, y: Any) -> list[float]:
    return [math.fsum(a * b) / (math.hypot(*a) * math.hypot(*b)) for a, b in zip(x.T, y.T, strict=True)]


def _penalty(x: Any, y: Any) -> float:
    return math.fsum(number**2 for number in [*x.ravel(), *y.ravel()])


FUNCTIONS = (
    FunctionSample(
        "softmax_cross_entropy", ga.softmax_cross_entropy, (normal(7, 3), below(3, 7)), _cross_entropy, case="labels"
    ),
    FunctionSample(
        "softmax_cross_entropy",
        ga.softmax_cross_entropy,
        (normal(7, 3), normal(7, 3)),
        _cross_entropy,
        case="distribution",
    ),
    FunctionSample(
        "softmax_cross_entropy",
        lambda x, y: ga.softmax_cross_entropy(x, y, label_smoothing=0.3),
        (normal(7, 3), below(3, 7)),
        lambda x, y: _cross_entropy(x, y, 0.3),
        case="labels, smoothed",
    ),
    FunctionSample(
        "softmax_cross_entropy",
        lambda x, y: ga.softmax_cross_entropy(x, y, label_smoothing=0.3),
        (normal(7, 3), probabilities(7, 3)),
        lambda x, y: _cross_entropy(x, y, 0.3),
        case="distribution, smoothed",
    ),
    FunctionSample(
        "sigmoid_cross_entropy",
        ga.sigmoid_cross_entropy,
        (normal(7, 3), normal(7, 3)),
        _sigmoid_cross_entropy(),
        case="probabilities",
    ),
    FunctionSample(
        "sigmoid_cross_entropy",
        lambda x, y: ga.sigmoid_cross_entropy(x, y, pos_weight=2.5),
        (normal(7, 3), truth(7, 3)),
        _sigmoid_cross_entropy(2.5),
        case="weighted truth values",
    ),
    FunctionSample("kl_divergence", ga.kl_divergence, (normal(7, 3), probabilities(7, 3)), _divergence),
    FunctionSample("mse", ga.mse, (normal(7, 3), normal(7, 3)), _mean(lambda x, y: (x - y) ** 2)),
    FunctionSample("mae", ga.mae, (apart(7, 3), apart(7, 3, offset=1 / 16)), _mean(lambda x, y: abs(x - y))),
    FunctionSample(
        "huber",
        lambda x, y: ga.huber(x, y, delta=0.75),
        (apart(7, 3), apart(7, 3, offset=1 / 16)),
        _mean(lambda x, y: (x - y) ** 2 / 2 if abs(x - y) <= 0.75 else 0.75 * (abs(x - y) - 0.375)),
    ),
    FunctionSample("hinge", ga.hinge, (apart(7, 3, offset=1 / 16), signs(7, 3)), _mean(lambda x, y: max(0, 1 - x * y))),
    FunctionSample(
        "cosine_similarity", lambda x, y: ga.cosine_similarity(x, y, axis=0), (normal(4, 7), normal(4, 7)), _cosine
    ),
    FunctionSample("l2_penalty", lambda x, y: ga.l2_penalty({"W": x, "b": [y]}), (normal(2, 3), normal(4)), _penalty),
    FunctionSample(
        "accuracy",
        ga.accuracy,
        (normal(5, 3), below(3, 5)),
        lambda x, y: sum(line.tolist().index(max(line)) == label for line, label in zip(x, y, strict=True)) / 5,
        smooth=False,
    ),
    FunctionSample(
        "top_k_accuracy",
        lambda x, y: ga.top_k_accuracy(x, y, k=2),
        (normal(7, 4), below(4, 7)),
        lambda x, y: np.mean([label in _ranked(line)[:2] for line, label in zip(x, y, strict=True)]),
        smooth=False,
    ),
    FunctionSample(
        "binary_accuracy",
        ga.binary_accuracy,
        (normal(7, 3), below(2, 7, 3)),
        _mean(lambda x, y: (1 / (1 + math.exp(-x)) > 0.5) == bool(y)),
        smooth=False,
    ),
)
