"""The cells as formulas, for every library that has operators: x @ U + h @ W + b reads alike in all of them.

A carry is a tuple whose first member is the state h.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tools.benchmark.settings import Setting

Carry = tuple[Any, ...]
Cell = Callable[[Carry, Any], Carry]


@dataclass(frozen=True)
class Functions:
    """What the formulas need beyond operators; ``split(z, count)`` cuts the last axis into equal parts."""

    tanh: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    relu: Callable[[Any], Any]
    split: Callable[[Any, int], Sequence[Any]]


def _tanh(f: Functions, weights: Sequence[Any], carry: Carry, x: Any) -> Carry:
    (U, W, b), (h,) = weights, carry
    return (f.tanh(x @ U + h @ W + b),)


def _lstm(f: Functions, weights: Sequence[Any], carry: Carry, x: Any) -> Carry:
    (U, W, b), (h, c) = weights, carry
    inwards, forget, candidate, outwards = f.split(x @ U + h @ W + b, 4)
    c = f.sigmoid(forget) * c + f.sigmoid(inwards) * f.tanh(candidate)
    return f.sigmoid(outwards) * f.tanh(c), c


def _gru(f: Functions, weights: Sequence[Any], carry: Carry, x: Any) -> Carry:
    (U, W, b, d), (h,) = weights, carry
    update_x, reset_x, candidate_x = f.split(x @ U + b, 3)
    update_h, reset_h, candidate_h = f.split(h @ W + d, 3)
    update = f.sigmoid(update_x + update_h)
    candidate = f.tanh(candidate_x + f.sigmoid(reset_x + reset_h) * candidate_h)
    return (update * h + (1 - update) * candidate,)


_CELLS = {"tanh": (_tanh, "UWb"), "lstm": (_lstm, "UWb"), "gru": (_gru, "UWbd")}


def recurrent_weights(setting: Setting, weights: dict[str, Any], layer: int) -> list[Any]:
    """The weights of a layer, counted from 1, in the order in which its cell takes them."""
    return [weights[f"{letter}{layer}"] for letter in _CELLS[setting.cell][1]]


def recurrent_cell(f: Functions, setting: Setting, weights: dict[str, Any], layer: int) -> Cell:
    """The cell of a layer, counted from 1: (carry, input at t) -> carry."""
    return partial(_CELLS[setting.cell][0], f, recurrent_weights(setting, weights, layer))


def first_carry(setting: Setting, zeros: Any) -> Carry:
    """The carry before the first step; ``zeros`` has the state's shape."""
    return (zeros, zeros) if setting.cell == "lstm" else (zeros,)


def unrolled_states(f: Functions, setting: Setting, weights: dict[str, Any], steps: Sequence[Any], zeros: Any) -> Any:
    """The last layer's state at each step, by a plain loop over ``steps``, the inputs."""
    for layer in range(1, setting.layers + 1):
        cell, carry, states = recurrent_cell(f, setting, weights, layer), first_carry(setting, zeros), []
        for x in steps:
            carry = cell(carry, x)
            states.append(carry[0])
        steps = states
    return steps


def dense_layers(f: Functions, setting: Setting, weights: dict[str, Any], x: Any) -> Any:
    """The activations of the last layer of a net without a past."""
    for layer in range(1, setting.layers + 1):
        x = f.relu(x @ weights[f"U{layer}"] + weights[f"b{layer}"])
    return x
