"""The loop: batches in a seeded order, an update for each, an evaluation after each epoch.

`Training` is all that the loop changes: the parameters, the number of steps (which random numbers depend on), and that
of epochs done. The order of the batches of an epoch depends on the seed and its number only, so a training that was
interrupted and resumed ends where it would have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from graphad.compiler.function import Function, compile
from graphad.data.mnist import Mnist
from graphad.errors import DivergenceError
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.train.recipes import Net, Recipe

_EVALUATED_AT_ONCE = 1_000


@dataclass(frozen=True)
class Options:
    """What a user may choose."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int = 0
    backend: str = "numpy"


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to: its mean loss, the accuracy on the test set after it, and its seconds of training."""

    number: int
    loss: float
    test_accuracy: float
    seconds: float


OnBatch = Callable[[int, int, int, float], None]
"""Told of every batch: the epoch, the batches done, the batches of the epoch, and the batch's loss."""


@dataclass(eq=False)
class Training:
    """A declared net, compiled for training and for evaluation; ``state`` are the parameters that training changes."""

    net: Net
    options: Options
    step: Function
    score: Function
    state: tuple[Node, ...]
    compile_seconds: float
    epochs_done: int = 0


def prepare(recipe: Recipe, options: Options) -> Training:
    """Declare, differentiate and compile; the seconds of all that are ``compile_seconds``."""
    start = time.perf_counter()
    net = recipe.declare(np.random.default_rng(options.seed))
    loss = net.loss
    updates = recipe.optimizer(options.learning_rate).updates(loss, net.parameters)
    inputs = [net.images, net.labels]
    step = compile(inputs, loss, updates=updates, backend=options.backend, seed=options.seed)
    score = compile(inputs, net.accuracy, backend=options.backend)
    step.specialise(batch=options.batch_size)
    seconds = time.perf_counter() - start
    state = tuple(dict.fromkeys((*net.parameters, *updates)))
    return Training(net, options, step, score, state, seconds)


def train(training: Training, data: Mnist, on_batch: OnBatch) -> Iterator[Epoch]:
    """Train for the epochs that are left; yields each when it is over. DivergenceError if a weight would not be."""
    while training.epochs_done < training.options.epochs:
        number = training.epochs_done + 1
        start = time.perf_counter()
        loss = _one_epoch(training, data, number, on_batch)
        seconds = time.perf_counter() - start
        training.epochs_done = number
        yield Epoch(number, loss, evaluate(training, data.test_images, data.test_labels), seconds)


def _one_epoch(training: Training, data: Mnist, number: int, on_batch: OnBatch) -> float:
    size = training.options.batch_size
    order = np.random.default_rng((training.options.seed, number)).permutation(len(data.train_images))
    starts = range(0, len(order), size)
    losses = np.zeros(len(starts))
    for i, start in enumerate(starts):
        chosen = order[start : start + size]
        images = as_input(training.net, data.train_images[chosen])
        try:
            losses[i] = training.step(images, data.train_labels[chosen])
        except DivergenceError as error:
            raise DivergenceError(
                f"batch {i + 1} of epoch {number}, learning rate {training.options.learning_rate:g}: {error}"
            ) from error
        on_batch(number, i + 1, len(starts), float(losses[i]))
    return float(losses.mean())


def as_input(net: Net, images: Array) -> Array:
    """Bytes as float32 from 0 to 1, in the shape that the net reads."""
    shape = net.images.type.shape[1:]
    return np.multiply(images, np.float32(1 / 255), dtype=np.float32).reshape(len(images), *shape)


def evaluate(training: Training, images: Array, labels: Array) -> float:
    """The fraction of the images that is classified right."""
    right = 0.0
    for start in range(0, len(images), _EVALUATED_AT_ONCE):
        part = slice(start, start + _EVALUATED_AT_ONCE)
        right += float(training.score(as_input(training.net, images[part]), labels[part])) * len(labels[part])
    return right / len(labels)
