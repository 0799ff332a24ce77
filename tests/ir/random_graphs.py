"""Random programs, for the facts that must hold of all of them: Hypothesis draws the seed and the number of steps.

Values are small whole numbers, and every operation that would make them large is followed by a clip, so that float32
arithmetic is exact in any order: two ways of computing one graph must agree in every bit. With `rounding`, functions
that round are drawn too, and constants that are no whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ShapeError
from graphad.ir.op import Array
from graphad.ops.build import broadcast_shapes

_LARGEST = 400
_SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (3, 2), (5, 1, 3), (1, 4))
_EXACT: tuple[Callable[[Node], Node], ...] = (ga.negative, ga.relu, ga.absolute, ga.sign, lambda x: x + x, ga.square)
_ROUNDING: tuple[Callable[[Node], Node], ...] = (ga.tanh, ga.sigmoid, ga.softplus, lambda x: x / 3.0, ga.exp)
_BINARY: tuple[Callable[[Node, Node], Node], ...] = (ga.add, ga.subtract, ga.multiply, ga.maximum, ga.minimum)


@dataclass(frozen=True)
class Sample:
    """A graph with arguments for its inputs; `updates` gives some parameters new values."""

    graph: Graph
    arguments: list[Array]
    updates: dict[Node, Node]

    @property
    def whole(self) -> Graph:
        """The graph whose outputs are those of the sample and then the new values."""
        return Graph(self.graph.inputs, (*self.graph.outputs, *self.updates.values()))


def samples(rounding: bool = False) -> st.SearchStrategy[Sample]:
    """Programs of up to thirty random operations."""
    return st.builds(sample, st.integers(0, 2**32 - 1), st.integers(1, 30), st.just(rounding))


def sample(seed: int, steps: int, rounding: bool = False) -> Sample:
    """The program of this seed: random operations on three inputs, two parameters and a few constants."""
    random = Random(seed)
    inputs = [ga.input(f"x{i}", shape=random.choice(_SHAPES)) for i in range(3)]
    parameters = [ga.parameter(whole_numbers(random, random.choice(_SHAPES)), name=f"w{i}") for i in range(2)]
    pool = [*inputs, *parameters, *_constants(random, rounding)]
    for _ in range(steps):
        recent = pool[-6:] if random.random() < 0.5 else pool
        pool.append(_step(random, random.choice(recent), pool, rounding))
    outputs = (*pool[-random.randint(1, 5) :], *random.choices(pool, k=random.randrange(4)))
    arguments = [whole_numbers(random, node.type.static_shape) for node in inputs]
    return Sample(Graph(tuple(inputs), outputs), arguments, _updates(random, parameters, pool))


def whole_numbers(random: Random, shape: tuple[int, ...]) -> Array:
    """A float32 array of small whole numbers."""
    return np.random.default_rng(random.getrandbits(32)).integers(-4, 5, shape).astype(np.float32)


def _constants(random: Random, rounding: bool) -> list[Node]:
    numbers = [0.0, 1.0, -1.0, 3.0, *([0.1, 1e-3, float("inf"), float("nan")] if rounding else [])]
    repeated = ga.broadcast_to(ga.constant(random.choice(numbers)), (2, 3))
    arrays = [ga.constant(whole_numbers(random, shape)) for shape in ((2, 3), (0, 3))]
    return [ga.constant(random.choice(numbers)), *arrays, repeated]


def _updates(random: Random, parameters: list[Node], pool: list[Node]) -> dict[Node, Node]:
    fitting = {old: [node for node in pool if node.type == old.type] for old in parameters}
    return {old: random.choice(nodes) for old, nodes in fitting.items() if random.random() < 0.7}


def clipped(node: Node) -> Node:
    """The node within -9 to 9, so that sums and products of it stay exact."""
    return ga.minimum(ga.maximum(node, -9.0), 9.0)


def _step(random: Random, x: Node, pool: list[Node], rounding: bool) -> Node:
    make = random.choice((_mapped, _combined, _combined, _viewed, _viewed, _reduced, _multiplied, _joined))
    return make(random, x, pool, rounding)


def _mapped(random: Random, x: Node, _: list[Node], rounding: bool) -> Node:
    return clipped(random.choice((*_EXACT, *_ROUNDING) if rounding else _EXACT)(x))


def _combined(random: Random, x: Node, pool: list[Node], _: bool) -> Node:
    other = random.choice([node for node in pool if _broadcasts(x, node)])
    if random.random() < 0.2:
        return ga.where(x > other, other, x)
    return clipped(random.choice(_BINARY)(x, other))


def _broadcasts(x: Node, y: Node) -> bool:
    try:
        shape = broadcast_shapes([x.shape, y.shape])
    except ShapeError:
        return False
    return int(np.prod(np.array(shape, int))) <= _LARGEST


def _reduced(random: Random, x: Node, _: list[Node], __: bool) -> Node:
    axes = tuple(axis for axis in range(x.ndim) if random.random() < 0.5 and x.shape[axis] != 0)
    keepdims = random.random() < 0.5
    return ga.max(x, axes, keepdims) if random.random() < 0.5 else clipped(ga.sum(x, axes, keepdims))


def _multiplied(_: Random, x: Node, __: list[Node], ___: bool) -> Node:
    if x.ndim < 2:
        return x
    return clipped(x @ ga.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)))


def _joined(random: Random, x: Node, pool: list[Node], _: bool) -> Node:
    if x.type.nbytes > 4 * _LARGEST // 3:
        return x
    like = random.choice([node for node in pool if node.shape == x.shape])
    return ga.stack([x, like, x], random.randint(0, x.ndim))


def _viewed(random: Random, x: Node, _: list[Node], __: bool) -> Node:
    kind = random.choice(("transpose", "slice", "reshape", "expand", "broadcast", "stop"))
    if kind == "transpose":
        return ga.transpose(x, random.sample(range(x.ndim), x.ndim))
    if kind == "slice" and x.ndim:
        return x[tuple(_part(random, size) for size in x.type.static_shape)]
    if kind == "reshape":
        return x.reshape(random.choice([(x.type.size,), x.shape[::-1]]))
    if kind == "expand":
        return ga.expand_dims(x, random.randint(0, x.ndim))
    if kind == "broadcast" and x.type.nbytes < 4 * _LARGEST // 2:
        return ga.broadcast_to(x, (2, *x.shape))
    return ga.stop_gradient(x)


def _part(random: Random, size: int) -> Any:
    place = random.randrange(max(size, 1))
    parts = (slice(None), slice(None), slice(None, None, -1), slice(0, size, 2), slice(place, place + 1))
    return random.choice((*parts, place) if size else parts)
