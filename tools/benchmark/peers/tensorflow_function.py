"""TensorFlow: one tf.function holds the unrolled cells, the gradient tape and the updates of variables."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from tools.benchmark.peers import cells
from tools.benchmark.settings import LEARNING_RATE, Setting, Weights, first_batch, first_weights


def _split(z: Any, count: int) -> Any:
    return tf.split(z, count, axis=-1)


FUNCTIONS = cells.Functions(tf.tanh, tf.sigmoid, tf.nn.relu, _split)


class TensorFlow:
    """The function takes a batch; the variables are its closure."""

    def __init__(self, setting: Setting) -> None:
        self.batch = [tf.constant(array) for array in first_batch(setting)]
        self.variables = {name: tf.Variable(value) for name, value in first_weights(setting).items()}
        self.descend = tf.function(partial(self._descend, setting))

    def _hidden(self, setting: Setting, x: Any) -> Any:
        if not setting.is_recurrent:
            return cells.dense_layers(FUNCTIONS, setting, self.variables, x)
        zeros = tf.zeros((setting.batch, setting.hidden))
        states = cells.unrolled_states(FUNCTIONS, setting, self.variables, tf.unstack(x, axis=1), zeros)
        return tf.stack(states, axis=1) if setting.every_step else states[-1]

    def _descend(self, setting: Setting, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self._hidden(setting, x) @ self.variables["V"] + self.variables["c"]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        variables = list(self.variables.values())
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(LEARNING_RATE * gradient)
        return loss

    def step(self) -> Any:
        """See `Trainer`; a tf.function returns when it is done."""
        return self.descend(*self.batch)

    def weights(self) -> Weights:
        """See `Trainer`."""
        return {name: variable.numpy() for name, variable in self.variables.items()}


def build(setting: Setting) -> TensorFlow:
    """Make the variables and the function; it is traced by its first call."""
    return TensorFlow(setting)
