"""Recurrent layers of the yardstick, and the simplest of them: h = tanh(x @ U + h @ W + b).

What does not wait for the past (the products with x, derivatives of activations, the weights' gradients) is done for
a tile of time at once: a few steps whose arrays stay in the cache. The states of all steps are kept for the way back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tools.benchmark.peers.by_hand_parameters import Parameters, buffer
from tools.benchmark.settings import Array, Setting

_TILE_BYTES = 1 << 19  # of a tile's projection
_TILE_STEPS = 4  # at least

Times = Callable[[Array, Array], Any]  # the bound method dot of an array: (right, out)


class Accumulated:
    """A gradient that is the sum of one product for each tile."""

    def __init__(self, gradient: Array) -> None:
        self.gradient = gradient if gradient.ndim == 2 else gradient.reshape(1, -1)
        self.part = buffer(*self.gradient.shape)

    def add(self, times: Times, right: Array, first: bool) -> None:
        """Add the product, or begin with it."""
        if first:
            times(right, self.gradient)
        else:
            times(right, self.part)
            np.add(self.gradient, self.part, self.gradient)


Gradient = tuple[Accumulated, Times, Array]  # the sum, and left.dot and right of the product to be added


@dataclass(frozen=True)
class Tile:
    """Steps ``start`` to ``stop`` - 1, with what is read and written, tupled."""

    start: int
    stop: int
    project: Times  # of the inputs
    projection: Array
    forward_steps: list[Any]
    backward_steps: list[Any]
    gradients: list[Gradient]
    down: tuple[Times, Array] | None


class Recurrent(ABC):
    """A layer: ``states[t + 1]`` is the state after step t, ``states[0]`` is zero.

    Whoever reads the states fills ``cotangents`` before `backward`: (steps, batch, hidden), or (batch, hidden) of the
    last step alone. The layer in turn fills ``below``, the cotangents of its inputs, unless that is None.
    """

    order: ClassVar[
        dict[str, tuple[int, ...]]
    ] = {}  # of gates in the layer's own columns, by the weight's first letter
    delta_gates: ClassVar[int] = 1  # whose cotangents are computed

    def __init__(
        self, setting: Setting, parameters: Parameters, layer: int, inputs: Array, below: Array | None, every_step: bool
    ) -> None:
        self.steps, self.rows, self.hidden, self.width = setting.steps, setting.batch, setting.hidden, setting.width
        self.inputs, self.below, self.every_step = inputs, below, every_step
        self.U, self.W, self.b = (parameters[f"{letter}{layer}"] for letter in "UWb")
        self.dU, self.dW, self.db = (Accumulated(parameters.gradients[f"{letter}{layer}"]) for letter in "UWb")
        self.used_U, self.used_W, self.used_b = self.U, self.W, self.b  # or copies made from them
        self.W_T = buffer(*self.W.shape[::-1])
        self.states = buffer(self.steps + 1, self.rows, self.hidden)
        self.cotangents = buffer(*([self.steps] if every_step else []), self.rows, self.hidden)
        self.cotangent = buffer(self.rows, self.hidden) if every_step else self.cotangents
        self.product = buffer(self.rows, self.width)
        self.length = min(self.steps, max(_TILE_STEPS, _TILE_BYTES // self.product.nbytes))
        self.projection = buffer(self.length, self.rows, self.width)
        self.slopes = buffer(self.length, self.delta_gates, self.rows, self.hidden)
        self.deltas = buffer(self.length, self.rows, self.delta_gates * self.hidden)
        self.ones = np.ones((1, self.length * self.rows), "f4")
        self.allocate(parameters, layer)
        starts = range(0, self.steps, self.length)
        self.tiles = [self._tile(start, min(start + self.length, self.steps)) for start in starts]

    @classmethod
    def arranged(cls, name: str, weight: Array, back: bool = False) -> Array:
        """A weight with its gates in the layer's own order, or back in the settings' order."""
        order = cls.order.get(name[0])
        if order is None:
            return weight
        gates = np.split(weight, len(order), axis=-1)
        return np.concatenate([gates[k] for k in (np.argsort(order) if back else order)], axis=-1)

    def _tile(self, start: int, stop: int) -> Tile:
        inputs, projection = matrix(self.inputs[start:stop]), matrix(self.projection[: stop - start])
        deltas = matrix(self.deltas[: stop - start])[:, : self.width]
        down = None if self.below is None else (deltas.dot, matrix(self.below[start:stop]))
        forward_steps = [self.forward_step(t, t - start) for t in range(start, stop)]
        backward_steps = [self.backward_step(t, t - start) for t in reversed(range(start, stop))]
        gradients = self.gradients(start, stop)
        return Tile(start, stop, inputs.dot, projection, forward_steps, backward_steps, gradients, down)

    def gradients(self, start: int, stop: int) -> list[Gradient]:
        """The products that make the gradients; the first step has no past to multiply with."""
        deltas, first = self.deltas[: stop - start], max(start, 1)
        of_projection, of_product = matrix(deltas)[:, : self.width], matrix(deltas[first - start :])[:, -self.width :]
        ones = self.ones[:, : len(of_projection)]
        return [
            (self.dU, matrix(self.inputs[start:stop]).T.dot, of_projection),
            (self.dW, matrix(self.states[first:stop]).T.dot, of_product),
            (self.db, ones.dot, of_projection),
        ]

    def past(self, step: int) -> Times:
        """The product of the state before a step."""
        return self.states[step].dot if step else no_product

    def above(self, step: int) -> Array | None:
        """The cotangent that a step's state gets from its reader, if every step's does."""
        return self.cotangents[step] if self.every_step else None

    def forward(self) -> None:
        """Fill the states."""
        self.start_forward()
        for tile in self.tiles:
            tile.project(self.used_U, tile.projection)
            np.add(tile.projection, self.used_b, tile.projection)
            self.run_forward(tile.forward_steps)

    def backward(self) -> None:
        """Fill the gradients of the parameters, and ``below``."""
        self.start_backward()
        for tile in reversed(self.tiles):
            self.differentiate(tile.start, tile.stop)
            self.run_backward(tile.backward_steps)
            for gradient, times, deltas in tile.gradients:
                gradient.add(times, deltas, first=tile.stop == self.steps)
            if tile.down is not None:
                times, below = tile.down
                times(self.U.T, below)

    def start_forward(self) -> None:
        """The first step's product, for there is no state before it."""
        self.product.fill(0)

    def start_backward(self) -> None:
        """The cotangent after the last step, and the transposed weight."""
        np.copyto(self.W_T, self.W.T)
        if self.every_step:
            self.cotangent.fill(0)

    @abstractmethod
    def allocate(self, parameters: Parameters, layer: int) -> None:
        """Make what the cell needs beyond what every layer has."""

    @abstractmethod
    def forward_step(self, step: int, place: int) -> Any:
        """What a step, at its place in the tile, reads and writes, tupled for `run_forward`."""

    @abstractmethod
    def backward_step(self, step: int, place: int) -> Any:
        """The same for `run_backward`."""

    @abstractmethod
    def run_forward(self, steps: list[Any]) -> None:
        """The recurrence."""

    @abstractmethod
    def differentiate(self, start: int, stop: int) -> None:
        """Fill the slopes, by which cotangents of states become those of what the activations were taken of."""

    @abstractmethod
    def run_backward(self, steps: list[Any]) -> None:
        """The recurrence of the cotangents."""


def matrix(tile: Array) -> Array:
    """(steps, batch, n) as (steps * batch, n)."""
    return tile.reshape(-1, tile.shape[-1])


def no_product(right: Array, out: Array) -> None:
    """In place of a product with a past that there is not."""


class Tanh(Recurrent):
    """The simplest cell."""

    def allocate(self, parameters: Parameters, layer: int) -> None:
        """The slopes become the deltas, in place."""
        self.deltas = self.slopes[:, 0]

    def forward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        return self.past(step), self.projection[place], self.states[step + 1]

    def run_forward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, tanh, W, product = np.add, np.tanh, self.used_W, self.product
        for past_times, projected, state in steps:
            past_times(W, product)
            add(product, projected, product)
            tanh(product, state)

    def differentiate(self, start: int, stop: int) -> None:
        """See `Recurrent`."""
        states, slopes = self.states[start + 1 : stop + 1], self.deltas[: stop - start]
        np.multiply(states, states, slopes)
        np.subtract(1, slopes, slopes)

    def backward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        delta = self.deltas[place]
        return self.above(step), delta, delta.dot if step else no_product

    def run_backward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, multiply, W_T, cotangent = np.add, np.multiply, self.W_T, self.cotangent
        for above, delta, delta_times in steps:
            if above is not None:
                add(cotangent, above, cotangent)
            multiply(cotangent, delta, delta)
            delta_times(W_T, cotangent)
