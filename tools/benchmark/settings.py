"""What is trained: nets, their sizes, their first weights and their batch, the same for every peer.

A net is layers of one kind of cell, then a linear read-out and the mean softmax cross-entropy, at the last step or at
every step. Weights are called U1, W1, b1, ... layer by layer, V and c for the read-out. Gates stand beside each other
in the columns of U, W and b: input, forget, candidate, output (LSTM); update, reset, candidate (GRU).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Weights = dict[str, Array]

LEARNING_RATE = 0.1  # great enough for the first update to stand out from the rounding of weights
GATES = {"relu": 1, "tanh": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Setting:
    """One net and one size of batch; cells of kind "relu" have no past, and the net then has one step."""

    name: str
    cell: str
    steps: int
    inputs: int
    hidden: int
    batch: int
    layers: int = 1
    classes: int = 10
    every_step: bool = False

    @property
    def is_recurrent(self) -> bool:
        """Whether the cells have a past."""
        return self.cell != "relu"

    @property
    def width(self) -> int:
        """The columns of U and W."""
        return GATES[self.cell] * self.hidden

    def fan_in(self, layer: int) -> int:
        """The rows of U of a layer, counted from 1."""
        return self.inputs if layer == 1 else self.hidden


def _sized(name: str, cell: str, *sizes: int) -> Setting:
    """A net named by its steps, inputs, hidden units and batch."""
    steps, inputs, hidden, batch = sizes
    return Setting("-".join([name, *map(str, sizes)]), cell, steps, inputs, hidden, batch)


# These six give the headline: one step reads a row of an image, a strip of it, a row by a small net, a character
# (alone, and in a batch), a single pixel.
RNNS = (
    _sized("rnn", "tanh", 28, 28, 128, 100),
    _sized("rnn", "tanh", 4, 196, 64, 100),
    _sized("rnn", "tanh", 28, 28, 32, 32),
    _sized("rnn", "tanh", 50, 65, 100, 1),
    _sized("rnn", "tanh", 50, 65, 100, 32),
    _sized("rnn", "tanh", 784, 1, 128, 100),
)
OTHERS = (
    _sized("lstm", "lstm", 28, 28, 128, 100),
    _sized("lstm", "lstm", 100, 64, 128, 64),
    _sized("gru", "gru", 28, 28, 128, 100),
    _sized("gru", "gru", 100, 64, 128, 64),
    Setting("mlp", "relu", 1, 784, 512, 128, layers=2),
    Setting("char-lstm", "lstm", 50, 65, 128, 32, layers=2, classes=65, every_step=True),
)
SETTINGS = {setting.name: setting for setting in (*RNNS, *OTHERS)}


def weight_shapes(setting: Setting) -> dict[str, tuple[int, ...]]:
    """The weights' names and shapes, in order."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(1, setting.layers + 1):
        shapes[f"U{layer}"] = (setting.fan_in(layer), setting.width)
        if setting.is_recurrent:
            shapes[f"W{layer}"] = (setting.hidden, setting.width)
        shapes[f"b{layer}"] = (setting.width,)
        if setting.cell == "gru":  # the bias of the recurrent product, which the reset gate multiplies
            shapes[f"d{layer}"] = (setting.width,)
    return {**shapes, "V": (setting.hidden, setting.classes), "c": (setting.classes,)}


def first_weights(setting: Setting) -> Weights:
    """Glorot-uniform matrices, gate by gate, and small biases; float32."""
    random = np.random.default_rng(0)

    def draw(name: str, shape: tuple[int, ...]) -> Array:
        columns = setting.classes if name == "V" else setting.hidden
        bound = np.sqrt(6 / (shape[0] + columns)) if len(shape) == 2 else 0.1
        return random.uniform(-bound, bound, shape).astype("float32")

    return {name: draw(name, shape) for name, shape in weight_shapes(setting).items()}


def first_batch(setting: Setting) -> tuple[Array, Array]:
    """Examples, float32 (batch, steps, inputs), and labels, int64 (batch,) or (batch, steps).

    Examples are normal numbers; without recurrence there is no axis of steps. Where a label is asked for at every step
    they are characters: one-hot, and the label is the next one.
    """
    random = np.random.default_rng(1)
    if setting.every_step:
        text = random.integers(0, setting.inputs, (setting.batch, setting.steps + 1))
        return np.eye(setting.inputs, dtype="float32")[text[:, :-1]], text[:, 1:] % setting.classes
    sizes = (setting.steps, setting.inputs) if setting.is_recurrent else (setting.inputs,)
    examples = random.normal(size=(setting.batch, *sizes)).astype("float32")
    return examples, random.integers(0, setting.classes, setting.batch)


def biases_joined(weights: Weights) -> Weights:
    """As Keras and graphad have them: a GRU has one bias, whose rows are b and d."""
    joined = dict(weights)
    for name in [name for name in weights if name.startswith("d")]:
        bias = name.replace("d", "b")
        joined[bias] = np.stack([joined[bias], joined.pop(name)])
    return joined


def biases_apart(weights: Weights) -> Weights:
    """The inverse."""
    apart = dict(weights)
    for name in [name for name in weights if name.startswith("b") and weights[name].ndim == 2]:
        apart[name], apart[name.replace("b", "d")] = weights[name]
    return apart
