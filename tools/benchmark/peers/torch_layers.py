"""PyTorch's own layers and optimiser."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tools.benchmark.settings import GATES, LEARNING_RATE, Array, Setting, Weights, first_batch, first_weights

_KINDS = {"tanh": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
# torch's names of a recurrent layer's weights, by the settings' letters; matrices are transposed there
_NAMES = {"U": "weight_ih_l", "W": "weight_hh_l", "b": "bias_ih_l", "d": "bias_hh_l"}


def _gates_swapped(weight: Array, setting: Setting) -> Array:
    """A GRU's update and reset gates change places: torch has the reset gate first."""
    if setting.cell != "gru":
        return weight
    update, reset, candidate = np.split(weight, GATES["gru"], axis=-1)
    return np.concatenate([reset, update, candidate], axis=-1)


class TorchLayers:
    """nn.RNN, nn.LSTM or nn.GRU, batch first, or nn.Linear and relu; nn.Linear reads them out; torch.optim.SGD.

    Where the settings have one bias and torch has two that are added, the second is zero and stays so.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.batch = [torch.from_numpy(array) for array in first_batch(setting)]
        self.places: dict[str, Any] = {}
        self.layers = self._recurrent() if setting.is_recurrent else self._dense()
        self.read_out = nn.Linear(setting.hidden, setting.classes)
        self.places.update(V=self.read_out.weight, c=self.read_out.bias)
        with torch.no_grad():
            for name, value in first_weights(setting).items():
                self.places[name].copy_(torch.from_numpy(self._to_torch(name, value)))
        self.optimizer = torch.optim.SGD(self.places.values(), LEARNING_RATE)

    def _recurrent(self) -> Any:
        setting = self.setting
        layers = _KINDS[setting.cell](setting.inputs, setting.hidden, setting.layers, batch_first=True)
        letters = "UWbd" if setting.cell == "gru" else "UWb"
        for layer in range(setting.layers):
            self.places.update(
                {f"{letter}{layer + 1}": getattr(layers, f"{_NAMES[letter]}{layer}") for letter in letters}
            )
            if setting.cell != "gru":
                getattr(layers, f"bias_hh_l{layer}").requires_grad_(requires_grad=False).zero_()
        return layers

    def _dense(self) -> Any:
        modules: list[Any] = []
        for layer in range(1, self.setting.layers + 1):
            linear = nn.Linear(self.setting.fan_in(layer), self.setting.hidden)
            self.places.update({f"U{layer}": linear.weight, f"b{layer}": linear.bias})
            modules += [linear, nn.ReLU()]
        return nn.Sequential(*modules)

    def _to_torch(self, name: str, value: Array) -> Array:
        return (value if name in {"V", "c"} else _gates_swapped(value, self.setting)).T

    def _from_torch(self, name: str, value: Array) -> Array:
        return value.T if name in {"V", "c"} else _gates_swapped(value.T, self.setting)

    def _hidden(self, x: Any) -> Any:
        if not self.setting.is_recurrent:
            return self.layers(x)
        states, _ = self.layers(x)
        return states if self.setting.every_step else states[:, -1]

    def step(self) -> Any:
        """See `Trainer`."""
        x, y = self.batch
        logits = self.read_out(self._hidden(x))
        loss = nn.functional.cross_entropy(logits.flatten(0, -2), y.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def weights(self) -> Weights:
        """See `Trainer`."""
        values = {name: place.detach().numpy() for name, place in self.places.items()}
        return {name: self._from_torch(name, value).copy() for name, value in values.items()}


def build(setting: Setting) -> TorchLayers:
    """Make the layers and set their weights."""
    return TorchLayers(setting)
