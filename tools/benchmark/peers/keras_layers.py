"""Keras on TensorFlow: its layers, its compile, and train_on_batch."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tools.benchmark.settings import (
    LEARNING_RATE,
    Setting,
    Weights,
    biases_apart,
    biases_joined,
    first_batch,
    first_weights,
)

_KINDS = {"tanh": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


class Keras:
    """Gates, layouts and the GRU's two rows of biases are Keras's in the settings too."""

    def __init__(self, setting: Setting) -> None:
        self.batch = [tf.constant(array) for array in first_batch(setting)]
        example = (setting.steps, setting.inputs) if setting.is_recurrent else (setting.inputs,)
        hidden = [self._layer(setting, layer) for layer in range(1, setting.layers + 1)]
        read_out = keras.layers.Dense(setting.classes)
        self.model = keras.Sequential([keras.layers.Input(example), *hidden, read_out])
        letters = "UWb" if setting.is_recurrent else "Ub"
        self.names = [[f"{letter}{layer}" for letter in letters] for layer in range(1, setting.layers + 1)]
        self.names.append(["V", "c"])
        self.layers = [*hidden, read_out]
        values = biases_joined(first_weights(setting))
        for layer, names in zip(self.layers, self.names, strict=True):
            layer.set_weights([values[name] for name in names])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE), loss=loss)

    @staticmethod
    def _layer(setting: Setting, layer: int) -> Any:
        if not setting.is_recurrent:
            return keras.layers.Dense(setting.hidden, activation="relu")
        every_step = setting.every_step or layer < setting.layers
        return _KINDS[setting.cell](setting.hidden, return_sequences=every_step)

    def step(self) -> Any:
        """See `Trainer`."""
        return self.model.train_on_batch(*self.batch)

    def weights(self) -> Weights:
        """See `Trainer`."""
        values: Weights = {}
        for layer, names in zip(self.layers, self.names, strict=True):
            values.update(zip(names, layer.get_weights(), strict=True))
        return biases_apart(values)


def build(setting: Setting) -> Keras:
    """Make the model, set its weights, compile it."""
    return Keras(setting)
