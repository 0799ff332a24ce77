"""PyTensor: a scan over the steps, compiled by numba or to C."""

from __future__ import annotations

from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.tensor.special import log_softmax

from tools.benchmark.peers import cells
from tools.benchmark.settings import LEARNING_RATE, Setting, Weights, first_batch, first_weights

pytensor.config.floatX = "float32"


def _relu(x: Any) -> Any:
    return pt.maximum(x, 0)


def _functions(setting: Setting) -> cells.Functions:
    def split(z: Any, count: int) -> Any:
        return pt.split(z, [setting.hidden] * count, n_splits=count, axis=-1)

    return cells.Functions(pt.tanh, pt.sigmoid, _relu, split)


def _scanned(setting: Setting, cell: cells.Cell, steps: Any) -> Any:
    """The states at all steps."""
    zeros = pt.zeros((setting.batch, setting.hidden), dtype="float32")
    carry = cells.first_carry(setting, zeros)

    def advance(x: Any, *carry: Any) -> Any:
        return list(cell(carry, x))

    carries = pytensor.scan(advance, sequences=steps, outputs_info=list(carry), return_list=True, return_updates=False)
    return carries[0]


class PyTensor:
    """Weights are shared variables; one function computes the loss and updates them."""

    def __init__(self, setting: Setting, mode: str) -> None:
        self.batch = first_batch(setting)
        shared = {name: pytensor.shared(value, shape=value.shape) for name, value in first_weights(setting).items()}
        self.shared = shared
        x, y = (pt.tensor(name, dtype=a.dtype.name, shape=a.shape) for name, a in zip("xy", self.batch, strict=True))
        logits = self._hidden(setting, x) @ shared["V"] + shared["c"]
        rows, labels = logits.reshape((-1, setting.classes)), y.flatten()
        loss = -pt.mean(log_softmax(rows, axis=-1)[pt.arange(labels.shape[0]), labels])
        gradients = pytensor.grad(loss, list(shared.values()))
        new = [w - LEARNING_RATE * g for w, g in zip(shared.values(), gradients, strict=True)]
        updates = list(zip(shared.values(), new, strict=True))
        self.function = pytensor.function([x, y], loss, updates=updates, mode=mode)
        self.function.trust_input = True

    def _hidden(self, setting: Setting, x: Any) -> Any:
        functions = _functions(setting)
        if not setting.is_recurrent:
            return cells.dense_layers(functions, setting, self.shared, x)
        steps = x.dimshuffle(1, 0, 2)
        for layer in range(1, setting.layers + 1):
            steps = _scanned(setting, cells.recurrent_cell(functions, setting, self.shared, layer), steps)
        return steps.dimshuffle(1, 0, 2) if setting.every_step else steps[-1]

    def step(self) -> Any:
        """See `Trainer`."""
        return self.function(*self.batch)

    def weights(self) -> Weights:
        """See `Trainer`."""
        return {name: shared.get_value() for name, shared in self.shared.items()}


def numba(setting: Setting) -> PyTensor:
    """Compile by numba."""
    return PyTensor(setting, "NUMBA")


def c(setting: Setting) -> PyTensor:
    """Compile to C, as far as operations have it."""
    return PyTensor(setting, "CVM")
