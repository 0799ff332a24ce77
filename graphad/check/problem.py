"""What is checked: a loss in float64 without named sizes, as a function of the arrays it is differentiated by.

The loss is declared again with an input in place of each parameter or input that is moved. A node that is computed is
moved by adding an input, which is zero, to it; so what it is computed from can be moved beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.autodiff.reverse import grad
from graphad.compiler.binding import bind, sizes_of
from graphad.compiler.keys import State, key_of, with_own_key
from graphad.compiler.verification import random_array
from graphad.errors import ArgumentError, ShapeError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph, with_operands
from graphad.ir.leaves import Constant, Input, Parameter
from graphad.ir.node import Node, Origin, labels, rebuild
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, FLOAT64, Dim, TensorType
from graphad.ops.build import as_node, constant
from graphad.ops.reduction import sum as sum_of

_SMALLEST_SIZE = 3


@dataclass(frozen=True, eq=False)
class Variable:
    """One thing that is moved: the input in its place, that input's value, and the value of what it moves."""

    label: str
    node: Node
    value: Array
    around: Array


@dataclass(frozen=True, eq=False)
class Problem:
    """A float64 loss, its variables, and the gradients under test, one for each variable."""

    loss: Node
    variables: tuple[Variable, ...]
    gradients: tuple[Node, ...]
    order: int = 1

    @property
    def what(self) -> str:
        """What the gradients are called."""
        return "gradient" if self.order == 1 else "second derivative"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The inputs that are moved."""
        return tuple(variable.node for variable in self.variables)

    @property
    def values(self) -> list[Array]:
        """Their values."""
        return [variable.value for variable in self.variables]

    def of_gradient(self, generator: np.random.Generator) -> Problem:
        """The gradient's product with a random direction: its own gradient is the Hessian times that direction."""
        directions = [constant(generator.standard_normal(node.type.static_shape), FLOAT64) for node in self.nodes]
        terms = [sum_of(g * d) for g, d in zip(self.gradients, directions, strict=True)]
        loss = sum(terms[1:], start=terms[0])
        gradients = grad(loss, list(self.nodes), disconnected="zero")
        return Problem(loss, self.variables, tuple(gradients), order=2)


def declare(
    loss: Node, wrt: Sequence[Node], given: Any, inputs: Mapping[Node, Any], generator: np.random.Generator
) -> Problem:
    """The problem of a user's loss; ``given`` are gradients to test, None for those of reverse mode."""
    hand_made = [] if given is None else _gradients(given, wrt)
    ends = (loss, *wrt, *hand_made)
    declared = [node for node in Graph((), ends).nodes if isinstance(node.op, Input)]
    sizes, arrays = _data(declared, _names(Graph((), ends).nodes), inputs)
    graph = Graph(tuple(declared), ends).specialise(sizes)
    filled = [_filled(arrays.get(old), new, generator) for old, new in zip(declared, graph.inputs, strict=True)]
    values = zip(graph.inputs, filled, strict=True)
    drawing, _ = with_own_key(graph, key_of(State(int(generator.integers(2**63)))))
    closed = drawing.substitute({node: rebuild(node, Constant.of(array), ()) for node, array in values})
    double = Graph((), closed.outputs).transform(_in_float64)
    variables = _variables(wrt, double.outputs[1 : 1 + len(wrt)])
    moved = _moved(double, variables)
    nodes = [variable.node for variable in variables.values()]
    gradients = moved.outputs[1 + len(wrt) :] or grad(moved.outputs[0], nodes, disconnected="zero")
    return Problem(moved.outputs[0], tuple(variables.values()), tuple(gradients))


def _gradients(given: Any, wrt: Sequence[Node]) -> list[Node]:
    """Gradients made by hand, as nodes, each of the shape of what it is the gradient of."""
    found = []
    for value, node in zip(given, wrt, strict=True):
        if value is None:
            raise ArgumentError(f"the gradient given for {node!r} is None: give a node or an array")
        gradient = as_node(value)
        if gradient.shape != node.shape or not gradient.type.is_float:
            raise ShapeError(f"the gradient given for {node!r} is {gradient!r}: it must be floats of the same shape")
        found.append(gradient)
    return found


def _names(nodes: Iterable[Node]) -> list[str]:
    sizes = (size for node in nodes for size in node.shape if isinstance(size, Dim))
    return list(dict.fromkeys(name for size in sizes for name in size.names))


def _data(
    declared: Sequence[Node], names: Sequence[str], inputs: Mapping[Node, Any]
) -> tuple[dict[str, int], dict[Node, Array | Callable[..., Any]]]:
    """A number for each named size, and what was given for inputs: an array, or a function of the shape."""
    for node in inputs:
        if not isinstance(node, Node) or not isinstance(node.op, Input):
            raise ArgumentError(f"inputs= gives values to inputs; {node!r} is none")
    functions = {node: inputs[node] for node in declared if node in inputs and callable(inputs[node])}
    known = [node for node in declared if node in inputs and node not in functions]
    arrays = [bind([node], [inputs[node]], {})[0] for node in known]
    small = {name: _SMALLEST_SIZE + i for i, name in enumerate(names)}
    return small | sizes_of(known, arrays), {**functions, **dict(zip(known, arrays, strict=True))}


def _filled(given: Array | Callable[..., Any] | None, node: Node, generator: np.random.Generator) -> Array:
    if given is None:
        return random_array(node, generator)
    array = bind([node], [given(node.type.static_shape)], {})[0] if callable(given) else given
    sizes_of([node], [array])
    return array


def _in_float64(node: Node, operands: tuple[Node, ...]) -> Node:
    """The node with float64 for float32, and a parameter's value in its place: so what is drawn stays as it is."""
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


def _variables(wrt: Sequence[Node], images: Sequence[Node]) -> dict[Node, Variable]:
    """For the image of each node, the variable that moves it."""
    values = evaluate(Graph((), tuple(images)), [])
    found: dict[Node, Variable] = {}
    for label, image, value in zip(_distinct([node.label for node in wrt]), images, values, strict=True):
        start = value if image.op.traits.leaf else np.zeros_like(value)
        origin = Origin(image.origin.source, rank=image.origin.rank)
        found[image] = Variable(label, Node(Input(image.type), (), image.type, label, origin), start, value)
    return found


def _distinct(labels: Sequence[str]) -> list[str]:
    """The labels, those that stand already with a number behind them."""
    found: dict[str, None] = {}
    for label in labels:
        others = (f"{label}_{number}" for number in itertools.count(2))
        found[next(one for one in (label, *itertools.islice(others, len(labels))) if one not in found)] = None
    return list(found)


def _moved(graph: Graph, variables: Mapping[Node, Variable]) -> Graph:
    def change(node: Node, operands: tuple[Node, ...]) -> Node:
        if node not in variables:
            return with_operands(node, operands)
        if node.op.traits.leaf:
            return variables[node].node
        with labels() as block:
            block.follow(node.origin, made_by="check")
            return (with_operands(node, operands) + variables[node].node).named(variables[node].label)

    return graph.transform(change)
