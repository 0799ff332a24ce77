"""Gradients against central differences: the proof that needs no trust.

The loss is declared again in float64, with what it is differentiated by as inputs, so that single entries can be moved;
the gradient under test is the one reverse mode builds for that graph.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.autodiff.reverse import grad
from graphad.compiler.binding import bind, sizes_of
from graphad.compiler.function import Function, compile
from graphad.compiler.lowering import random_array
from graphad.errors import ArgumentError, GradientMismatchError
from graphad.ir import nest
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.leaves import Constant, Input, Parameter
from graphad.ir.node import Node, apply, rebuild
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, FLOAT64, Dim, TensorType
from graphad.ops.build import constant
from graphad.ops.reduction import sum as sum_of

_STEP = 1e-5
_MOST_ENTRIES = 200
_SMALLEST_SIZE = 3


@dataclass(frozen=True)
class GradientCheck:
    """What was checked: how many entries, and the largest difference, divided by max(1, |gradient|)."""

    entries: int
    worst: float


def check_gradients(
    loss: Node,
    wrt: Any,
    order: int = 1,
    *,
    inputs: Mapping[Node, Any] | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of ``loss`` by ``wrt`` with central differences in float64, to ``order`` 1 or 2.

    ``inputs`` gives values to inputs; the others get normal floats, or zeros where they are integers, and named sizes
    that nothing determines become small. Parameters have their own values. Of a large node a sample of 200 entries is
    moved. The second order is that of the gradient's product with a random direction.

    GradientMismatchError names the worst entry, if one differs by more than ``tolerance`` times max(1, |gradient|).

    >>> import graphad as ga
    >>> W = ga.parameter([[0.5, -0.2], [0.1, 0.3]], name="W")
    >>> check_gradients(ga.sum(ga.tanh(W @ W)), W, order=2).entries
    8
    """
    if order not in (1, 2):
        raise ArgumentError(f"gradients are checked to order 1 or 2, not {order!r}")
    starts = list(dict.fromkeys(nest.leaves(wrt)))
    grad(loss, starts)  # raises what there is to say of the user's own nodes
    generator = np.random.default_rng(seed)
    probe = _probe(loss, starts, inputs or {}, generator)
    found = _compare(probe, tolerance, generator)
    if order == 2:
        second = _compare(_of_gradient(probe, generator), tolerance, generator)
        found = GradientCheck(found.entries + second.entries, max(found.worst, second.worst))
    return found


@dataclass(frozen=True)
class _Probe:
    """A float64 loss without named sizes, the inputs it is differentiated by, and a value for each."""

    loss: Node
    wrt: tuple[Node, ...]
    values: tuple[Array, ...]
    what: str = "gradient"


def _probe(loss: Node, starts: Sequence[Node], given: Mapping[Node, Any], generator: np.random.Generator) -> _Probe:
    declared = [node for node in Graph((), (loss, *starts)).nodes if isinstance(node.op, Input)]
    known = [node for node in declared if node in given]
    arrays = dict(zip(known, bind(known, [given[node] for node in known], {}), strict=True))
    sizes = _small_sizes(declared) | sizes_of(known, list(arrays.values()))
    graph = Graph(tuple(declared), (loss, *starts)).specialise(sizes)
    filled = [arrays.get(old, random_array(new, generator)) for old, new in zip(declared, graph.inputs, strict=True)]
    closed = graph.substitute({node: constant(array) for node, array in zip(graph.inputs, filled, strict=True)})
    double = Graph((), closed.outputs).transform(_in_float64)
    values = evaluate(double, [])[1:]
    pairs = zip(starts, double.outputs[1:], strict=True)
    movable = [apply(Input(image.type), name=node.label) for node, image in pairs]
    moved = double.substitute(dict(zip(double.outputs[1:], movable, strict=True)))
    return _Probe(moved.outputs[0], tuple(movable), tuple(values))


def _small_sizes(inputs: Sequence[Node]) -> dict[str, int]:
    names = dict.fromkeys(
        name for node in inputs for size in node.shape if isinstance(size, Dim) for name in size.names
    )
    return {name: _SMALLEST_SIZE + i for i, name in enumerate(names)}


def _in_float64(node: Node, operands: tuple[Node, ...]) -> Node:
    """The node with float64 for float32, and a parameter's value in its place."""
    op = node.op
    if isinstance(op, Parameter):
        op = Constant.of(op.storage.array)
    if isinstance(op, Constant) and op.type.is_float:
        return rebuild(node, Constant.of(op.value.astype(FLOAT64)), ())
    changed = {field.name: _doubled(getattr(op, field.name)) for field in dataclasses.fields(op)}
    return rebuild(node, dataclasses.replace(op, **changed), operands)


def _doubled(attribute: Any) -> Any:
    if isinstance(attribute, TensorType) and attribute.dtype == FLOAT32:
        return TensorType(attribute.shape, FLOAT64)
    return FLOAT64 if isinstance(attribute, np.dtype) and attribute == FLOAT32 else attribute


def _of_gradient(probe: _Probe, generator: np.random.Generator) -> _Probe:
    """The probe of the gradient's product with a random direction: its gradient is the Hessian times that direction."""
    gradients = grad(probe.loss, list(probe.wrt))
    directions = [constant(generator.standard_normal(node.type.static_shape)) for node in probe.wrt]
    terms = [sum_of(g * d) for g, d in zip(gradients, directions, strict=True)]
    return _Probe(sum(terms[1:], start=terms[0]), probe.wrt, probe.values, "second derivative")


def _compare(probe: _Probe, tolerance: float, generator: np.random.Generator) -> GradientCheck:
    gradients = grad(probe.loss, list(probe.wrt), disconnected="zero")
    function = compile(list(probe.wrt), [probe.loss, *gradients])
    expected = function(*probe.values)[1:]
    entries, worst, blame = 0, 0.0, ""
    for place, node in enumerate(probe.wrt):
        for index in _entries(probe.values[place], generator):
            numeric = _central_difference(function, probe.values, place, index)
            symbolic = float(expected[place][index])
            difference = abs(symbolic - numeric) / max(1.0, abs(numeric))
            entries += 1
            if not difference <= worst:
                worst = difference
                at = list(map(int, index))
                blame = f"{probe.what} of {node.label} at {at}: {symbolic!r} by the graph, {numeric!r} by differences"
    if not worst <= tolerance:
        raise GradientMismatchError(f"{blame}; they differ by {worst:.3g}, more than {tolerance:.3g}")
    return GradientCheck(entries, worst)


def _entries(value: Array, generator: np.random.Generator) -> Iterator[tuple[int, ...]]:
    count = min(value.size, _MOST_ENTRIES)
    chosen = np.sort(generator.permutation(value.size)[:count])
    return (tuple(np.unravel_index(flat, value.shape)) for flat in chosen)


def _central_difference(function: Function, values: Sequence[Array], place: int, index: tuple[int, ...]) -> float:
    losses = []
    width = _STEP * max(1.0, abs(float(values[place][index])))
    for sign in (1, -1):
        moved = values[place].copy()
        moved[index] += sign * width
        losses.append(float(function(*values[:place], moved, *values[place + 1 :])[0]))
    return (losses[0] - losses[1]) / (2 * width)
