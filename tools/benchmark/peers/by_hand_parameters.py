"""Aligned memory for the yardstick: all parameters in one buffer, all gradients in another."""

from __future__ import annotations

import math

import numpy as np

from tools.benchmark.settings import Array, Weights

_ALIGNMENT = 64  # bytes: a line of the cache, and the widest vector
_FLOATS = _ALIGNMENT // 4


def buffer(*shape: int) -> Array:
    """Zeros, float32, aligned."""
    size = 4 * math.prod(shape)
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)


class Parameters:
    """Values by name, ``gradients`` by name, and the update of all of them at once."""

    def __init__(self, values: Weights) -> None:
        shapes = {name: value.shape for name, value in values.items()}
        self._values, self._by_name = _named(shapes)
        self._gradients, self.gradients = _named(shapes)
        for name, value in values.items():
            self._by_name[name][...] = value

    def __getitem__(self, name: str) -> Array:
        return self._by_name[name]

    def descend(self) -> None:
        """Subtract the gradients, which carry the learning rate."""
        np.subtract(self._values, self._gradients, self._values)

    def copies(self) -> Weights:
        """The values as they are now."""
        return {name: value.copy() for name, value in self._by_name.items()}


def _named(shapes: dict[str, tuple[int, ...]]) -> tuple[Array, dict[str, Array]]:
    """One buffer, and aligned views of it."""
    sizes = [-(-math.prod(shape) // _FLOATS) * _FLOATS for shape in shapes.values()]
    whole = buffer(sum(sizes))
    views, start = {}, 0
    for (name, shape), size in zip(shapes.items(), sizes, strict=True):
        views[name] = whole[start : start + math.prod(shape)].reshape(shape)
        start += size
    return whole, views
