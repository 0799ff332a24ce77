"""LSTM and GRU of the yardstick.

One tanh serves all gates, since sigmoid(z) = (1 + tanh(z / 2)) / 2: the gates' columns of the weights are halved in
copies, once per training step. Products come as (batch, gates * hidden); the add that follows them writes (gates,
batch, hidden), so that all further arithmetic runs on contiguous memory. Every derivative that does not wait for a
cotangent is a slope, computed for a tile at once; what is left for the way back are a few products.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tools.benchmark.peers.by_hand_parameters import Parameters, buffer
from tools.benchmark.peers.by_hand_recurrent import Accumulated, Gradient, Recurrent, matrix, no_product
from tools.benchmark.settings import Array

_HALF = np.float32(0.5)


def _by_gate(columns: Array, hidden: int) -> Array:
    """(batch, gates * hidden) seen as (gates, batch, hidden)."""
    return columns.reshape(len(columns), -1, hidden).transpose(1, 0, 2)


class Halved:
    """A copy of a weight, in which the columns of sigmoid gates are halved."""

    def __init__(self, weight: Array, hidden: int, factors: list[float]) -> None:
        self.weight, self.copy = weight, buffer(*weight.shape)
        self.factors = np.repeat(np.array(factors, "f4"), hidden)

    def refresh(self) -> None:
        """Follow the weight."""
        np.multiply(self.weight, self.factors, self.copy)


class Lstm(Recurrent):
    """Gates in the order candidate, input, forget, output: the sigmoids are neighbours, and so are the memory's three.

    ``memory[t + 1]`` is the cell's memory after step t, ``memory_tanh[t]`` its tanh.
    """

    order: ClassVar[dict[str, tuple[int, ...]]] = dict.fromkeys("UWb", (2, 0, 1, 3))
    delta_gates: ClassVar[int] = 4

    def allocate(self, parameters: Parameters, layer: int) -> None:
        """See `Recurrent`."""
        sizes = self.rows, self.hidden
        self.halved = [Halved(weight, self.hidden, [1, 0.5, 0.5, 0.5]) for weight in (self.U, self.W, self.b)]
        self.used_U, self.used_W, self.used_b = (halved.copy for halved in self.halved)
        self.product_by_gate = _by_gate(self.product, self.hidden)
        self.gates = buffer(self.steps, 4, *sizes)
        self.memory, self.memory_tanh = buffer(self.steps + 1, *sizes), buffer(self.steps, *sizes)
        self.memory_slopes = buffer(self.length, *sizes)
        self.memory_cotangent, self.part = buffer(*sizes), buffer(*sizes)

    def start_forward(self) -> None:
        """See `Recurrent`."""
        super().start_forward()
        for halved in self.halved:
            halved.refresh()

    def forward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        gates, projected = self.gates[step], _by_gate(self.projection[place], self.hidden)
        memory = self.memory[step], self.memory[step + 1], self.memory_tanh[step]
        return self.past(step), projected, gates, gates[1:], *gates, *memory, self.states[step + 1]

    def run_forward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, multiply, tanh, W, product, part = np.add, np.multiply, np.tanh, self.used_W, self.product, self.part
        product_by_gate = self.product_by_gate
        for (
            past_times,
            projected,
            gates,
            sigmoids,
            candidate,
            inwards,
            forget,
            outwards,
            old,
            new,
            read,
            state,
        ) in steps:
            past_times(W, product)
            add(product_by_gate, projected, gates)
            tanh(gates, gates)
            multiply(sigmoids, _HALF, sigmoids)
            add(sigmoids, _HALF, sigmoids)
            multiply(forget, old, new)
            multiply(inwards, candidate, part)
            add(new, part, new)
            tanh(new, read)
            multiply(outwards, read, state)

    def differentiate(self, start: int, stop: int) -> None:
        """The slopes of candidate, input and forget belong to the memory's cotangent; output's, to the state's."""
        gates, slopes, read = self.gates[start:stop], self.slopes[: stop - start], self.memory_tanh[start:stop]
        np.multiply(gates, gates, slopes)
        np.subtract(1, slopes[:, 0], slopes[:, 0])
        np.subtract(gates[:, 1:], slopes[:, 1:], slopes[:, 1:])
        for gate, factor in enumerate((gates[:, 1], gates[:, 0], self.memory[start:stop], read)):
            np.multiply(slopes[:, gate], factor, slopes[:, gate])
        memory = self.memory_slopes[: stop - start]
        np.multiply(read, read, memory)
        np.subtract(1, memory, memory)
        np.multiply(memory, gates[:, 3], memory)

    def start_backward(self) -> None:
        """See `Recurrent`."""
        super().start_backward()
        self.memory_cotangent.fill(0)

    def backward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        delta, slopes = self.deltas[place], self.slopes[place]
        by_gate = _by_gate(delta, self.hidden)
        times = delta.dot if step else no_product
        inner = self.memory_slopes[place], slopes[:3], by_gate[:3], slopes[3], by_gate[3], self.gates[step, 2]
        return self.above(step), *inner, times

    def run_backward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, multiply, W_T, part = np.add, np.multiply, self.W_T, self.part
        state, memory = self.cotangent, self.memory_cotangent
        for above, memory_slope, slopes, deltas, slope_out, delta_out, forget, delta_times in steps:
            if above is not None:
                add(state, above, state)
            multiply(state, memory_slope, part)
            add(memory, part, memory)
            multiply(memory, slopes, deltas)
            multiply(state, slope_out, delta_out)
            multiply(memory, forget, memory)
            delta_times(W_T, state)


class Gru(Recurrent):
    """Gates of x in the order candidate, update, reset; of h in the order update, reset, candidate.

    Deltas have the order candidate of x, update, reset, candidate of h, so that either product finds its three
    together. ``moves[t]`` is the old state less the candidate: h = candidate + update * move.
    """

    order: ClassVar[dict[str, tuple[int, ...]]] = dict.fromkeys("Ub", (2, 0, 1))
    delta_gates: ClassVar[int] = 4

    def allocate(self, parameters: Parameters, layer: int) -> None:
        """See `Recurrent`."""
        T, H, sizes = self.steps, self.hidden, (self.rows, self.hidden)
        self.d, self.dd = parameters[f"d{layer}"], Accumulated(parameters.gradients[f"d{layer}"])
        self.halved = [Halved(weight, H, [1, 0.5, 0.5]) for weight in (self.U, self.b)]
        self.halved += [Halved(weight, H, [0.5, 0.5, 1]) for weight in (self.W, self.d)]
        self.used_U, self.used_b, self.used_W, self.used_d = (halved.copy for halved in self.halved)
        self.product_by_gate = _by_gate(self.product, H)
        self.sigmoids, self.candidates, self.moves = buffer(T, 2, *sizes), buffer(T, *sizes), buffer(T, *sizes)
        self.candidate_products = buffer(T, *sizes)  # h @ W + d, before the reset gate
        self.part = buffer(*sizes)

    def start_forward(self) -> None:
        """See `Recurrent`; the gates' two biases are one."""
        super().start_forward()
        for halved in self.halved:
            halved.refresh()
        gates = 2 * self.hidden
        np.add(self.used_b[-gates:], self.used_d[:gates], self.used_b[-gates:])

    def forward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        projected, sigmoids = _by_gate(self.projection[place], self.hidden), self.sigmoids[step]
        states = self.states[step], self.candidate_products[step], self.candidates[step], self.moves[step]
        return self.past(step), projected[1:], projected[0], sigmoids, *sigmoids, *states, self.states[step + 1]

    def run_forward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, multiply, subtract, tanh, W, product = np.add, np.multiply, np.subtract, np.tanh, self.used_W, self.product
        gate_products, candidate_product, bias = (
            self.product_by_gate[:2],
            self.product_by_gate[2],
            self.used_d[-self.hidden :],
        )
        for past_times, projected, projected_in, sigmoids, update, reset, old, inner, candidate, move, state in steps:
            past_times(W, product)
            add(gate_products, projected, sigmoids)
            tanh(sigmoids, sigmoids)
            multiply(sigmoids, _HALF, sigmoids)
            add(sigmoids, _HALF, sigmoids)
            add(candidate_product, bias, inner)
            multiply(reset, inner, candidate)
            add(candidate, projected_in, candidate)
            tanh(candidate, candidate)
            subtract(old, candidate, move)
            multiply(update, move, state)
            add(state, candidate, state)

    def differentiate(self, start: int, stop: int) -> None:
        """All slopes belong to the state's cotangent."""
        update, reset = self.sigmoids[start:stop, 0], self.sigmoids[start:stop, 1]
        slopes = self.slopes[: stop - start]
        of_candidate, of_update, of_reset, of_product = (slopes[:, gate] for gate in range(4))
        np.subtract(1, update, of_update)
        np.multiply(self.candidates[start:stop], self.candidates[start:stop], of_candidate)
        np.subtract(1, of_candidate, of_candidate)
        np.multiply(of_candidate, of_update, of_candidate)
        np.multiply(of_update, update, of_update)
        np.multiply(of_update, self.moves[start:stop], of_update)
        np.multiply(of_candidate, reset, of_product)
        np.subtract(1, reset, of_reset)
        np.multiply(of_reset, of_product, of_reset)
        np.multiply(of_reset, self.candidate_products[start:stop], of_reset)

    def backward_step(self, step: int, place: int) -> Any:
        """See `Recurrent`."""
        delta = self.deltas[place]
        times = delta[:, self.hidden :].dot if step else no_product
        return self.above(step), self.slopes[place], _by_gate(delta, self.hidden), self.sigmoids[step, 0], times

    def run_backward(self, steps: list[Any]) -> None:
        """See `Recurrent`."""
        add, multiply, W_T, part, state = np.add, np.multiply, self.W_T, self.part, self.cotangent
        for above, slopes, deltas, update, delta_times in steps:
            if above is not None:
                add(state, above, state)
            multiply(state, slopes, deltas)
            multiply(state, update, state)
            delta_times(W_T, part)
            add(state, part, state)

    def gradients(self, start: int, stop: int) -> list[Gradient]:
        """See `Recurrent`; the bias of the recurrent product counts at the first step too."""
        of_product = matrix(self.deltas[: stop - start])[:, self.hidden :]
        return [*super().gradients(start, stop), (self.dd, self.ones[:, : len(of_product)].dot, of_product)]
