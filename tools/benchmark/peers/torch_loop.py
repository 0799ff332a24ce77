"""PyTorch: the cells in a Python loop, eager or through torch.compile; weights are updated in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from tools.benchmark.peers import cells
from tools.benchmark.settings import LEARNING_RATE, Setting, Weights, first_batch, first_weights


def _split(z: Any, count: int) -> Any:
    return z.chunk(count, -1)


FUNCTIONS = cells.Functions(torch.tanh, torch.sigmoid, torch.relu, _split)


def _loss(setting: Setting, weights: Any, x: Any, y: Any) -> Any:
    logits = _hidden(setting, weights, x) @ weights["V"] + weights["c"]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, setting.classes), y.reshape(-1))


def _hidden(setting: Setting, weights: Any, x: Any) -> Any:
    if not setting.is_recurrent:
        return cells.dense_layers(FUNCTIONS, setting, weights, x)
    states = cells.unrolled_states(FUNCTIONS, setting, weights, x.unbind(1), x.new_zeros(setting.batch, setting.hidden))
    return torch.stack(states, 1) if setting.every_step else states[-1]


class Torch:
    """The loss, perhaps compiled, then autograd, then the update."""

    def __init__(self, setting: Setting, transform: Callable[[Any], Any]) -> None:
        self.batch = [torch.from_numpy(array) for array in first_batch(setting)]
        values = first_weights(setting).items()
        self.values = {name: torch.from_numpy(value).requires_grad_() for name, value in values}
        self.loss = transform(partial(_loss, setting))

    def step(self) -> Any:
        """See `Trainer`."""
        loss = self.loss(self.values, *self.batch)
        weights = tuple(self.values.values())
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(gradient, alpha=LEARNING_RATE)
        return loss.detach()

    def weights(self) -> Weights:
        """See `Trainer`."""
        return {name: value.detach().numpy().copy() for name, value in self.values.items()}


def eager(setting: Setting) -> Torch:
    """Run as written."""
    return Torch(setting, lambda loss: loss)


def compiled(setting: Setting) -> Torch:
    """The loss and its gradient are compiled."""
    return Torch(setting, torch.compile)
