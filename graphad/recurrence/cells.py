"""Recurrent cells: step functions for `unroll`, made from their weights.

A cell also knows the carry that it starts from, so ``ga.unroll(ga.lstm_cell(W, U, b), xs=x, axis=1)`` is a whole
layer. What the past has no part in, x W + b, stands alone in each cell, so that it is computed for all steps at once.

In the equations W is the ``kernel`` (features, g), U the ``recurrent_kernel`` (units, g) and b the ``bias`` (g,), where
g is the number of units times that of gates: the gates lie side by side in the order in which Keras stores them. x is
x_t; h and c are those of the step before, h' and c' those of this one; * is elementwise, s the
``recurrent_activation``. Inputs and states are rows: (batch, features) and (batch, units), or without the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ir.tensor_type import Dimension, TensorType, known
from graphad.ops.build import Operand, as_node, broadcast, cast
from graphad.ops.transcendental import sigmoid, tanh

Activation: TypeAlias = Callable[[Node], Node]
Step: TypeAlias = Callable[[Any, Node], tuple[Any, Node]]


@dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """A step function, ``cell(carry, x_t) -> (carry, output)``, that knows its first carry; the output is the state h.

    ``names``: of the states in the carry, each (batch, units): one state alone, or a tuple of several.
    """

    name: str
    names: tuple[str, ...]
    units: int
    dtype: np.dtype[Any]
    step: Step

    def initial(self, *batch: Dimension | str) -> Any:
        """The carry to start from, zeros: for a batch of that size, or for one sequence if none is given.

        >>> import graphad as ga, numpy as np
        >>> cell = lstm_cell(np.zeros((3, 8), "float32"), np.zeros((2, 8), "float32"))
        >>> cell.initial("batch")
        (<h: float32[batch, 2]>, <c: float32[batch, 2]>)
        """
        shape = TensorType.of((*batch, self.units), self.dtype).shape
        states = tuple(broadcast(cast(0, self.dtype), shape).named(name) for name in self.names)
        return states if len(states) > 1 else states[0]

    def __call__(self, carry: Any, x_t: Node) -> tuple[Any, Node]:
        """One step."""
        return self.step(carry, x_t)

    def __repr__(self) -> str:
        return f"<{self.name} cell of {self.units} units>"


@builder
def rnn_cell(
    kernel: Operand, recurrent_kernel: Operand, bias: Operand | None = None, *, activation: Activation = tanh
) -> Cell:
    """The simple recurrent cell (Elman, 1990): h' = activation(x W + b + h U). The carry is h.

    W is (features, units), U (units, units), b (units,) or None. Keras's SimpleRNN; torch.nn.RNN with W and U
    transposed and its two biases added.

    >>> import graphad as ga, numpy as np
    >>> x = ga.input("x", shape=("batch", 5, 3))
    >>> cell = rnn_cell(np.zeros((3, 4), "float32"), np.zeros((4, 4), "float32"))
    >>> ga.unroll(cell, xs=x, axis=1)
    (<h: float32[batch, 4]>, <stack: float32[batch, 5, 4]>)
    """
    W, U, b = _weights(kernel, recurrent_kernel, bias, gates=1)
    _check_functions(activation)

    def step(h: Node, x: Node) -> tuple[Node, Node]:
        h = activation(_affine(x, W, b) + h @ U).named("h")
        return h, h

    return Cell("rnn", ("h",), known(U.shape[0]), U.dtype, step)


@builder
def lstm_cell(
    kernel: Operand,
    recurrent_kernel: Operand,
    bias: Operand | None = None,
    *,
    activation: Activation = tanh,
    recurrent_activation: Activation = sigmoid,
) -> Cell:
    """The cell with a long memory (Hochreiter and Schmidhuber, 1997; the gate f: Gers et al., 2000).

    i, f, g, o = the four parts of x W + b + h U, of which s(i), s(f), activation(g), s(o) are the gates;
    c' = s(f) * c + s(i) * activation(g); h' = s(o) * activation(c'). The carry is (h, c).

    W is (features, 4 units), U (units, 4 units), b (4 units,) or None. The order of gates is Keras's (i, f, c, o) and
    torch.nn.LSTM's, whose matrices are transposed and whose two biases are added. A bias of 1 for f, with which
    memories last at first (Keras's unit_forget_bias), is a matter of the initial b: the cell adds nothing to it.

    >>> import graphad as ga, numpy as np
    >>> x = ga.input("x", shape=("batch", 5, 3))
    >>> cell = lstm_cell(np.zeros((3, 8), "float32"), np.zeros((2, 8), "float32"))
    >>> ga.unroll(cell, xs=x, axis=1)
    ((<h: float32[batch, 2]>, <c: float32[batch, 2]>), <stack: float32[batch, 5, 2]>)
    """
    W, U, b = _weights(kernel, recurrent_kernel, bias, gates=4)
    _check_functions(activation, recurrent_activation)
    units = known(U.shape[0])

    def step(carry: tuple[Node, Node], x: Node) -> tuple[tuple[Node, Node], Node]:
        h, c = carry
        sums = _affine(x, W, b) + h @ U
        i = recurrent_activation(_part(sums, 0, units)).named("i")
        f = recurrent_activation(_part(sums, 1, units)).named("f")
        g = activation(_part(sums, 2, units)).named("g")
        o = recurrent_activation(_part(sums, 3, units)).named("o")
        c = (f * c + i * g).named("c")
        h = (o * activation(c)).named("h")
        return (h, c), h

    return Cell("lstm", ("h", "c"), units, U.dtype, step)


@builder
def gru_cell(
    kernel: Operand,
    recurrent_kernel: Operand,
    bias: Operand | None = None,
    *,
    activation: Activation = tanh,
    recurrent_activation: Activation = sigmoid,
    reset_after: bool = True,
) -> Cell:
    """The gated recurrent unit (Cho et al., 2014, arXiv:1406.1078), in both its variants. The carry is h.

    z = s(x W_z + b_z + h U_z), r = s(x W_r + b_r + h U_r), h' = z * h + (1 - z) * g, where the candidate is

    - ``reset_after=True``: g = activation(x W_h + b_h + r * (h U_h + d_h)): the gate is applied after the product.
      cuDNN's variant, torch.nn.GRU's, and Keras's unless told otherwise. The bias is (2, 3 units): b, and below it d,
      which is added to h U before all three gates; or (3 units,): b alone.
    - ``reset_after=False``: g = activation(x W_h + b_h + (r * h) U_h): before the product, as the paper was published.
      The bias is (3 units,).

    W is (features, 3 units), U (units, 3 units): z, r, h in Keras's order. torch.nn.GRU stores r, z, n (its z and n
    are these z and g), transposed.

    >>> import graphad as ga, numpy as np
    >>> x = ga.input("x", shape=("batch", 5, 3))
    >>> cell = gru_cell(np.zeros((3, 6), "float32"), np.zeros((2, 6), "float32"), np.zeros((2, 6), "float32"))
    >>> ga.unroll(cell, xs=x, axis=1)
    (<h: float32[batch, 2]>, <stack: float32[batch, 5, 2]>)
    """
    W, U, b = _weights(kernel, recurrent_kernel, bias, gates=3, separate_biases=reset_after)
    _check_functions(activation, recurrent_activation)
    b, d = (b[0], b[1]) if b is not None and b.ndim == 2 else (b, None)
    units = known(U.shape[0])
    of_gates, of_candidate = U[:, : 2 * units], U[:, 2 * units :]

    def step(h: Node, x: Node) -> tuple[Node, Node]:
        from_x, from_h = _affine(x, W, b), _affine(h, U, d) if reset_after else h @ of_gates
        z = recurrent_activation(_part(from_x, 0, units) + _part(from_h, 0, units)).named("z")
        r = recurrent_activation(_part(from_x, 1, units) + _part(from_h, 1, units)).named("r")
        reset = r * _part(from_h, 2, units) if reset_after else (r * h) @ of_candidate
        g = activation(_part(from_x, 2, units) + reset).named("g")
        h = (z * h + (1.0 - z) * g).named("h")
        return h, h

    return Cell("gru", ("h",), units, U.dtype, step)


def _weights(
    kernel: Operand, recurrent_kernel: Operand, bias: Operand | None, gates: int, separate_biases: bool = False
) -> tuple[Node, Node, Node | None]:
    """The weights as nodes that fit each other."""
    W, U, b = as_node(kernel), as_node(recurrent_kernel), None if bias is None else as_node(bias)
    given = [weight for weight in (W, U, b) if weight is not None]
    types = ", ".join(str(weight.type) for weight in given)
    width = gates * U.shape[0] if U.ndim and isinstance(U.shape[0], int) else 0
    biases = [(width,), (2, width)] if separate_biases else [(width,)]
    fits = width and W.ndim == U.ndim == 2 and W.shape[1] == U.shape[1] == width and (b is None or b.shape in biases)
    if not fits:
        bias_text = "(g,) or (2, g)" if separate_biases else "(g,)"
        raise ShapeError(
            f"with n units and g = {gates} n the kernel is (features, g), the recurrent kernel (n, g) and the bias "
            f"{bias_text}, n and g integers; got {types}"
        )
    if len({weight.dtype for weight in given}) > 1 or not W.type.is_float:
        raise DTypeError(f"the weights are floats of one dtype; got {types}: cast them")
    return W, U, b


def _check_functions(*functions: Any) -> None:
    for function in functions:
        if not callable(function):
            raise ArgumentError(f"an activation is a function of nodes, such as ga.tanh; got {function!r}")


def _affine(x: Node, kernel: Node, bias: Node | None) -> Node:
    product = x @ kernel
    return product if bias is None else product + bias


def _part(gates: Node, number: int, units: int) -> Node:
    """One of the gates that lie side by side."""
    return gates[..., number * units : (number + 1) * units]
