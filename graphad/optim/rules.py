"""Update rules. A rule turns the gradient into the new values of parameters, as nodes, for ``ga.compile(updates=...)``.

What a rule remembers between steps (velocities, moments, the number of steps) are parameters that are not trained; they
are made anew each time `updates` is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphad.autodiff.reverse import grad
from graphad.errors import ArgumentError
from graphad.ir.leaves import Parameter
from graphad.ir.node import Node
from graphad.ops.arithmetic import sqrt
from graphad.ops.leaves import parameter

Updates = dict[Node, Node]


def _gradients(loss: Node, parameters: Sequence[Node]) -> list[Node]:
    for node in parameters:
        if not isinstance(node, Node) or not isinstance(node.op, Parameter):
            raise ArgumentError(f"an optimiser updates parameters; {node!r} is none: declare it with ga.parameter")
    gradients: list[Node] = grad(loss, list(parameters))
    return gradients


def _slot(of: Node, name: str) -> Node:
    """State of the parameter's shape and dtype, zero at first."""
    return parameter(np.zeros(of.type.static_shape, of.dtype), name=of.name and f"{of.name}_{name}", trainable=False)


def _count(of: Sequence[Node]) -> Node:
    """The number of steps, 0 at first; named after the first parameter, since a function may hold several rules."""
    first = next((node.name for node in of if node.name), None)
    return parameter(np.zeros((), np.float64), name=first and f"{first}_steps", trainable=False)


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum if it is not 0: v <- m v - lr g; w <- w + v (Nesterov: w + m v - lr g).

    >>> import graphad as ga
    >>> w = ga.parameter(3.0, name="w")
    >>> step = ga.compile([], w, updates=SGD(0.1).updates(w * w, [w]))
    >>> print(step(), step())
    3.0 2.4
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def updates(self, loss: Node, parameters: Sequence[Node]) -> Updates:
        """The new value of each parameter, and of its velocity."""
        new: Updates = {}
        for w, g in zip(parameters, _gradients(loss, parameters), strict=True):
            descent = -self.learning_rate * g
            if not self.momentum:
                new[w] = w + descent
                continue
            v = _slot(w, "velocity")
            new[v] = self.momentum * v + descent
            new[w] = w + (self.momentum * new[v] + descent if self.nesterov else new[v])
        return new


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015): steps of about ``learning_rate``, whatever the scale of the gradient.

    ``epsilon`` is added to the root of the moment whose bias is not corrected: the paper's epsilon-hat, of the formula
    at the end of its section 2, as in Keras.

    >>> import graphad as ga
    >>> w = ga.parameter(3.0, name="w")
    >>> step = ga.compile([], w, updates=Adam(0.1).updates(w * w, [w]))
    >>> print(step(), step())
    3.0 2.9
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def updates(self, loss: Node, parameters: Sequence[Node]) -> Updates:
        """The new value of each parameter, of its two moments, and of the number of steps."""
        gradients = _gradients(loss, parameters)
        count = _count(parameters)
        new: Updates = {count: count + 1.0}
        for w, g in zip(parameters, gradients, strict=True):
            m, v = _slot(w, "moment_1"), _slot(w, "moment_2")
            new[m] = self.beta_1 * m + (1 - self.beta_1) * g
            new[v] = self.beta_2 * v + (1 - self.beta_2) * (g * g)
            rate = self._rate(new[count]).astype(w.dtype)
            new[w] = w - rate * new[m] / (sqrt(new[v]) + self.epsilon)
        return new

    def _rate(self, count: Node) -> Node:
        """The learning rate with both moments' bias corrected."""
        return self.learning_rate * sqrt(1.0 - self.beta_2**count) / (1.0 - self.beta_1**count)
