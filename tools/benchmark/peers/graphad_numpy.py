"""graphad on its numpy backend, declared as its users would."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphad as ga
from tools.benchmark.settings import (
    LEARNING_RATE,
    Setting,
    Weights,
    biases_apart,
    biases_joined,
    first_batch,
    first_weights,
)

CELLS = {"tanh": ga.rnn_cell, "lstm": ga.lstm_cell, "gru": ga.gru_cell}


class Graphad:
    """The step is one compiled function; parameters hold their values."""

    def __init__(self, setting: Setting) -> None:
        self.batch = first_batch(setting)
        self.parameters = {
            name: ga.parameter(value, name=name) for name, value in biases_joined(first_weights(setting)).items()
        }
        x, y = (
            ga.input(name, shape=("batch", *array.shape[1:]), dtype=array.dtype.name)
            for name, array in zip("xy", self.batch, strict=True)
        )
        logits = self._hidden(setting, x) @ self.parameters["V"] + self.parameters["c"]
        loss = ga.mean(ga.softmax_cross_entropy(logits, y))
        updates = ga.optim.SGD(LEARNING_RATE).updates(loss, list(self.parameters.values()))
        self.function = ga.compile([x, y], loss, updates=updates)

    def _hidden(self, setting: Setting, x: ga.Node) -> ga.Node:
        """The states that are read out: of the last step, or of all."""
        carry: Any = None
        for layer in range(1, setting.layers + 1):
            U, b = self.parameters[f"U{layer}"], self.parameters[f"b{layer}"]
            if setting.is_recurrent:
                cell = CELLS[setting.cell](U, self.parameters[f"W{layer}"], b)
                carry, x = ga.unroll(cell, xs=x, axis=1)
            else:
                x = ga.relu(x @ U + b)
        last: ga.Node = carry[0] if setting.cell == "lstm" else carry
        return last if setting.is_recurrent and not setting.every_step else x

    def step(self) -> Any:
        """See `Trainer`."""
        return self.function(*self.batch)

    def weights(self) -> Weights:
        """See `Trainer`."""
        return biases_apart({name: np.array(node.value) for name, node in self.parameters.items()})


def build(setting: Setting) -> Graphad:
    """Declare, differentiate and compile."""
    return Graphad(setting)
