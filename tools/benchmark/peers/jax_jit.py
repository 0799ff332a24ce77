"""JAX: a jitted step that is handed its weights and gives them back, their memory donated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tools.benchmark.peers import cells
from tools.benchmark.settings import LEARNING_RATE, Setting, Weights, first_batch, first_weights

FUNCTIONS = cells.Functions(jnp.tanh, jax.nn.sigmoid, jax.nn.relu, partial(jnp.split, axis=-1))

Hidden = Callable[[Setting, Any, Any], Any]


def _unrolled(setting: Setting, weights: Any, x: Any) -> Any:
    if not setting.is_recurrent:
        return cells.dense_layers(FUNCTIONS, setting, weights, x)
    zeros = jnp.zeros((setting.batch, setting.hidden), x.dtype)
    states = cells.unrolled_states(FUNCTIONS, setting, weights, [x[:, t] for t in range(setting.steps)], zeros)
    return jnp.stack(states, axis=1) if setting.every_step else states[-1]


def _scanned(setting: Setting, weights: Any, x: Any) -> Any:
    carry = cells.first_carry(setting, jnp.zeros((setting.batch, setting.hidden), x.dtype))
    x, last = jnp.swapaxes(x, 0, 1), carry
    for layer in range(1, setting.layers + 1):
        cell = cells.recurrent_cell(FUNCTIONS, setting, weights, layer)
        keep = setting.every_step or layer < setting.layers

        def advance(carry: Any, x_t: Any, cell: cells.Cell = cell, keep: bool = keep) -> Any:
            carry = cell(carry, x_t)
            return carry, carry[0] if keep else None

        last, x = jax.lax.scan(advance, carry, x)
    return jnp.swapaxes(x, 0, 1) if setting.every_step else last[0]


def _loss(setting: Setting, hidden: Hidden, weights: Any, x: Any, y: Any) -> Any:
    log_likelihoods = jax.nn.log_softmax(hidden(setting, weights, x) @ weights["V"] + weights["c"])
    return -jnp.mean(jnp.take_along_axis(log_likelihoods, y[..., None], axis=-1))


class Jax:
    """Waits for the weights as well as for the loss."""

    def __init__(self, setting: Setting, hidden: Hidden) -> None:
        self.batch = [jnp.asarray(array) for array in first_batch(setting)]
        self.values = {name: jnp.asarray(value) for name, value in first_weights(setting).items()}
        differentiate = jax.value_and_grad(partial(_loss, setting, hidden))

        def descend(weights: Any, x: Any, y: Any) -> Any:
            loss, gradients = differentiate(weights, x, y)
            return jax.tree.map(lambda w, g: w - LEARNING_RATE * g, weights, gradients), loss

        self.descend = jax.jit(descend, donate_argnums=0)

    def step(self) -> Any:
        """See `Trainer`."""
        self.values, loss = jax.block_until_ready(self.descend(self.values, *self.batch))
        return loss

    def weights(self) -> Weights:
        """See `Trainer`."""
        return {name: np.array(value) for name, value in self.values.items()}


def unrolled(setting: Setting) -> Jax:
    """The steps are written out by a Python loop."""
    return Jax(setting, _unrolled)


def scanned(setting: Setting) -> Jax:
    """The steps are a lax.scan, along the first axis."""
    return Jax(setting, _scanned)
