"""Activations of neural networks (relu, sigmoid, softplus and tanh stand with their kin), as floats of any operand.

They are built so that no branch that is not taken overflows: what is exponentiated or divided is made harmless first,
so value, gradient and second derivative are finite for operands of +-1e4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ir.op import Attributes, Traits
from graphad.ops.arithmetic import square
from graphad.ops.build import Operand, as_float
from graphad.ops.elementwise import Analytic, DirectionMap, elementwise
from graphad.ops.error_function import erfc
from graphad.ops.selection import absolute, clip, relu, where
from graphad.ops.transcendental import expm1, sigmoid, softplus, tanh

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""The fixed point of mean 0 and variance 1 (Klambauer et al., Self-normalizing neural networks, 2017)."""


@dataclass(frozen=True)
class Softsign(Analytic):
    """x / (1 + |x|). Its derivative by the rule of quotients would cancel for large x, so it has one of its own."""

    name = "softsign"
    latex = r"\mathrm{softsign}"
    traits = Traits(elementwise=True, multipass=True)

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Three ufuncs in place."""
        return softsign_kernel, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """1 / (1 + |x|)^2."""
        (x,) = operands
        return (lambda d: d / square(1.0 + absolute(x)),)


def softsign_kernel(x: Any, out: Any = None) -> Any:
    """x / (1 + |x|)."""
    out = np.absolute(x, out=np.empty_like(x) if out is None else out)
    np.add(out, 1, out=out)
    return np.divide(x, out, out=out)


softsign = elementwise(Softsign())


@builder
def leaky_relu(x: Operand, slope: Operand = 0.01) -> Node:
    """x where it is positive, ``slope`` times x elsewhere; at 0 the derivative is ``slope``.

    >>> import graphad as ga
    >>> leaky_relu(ga.input("x", shape=(3,)))
    <where: float32[3]>
    """
    node = as_float(x)
    return where(node > 0.0, node, slope * node)


@builder
def elu(x: Operand, alpha: Operand = 1.0) -> Node:
    """x where it is positive, ``alpha`` (e^x - 1) elsewhere; at 0 the derivative is ``alpha``.

    >>> import graphad as ga
    >>> elu(ga.input("x", shape=(3,)))
    <where: float32[3]>
    """
    node = as_float(x)
    positive = node > 0.0
    return where(positive, node, alpha * expm1(where(positive, 0.0, node)))


@builder
def selu(x: Operand) -> Node:
    """1.0507 elu(x, 1.6733): through layers of it, activations keep mean 0 and variance 1.

    >>> import graphad as ga
    >>> selu(ga.input("x", shape=(3,)))
    <multiply: float32[3]>
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


@builder
def gelu(x: Operand, approximate: bool = False) -> Node:
    """x times the probability that a standard normal number is below x.

    With ``approximate``, the formula in tanh that faster programs use, which differs by up to 5e-4.

    >>> import graphad as ga
    >>> gelu(ga.input("x", shape=(3,)))
    <multiply: float32[3]>
    """
    node = as_float(x)
    if approximate:  # (1 + tanh(u)) / 2 is sigmoid(2 u), which keeps its digits in the left tail
        return node * sigmoid(math.sqrt(8.0 / math.pi) * (node + 0.044715 * (node * square(node))))
    return node * (0.5 * erfc(-math.sqrt(0.5) * node))


@builder
def silu(x: Operand) -> Node:
    """x sigmoid(x), also known as swish.

    >>> import graphad as ga
    >>> silu(ga.input("x", shape=(3,)))
    <multiply: float32[3]>
    """
    node = as_float(x)
    return node * sigmoid(node)


@builder
def mish(x: Operand) -> Node:
    """x tanh(softplus(x)).

    >>> import graphad as ga
    >>> mish(ga.input("x", shape=(3,)))
    <multiply: float32[3]>
    """
    node = as_float(x)
    return node * tanh(softplus(node))


@builder
def relu6(x: Operand) -> Node:
    """min(max(x, 0), 6); the derivative is 0 at 0, as relu's is, and at 6.

    >>> import graphad as ga
    >>> relu6(ga.input("x", shape=(3,)))
    <where: float32[3]>
    """
    node = as_float(x)
    return where(node >= 6.0, 6.0, relu(node))


@builder
def hard_sigmoid(x: Operand) -> Node:
    """relu6(x + 3) / 6, as in Keras 3: a line from 0 at -3 to 1 at 3. (Keras 2 had slope 1/5.)

    >>> import graphad as ga
    >>> hard_sigmoid(ga.input("x", shape=(3,)))
    <divide: float32[3]>
    """
    return relu6(as_float(x) + 3.0) / 6.0


@builder
def hard_tanh(x: Operand) -> Node:
    """clip(x, -1, 1): the derivative is 1 from -1 to 1, bounds included.

    >>> import graphad as ga
    >>> hard_tanh(ga.input("x", shape=(3,)))
    <clip: float32[3]>
    """
    return clip(as_float(x), -1.0, 1.0)
