"""Rows of what repeats over time. The oracles walk along time in plain numpy, one gate at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.rows.sample import FunctionSample, Operand, normal

STEPS, FEATURES, UNITS = 4, 3, 2


def sigmoid(x: Array) -> Array:
    """By the other formula."""
    return np.asarray((1 + np.tanh(x / 2)) / 2)


def rnn_in_numpy(h: Array, x: Array, W: Array, U: Array, b: Array) -> Array:
    """The next h."""
    return np.asarray(np.tanh(x @ W + h @ U + b))


def lstm_in_numpy(carry: tuple[Array, Array], x: Array, W: Array, U: Array, b: Array) -> tuple[Array, Array]:
    """The next h and c."""
    h, c = carry
    i, f, g, o = (x @ w + h @ u + k for w, u, k in zip(*(np.split(p, 4, axis=-1) for p in (W, U, b)), strict=True))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_in_numpy(h: Array, x: Array, W: Array, U: Array, b: Array, reset_after: bool = True) -> Array:
    """The next h; the bias has two rows if the reset gate comes after the product."""
    W_z, W_r, W_h = np.split(W, 3, axis=1)
    U_z, U_r, U_h = np.split(U, 3, axis=1)
    (b_z, b_r, b_h), (d_z, d_r, d_h) = (np.split(row, 3) for row in (b if reset_after else (b, 0 * b)))
    z = sigmoid(x @ W_z + b_z + h @ U_z + d_z)
    r = sigmoid(x @ W_r + b_r + h @ U_r + d_r)
    candidate = np.tanh(x @ W_h + b_h + (r * (h @ U_h + d_h) if reset_after else (r * h) @ U_h))
    return np.asarray(z * h + (1 - z) * candidate)


def _unrolled(h: Node, w: Node, xs: Node) -> Node:
    def cell(before: Node, x_t: Node) -> tuple[Node, Node]:
        after = ga.tanh(before * w + x_t)
        return after, after * x_t

    _, outputs = ga.unroll(cell, init=h, xs=xs, axis=1)
    result: Node = outputs
    return result


def _walked(h: Array, w: Array, xs: Array) -> Array:
    outputs = []
    for t in range(xs.shape[1]):
        h = np.tanh(h * w + xs[:, t])
        outputs.append(h * xs[:, t])
    return np.stack(outputs, axis=1)


def _layer(cell: Callable[..., Any]) -> Callable[..., Node]:
    """The outputs of a cell over (batch, time, features), made of weights."""
    return lambda x, *weights: ga.unroll(cell(*weights), xs=x, axis=1)[1]


def _oracle(step: Callable[..., Any], **options: Any) -> Callable[..., Array]:
    """The same, by a step in numpy; the state h is the carry, or the first of it."""

    def walk(x: Array, W: Array, U: Array, b: Array) -> Array:
        h: Any = np.zeros((len(x), UNITS))
        carry, states = ((h, h) if step is lstm_in_numpy else h), []
        for t in range(x.shape[1]):
            carry = step(carry, x[:, t], W, U, b, **options)
            states.append(carry[0] if isinstance(carry, tuple) else carry)
        return np.stack(states, axis=1)

    return walk


def _operands(gates: int, *bias: int) -> tuple[Operand, ...]:
    width = gates * UNITS
    return normal(7, STEPS, FEATURES), normal(FEATURES, width), normal(UNITS, width), normal(*bias, width)


def _both_ways(x: Node, W: Node, U: Node, b: Node) -> Node:
    ahead, back = ga.rnn_cell(W, U, b), ga.rnn_cell(2.0 * W, -U)
    outputs: Node = ga.bidirectional(ahead, back, x, axis=1)[1]
    return outputs


def _there_and_back(x: Array, W: Array, U: Array, b: Array) -> Array:
    walk = _oracle(rnn_in_numpy)
    return np.concatenate([walk(x, W, U, b), walk(x[:, ::-1], 2 * W, -U, 0 * b)[:, ::-1]], axis=2)


FUNCTIONS = (
    FunctionSample("unroll", _unrolled, (normal(7, 2), normal(2), normal(7, 4, 2)), _walked),
    FunctionSample("rnn_cell", _layer(ga.rnn_cell), _operands(1), _oracle(rnn_in_numpy)),
    FunctionSample("lstm_cell", _layer(ga.lstm_cell), _operands(4), _oracle(lstm_in_numpy)),
    FunctionSample("gru_cell", _layer(ga.gru_cell), _operands(3, 2), _oracle(gru_in_numpy), case="reset after"),
    FunctionSample(
        "gru_cell",
        _layer(lambda *weights: ga.gru_cell(*weights, reset_after=False)),
        _operands(3),
        _oracle(gru_in_numpy, reset_after=False),
        case="reset before",
    ),
    FunctionSample("bidirectional", _both_ways, _operands(1), _there_and_back),
)
