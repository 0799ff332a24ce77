"""The yardstick: training steps as a careful person writes them with numpy.

Nothing is allocated in a step: views, bound methods and buffers are tupled once. Parameters lie in one buffer and
gradients in another, so that the update is one subtraction; gradients carry the learning rate from the loss on.
"""

from __future__ import annotations

import numpy as np

from graphad.backend.flush import subnormals_flushed
from tools.benchmark.peers.by_hand_gated import Gru, Lstm
from tools.benchmark.peers.by_hand_parameters import Parameters, buffer
from tools.benchmark.peers.by_hand_recurrent import Recurrent, Tanh, matrix
from tools.benchmark.settings import LEARNING_RATE, Array, Setting, Weights, first_batch, first_weights

CELLS: dict[str, type[Recurrent]] = {"tanh": Tanh, "lstm": Lstm, "gru": Gru}


class ReadOut:
    """Logits h @ V + c of every row of h, their mean softmax cross-entropy, and the way back."""

    def __init__(self, parameters: Parameters, states: Array, cotangents: Array) -> None:
        rows, classes = len(states), parameters["c"].size
        self.parameters, self.states, self.cotangents = parameters, states, cotangents
        self.scores, self.exponentials = buffer(rows, classes), buffer(rows, classes)
        self.greatest, self.factors, self.sums, self.chosen = (buffer(rows, 1) for _ in range(4))
        self.ones, self.one_per_class = np.ones((1, rows), "f4"), np.ones((classes, 1), "f4")
        self.starts, self.places = np.arange(rows) * classes, np.empty(rows, np.int64)
        self.scale = np.float32(LEARNING_RATE / rows)

    def loss(self, labels: Array) -> float:
        """The loss, of one label for each row; fills the gradients and the rows' cotangents."""
        scores, sums = self.scores, self.sums
        self.states.dot(self.parameters["V"], scores)
        np.add(scores, self.parameters["c"], scores)
        np.maximum.reduce(scores, 1, None, out=self.greatest, keepdims=True)
        np.subtract(scores, self.greatest, scores)
        np.add(self.starts, labels, self.places)
        scores.take(self.places, None, self.chosen[:, 0], "clip")
        np.exp(scores, self.exponentials)
        self.exponentials.dot(self.one_per_class, sums)
        self._backward()
        np.log(sums, sums)
        np.subtract(sums, self.chosen, sums)
        return float(self.ones.dot(sums)[0, 0]) / len(sums)

    def _backward(self) -> None:
        """Softmax less one-hot, times the learning rate over the rows, is the logits' cotangent."""
        cotangent, gradients = self.exponentials, self.parameters.gradients
        np.divide(self.scale, self.sums, self.factors)
        np.multiply(cotangent, self.factors, cotangent)
        cotangent.reshape(-1)[self.places] -= self.scale
        self.states.T.dot(cotangent, gradients["V"])
        self.ones.dot(cotangent, gradients["c"].reshape(1, -1))
        cotangent.dot(self.parameters["V"].T, self.cotangents)


class RecurrentTrainer:
    """Layers over time; x is copied so that a step's batch is contiguous: (steps, batch, inputs)."""

    def __init__(self, setting: Setting) -> None:
        self.batch = first_batch(setting)
        cell = CELLS[setting.cell]
        self.parameters = Parameters({name: cell.arranged(name, w) for name, w in first_weights(setting).items()})
        self.inputs = buffer(setting.steps, setting.batch, setting.inputs)
        self.layers: list[Recurrent] = []
        below = self.inputs
        cotangents: Array | None = None
        for layer in range(1, setting.layers + 1):
            every_step = setting.every_step or layer < setting.layers
            top = cell(setting, self.parameters, layer, below, cotangents, every_step)
            self.layers.append(top)
            below, cotangents = top.states[1:], top.cotangents
        rows = below if setting.every_step else below[-1]
        self.read_out = ReadOut(self.parameters, matrix(rows), matrix(self.layers[-1].cotangents))

    def step(self) -> float:
        """See `Trainer`."""
        x, y = self.batch
        with subnormals_flushed():
            np.copyto(self.inputs, x.transpose(1, 0, 2))
            for layer in self.layers:
                layer.forward()
            loss = self.read_out.loss(y.T.reshape(-1))
            for layer in reversed(self.layers):
                layer.backward()
            self.parameters.descend()
        return loss

    def weights(self) -> Weights:
        """See `Trainer`."""
        cell = type(self.layers[0])
        return {name: cell.arranged(name, w, back=True) for name, w in self.parameters.copies().items()}


class DenseTrainer:
    """Layers relu(x @ U + b)."""

    def __init__(self, setting: Setting) -> None:
        self.batch = first_batch(setting)
        self.parameters = Parameters(first_weights(setting))
        self.names = [(f"U{layer}", f"b{layer}") for layer in range(1, setting.layers + 1)]
        shape = (setting.batch, setting.hidden)
        self.activations = [buffer(*shape) for _ in self.names]
        self.cotangents = [buffer(*shape) for _ in self.names]
        self.active = np.empty(shape, bool)
        self.ones = np.ones((1, setting.batch), "f4")
        self.read_out = ReadOut(self.parameters, self.activations[-1], self.cotangents[-1])

    def step(self) -> float:
        """See `Trainer`."""
        x, y = self.batch
        with subnormals_flushed():
            self._forward(x)
            loss = self.read_out.loss(y)
            self._backward(x)
            self.parameters.descend()
        return loss

    def _forward(self, x: Array) -> None:
        for (U, b), activation in zip(self.names, self.activations, strict=True):
            x.dot(self.parameters[U], activation)
            np.add(activation, self.parameters[b], activation)
            np.maximum(activation, 0, out=activation)
            x = activation

    def _backward(self, x: Array) -> None:
        gradients = self.parameters.gradients
        for k in reversed(range(len(self.names))):
            (U, b), cotangent = self.names[k], self.cotangents[k]
            np.greater(self.activations[k], 0, self.active)
            np.multiply(cotangent, self.active, cotangent)
            (self.activations[k - 1] if k else x).T.dot(cotangent, gradients[U])
            self.ones.dot(cotangent, gradients[b].reshape(1, -1))
            if k:
                cotangent.dot(self.parameters[U].T, self.cotangents[k - 1])

    def weights(self) -> Weights:
        """See `Trainer`."""
        return self.parameters.copies()


def build(setting: Setting) -> RecurrentTrainer | DenseTrainer:
    """Allocate everything and tuple the steps."""
    return RecurrentTrainer(setting) if setting.is_recurrent else DenseTrainer(setting)
