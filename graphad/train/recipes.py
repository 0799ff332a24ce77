"""The nets that `graphad train` knows, each declared in a few lines from the public operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from graphad.data.mnist import CLASSES, SIDE
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.leaves import input, parameter
from graphad.ops.losses import accuracy, softmax_cross_entropy
from graphad.ops.reduction import mean
from graphad.ops.selection import relu
from graphad.ops.shaping import broadcast_to
from graphad.ops.transcendental import tanh
from graphad.optim import SGD, Adam
from graphad.recurrence.unroll import unroll

PIXELS = SIDE * SIDE


@dataclass(frozen=True, eq=False)
class Net:
    """A declared classifier: ``images`` (float32, 0 to 1) and ``labels`` are its inputs."""

    images: Node
    labels: Node
    logits: Node
    parameters: tuple[Node, ...]

    @property
    def loss(self) -> Node:
        """The mean cross-entropy of a batch."""
        return mean(softmax_cross_entropy(self.logits, self.labels)).named("loss")

    @property
    def accuracy(self) -> Node:
        """The fraction of a batch that is classified right."""
        return accuracy(self.logits, self.labels)


@dataclass(frozen=True)
class Recipe:
    """A net and how it is trained unless told otherwise; ``optimizer`` makes the rule from a learning rate."""

    name: str
    summary: str
    declare: Callable[[np.random.Generator], Net]
    optimizer: Callable[[float], SGD | Adam]
    learning_rate: float
    epochs: int
    batch_size: int


def glorot(generator: np.random.Generator, rows: int, columns: int) -> Array:
    """Uniform within +-sqrt(6 / (rows + columns)), float32 (Glorot and Bengio, 2010, equation 16)."""
    bound = np.sqrt(6 / (rows + columns))
    return generator.uniform(-bound, bound, (rows, columns)).astype(np.float32)


def _zeros(size: int) -> Array:
    return np.zeros(size, np.float32)


def mnist_rnn(generator: np.random.Generator, steps: int = 4, hidden: int = 64) -> Net:
    """A tanh RNN that reads an image in ``steps`` strips of rows, and a dense layer on its last state."""
    strip = PIXELS // steps
    x, y = _inputs((steps, strip))
    U = parameter(glorot(generator, strip, hidden), name="U")
    W = parameter(glorot(generator, hidden, hidden), name="W")
    b = parameter(_zeros(hidden), name="b")
    V = parameter(glorot(generator, hidden, CLASSES), name="V")
    c = parameter(_zeros(CLASSES), name="c")

    def rnn(h: Node, x_t: Node) -> tuple[Node, None]:
        return tanh(x_t @ U + h @ W + b).named("h"), None

    h, _ = unroll(rnn, broadcast_to(0.0, ("batch", hidden)), x, axis=1)
    return Net(x, y, (h @ V + c).named("logits"), (U, W, b, V, c))


def mnist_mlp(generator: np.random.Generator, hidden: int = 128) -> Net:
    """A net of one hidden layer with ReLU."""
    x, y = _inputs((PIXELS,))
    W1 = parameter(glorot(generator, PIXELS, hidden), name="W1")
    b1 = parameter(_zeros(hidden), name="b1")
    W2 = parameter(glorot(generator, hidden, CLASSES), name="W2")
    b2 = parameter(_zeros(CLASSES), name="b2")
    h = relu(x @ W1 + b1).named("h")
    return Net(x, y, (h @ W2 + b2).named("logits"), (W1, b1, W2, b2))


def _inputs(shape: tuple[int, ...]) -> tuple[Node, Node]:
    return input("x", shape=("batch", *shape)), input("y", shape=("batch",), dtype="uint8")


_ALL = (
    Recipe(
        name="mnist-rnn",
        summary="4 steps of 196 pixels, tanh RNN of 64, dense 10; SGD with momentum 0.9",
        declare=mnist_rnn,
        optimizer=lambda rate: SGD(rate, momentum=0.9),
        learning_rate=0.015,
        epochs=5,
        batch_size=100,
    ),
    Recipe(
        name="mnist-mlp",
        summary="784-128-10, ReLU; Adam",
        declare=mnist_mlp,
        optimizer=Adam,
        learning_rate=1e-3,
        epochs=10,
        batch_size=128,
    ),
)
RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.name: recipe for recipe in _ALL})
