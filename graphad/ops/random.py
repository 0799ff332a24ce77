"""Random numbers by Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

A draw is a pure function of the function's key, [seed, number of the call], and of its stream, a number that is the
node's own. So no schedule, backend or pass can change it: two random nodes differ in their streams and never merge,
and a node that is computed twice draws the same twice. What stream s draws at call c with seed k is what

    np.random.Generator(np.random.Philox(key=[k, s], counter=[0, 0, 0, c]))

draws first: `random`, `standard_normal`, `integers`, or `shuffle` of 0, 1, 2, ... A compiled function numbers its
streams from 0 in the order in which they were declared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graphad.errors import ArgumentError, DTypeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.leaves import Key
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Attributes, Op
from graphad.ir.tensor_type import FLOAT32, FLOAT64, INT64, Shape, TensorType, dimension_of, dtype_of, shape_of
from graphad.ops.build import Operand, as_node, broadcast, cast, constant
from graphad.ops.indexing import multiples
from graphad.ops.selection import less

_undeclared = Key.of(seed=0)
KEY = Node(_undeclared, (), _undeclared.type)
"""The key that every random node reads, until a function puts its own in its place."""
_streams = itertools.count()


@dataclass(frozen=True)
class Draw(Op):
    """The base of random operations: elements in order, cut into as many equal parts as there are streams."""

    shape: Shape
    streams: range = field(repr=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return INT64

    def infer(self, *operands: TensorType) -> TensorType:
        """The attributes say it; the operand must be a key."""
        (key,) = operands
        if key != KEY.type:
            raise DTypeError(f"a key is of the type {KEY.type}, not {key}")
        return TensorType(self.shape, self.dtype)

    def attributes_of_kernel(self) -> Attributes:
        """The keyword arguments that all kernels have in common."""
        return {"shape": self.shape, "streams": self.streams}

    def numbered(self, stream: int) -> Draw:
        """The same draw from another stream."""
        return replace(self, streams=range(stream, stream + 1))

    def stride_from(self, earlier: Op) -> tuple[int, ...] | None:
        """How far the stream moves on."""
        if not isinstance(earlier, Draw) or replace(earlier, streams=self.streams) != self:
            return None
        moved = self.streams.start - earlier.streams.start
        return (moved,) if moved else ()

    def advanced(self, stride: tuple[int, ...], steps: int) -> Op:
        """The stream moved on."""
        by = steps * sum(stride)
        return replace(self, streams=range(self.streams.start + by, self.streams.stop + by, self.streams.step))

    def along(self, stride: tuple[int, ...], steps: int, *operands: Node) -> Node | None:
        """One draw for all steps, whose parts are the draws of the steps."""
        if len(self.streams) != 1 or not stride:
            return None
        first, by = self.streams.start, sum(stride)
        streams = range(first, first + steps * by, by)
        return apply(replace(self, shape=(steps, *self.shape), streams=streams), *operands)


@dataclass(frozen=True)
class FloatDraw(Draw):
    """The base of draws of floats."""

    floats: np.dtype[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.floats

    def attributes_of_kernel(self) -> Attributes:
        """The dtype beside the others."""
        return {**super().attributes_of_kernel(), "dtype": self.floats.name}


@dataclass(frozen=True)
class Uniform(FloatDraw):
    """Floats from 0 to 1, 1 excluded: multiples of 2**-24 in float32, of 2**-53 in float64."""

    name = "uniform"
    latex = r"\mathcal{U}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Generator.random."""
        return uniform_kernel, self.attributes_of_kernel()


@dataclass(frozen=True)
class Normal(FloatDraw):
    """Floats of the standard normal distribution."""

    name = "normal"
    latex = r"\mathcal{N}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Generator.standard_normal."""
        return normal_kernel, self.attributes_of_kernel()


@dataclass(frozen=True)
class Integers(Draw):
    """Integers from ``low`` to ``high`` - 1, each as likely as any other."""

    low: int
    high: int
    name = "randint"
    latex = r"\mathcal{U}_{\mathbb{Z}}"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Generator.integers, which cannot be told where to put them: a call allocates its draws."""
        return integers_kernel, {**self.attributes_of_kernel(), "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Permutation(Draw):
    """The integers 0, 1, 2, ..., in an order of which each is as likely as any other."""

    name = "permutation"
    latex = r"\pi"

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """Generator.shuffle."""
        return permutation_kernel, self.attributes_of_kernel()


def draws(key: Array, out: Array, streams: range) -> Iterator[tuple[np.random.Generator, Array]]:
    """For each stream, the generator of its draw, and the part of ``out`` that is to be filled."""
    philox = np.random.Philox(0)
    generator, state = np.random.Generator(philox), philox.state
    state["state"]["counter"][:] = [0, 0, 0, key[1]]
    for stream, part in zip(streams, out.reshape(len(streams), out.size // len(streams)), strict=True):
        state["state"]["key"][:] = [key[0], stream]
        philox.state = state
        yield generator, part


def uniform_kernel(key: Array, shape: Any, streams: range, dtype: Any, out: Any = None) -> Any:
    """Floats from 0 to 1."""
    out = np.empty(shape, dtype) if out is None else out
    for generator, part in draws(key, out, streams):
        generator.random(dtype=dtype, out=part)
    return out


def normal_kernel(key: Array, shape: Any, streams: range, dtype: Any, out: Any = None) -> Any:
    """Standard normal floats."""
    out = np.empty(shape, dtype) if out is None else out
    for generator, part in draws(key, out, streams):
        generator.standard_normal(dtype=dtype, out=part)
    return out


def integers_kernel(key: Array, shape: Any, streams: range, low: int, high: int, out: Any = None) -> Any:
    """Integers from ``low`` to ``high`` - 1."""
    out = np.empty(shape, np.int64) if out is None else out
    for generator, part in draws(key, out, streams):
        part[:] = generator.integers(low, high, part.size)
    return out


def permutation_kernel(key: Array, shape: Any, streams: range, out: Any = None) -> Any:
    """0, 1, 2, ... in random order."""
    out = np.empty(shape, np.int64) if out is None else out
    for generator, part in draws(key, out, streams):
        generator.shuffle(multiples(1, part))
    return out


def _own_stream() -> range:
    """A stream that no other node has."""
    number = next(_streams)
    return range(number, number + 1)


def _floats(dtype: Any) -> np.dtype[Any]:
    found = dtype_of(dtype)
    if found.kind != "f":
        raise DTypeError(f"it draws floats, not {found}: use float32 or float64, or cast the result")
    return found


@builder
def uniform(shape: Any, low: Operand = 0.0, high: Operand = 1.0, dtype: Any = FLOAT32) -> Node:
    """Random numbers, uniform between ``low`` and ``high``: low + (high - low) u, with u from 0 to 1, 1 excluded.

    ``shape`` holds integers and named sizes. ``low`` and ``high`` are numbers or nodes that broadcast to ``shape``;
    nodes get the gradient of the formula. Each call of a compiled function draws anew.

    >>> import graphad as ga
    >>> roll = ga.compile([], ga.uniform((2, 2), -1, 1), seed=3)
    >>> roll().shape, bool((roll() == roll()).any())
    ((2, 2), False)
    """
    unit = apply(Uniform(shape_of(shape), _own_stream(), _floats(dtype)), KEY)
    bottom, top = (end if _is_number(end) else as_node(end) for end in (low, high))
    return _moved(unit, top - bottom, bottom)


@builder
def normal(shape: Any, mean: Operand = 0.0, std: Operand = 1.0, dtype: Any = FLOAT32) -> Node:
    """Random numbers of the normal distribution: mean + std z.

    ``shape`` holds integers and named sizes. ``mean`` and ``std`` are numbers or nodes that broadcast to ``shape``;
    nodes get the gradient of the formula, which is the reparametrisation of Kingma and Welling (2014).

    >>> import graphad as ga
    >>> ga.normal(("batch", 5), std=0.1)
    <multiply: float32[batch, 5]>
    """
    return _moved(apply(Normal(shape_of(shape), _own_stream(), _floats(dtype)), KEY), std, mean)


def _moved(draw: Node, scale: Operand, shift: Operand) -> Node:
    """Scale times the draw, plus shift."""
    scaled = draw if _is_number(scale) and scale == 1 else draw * _fitted(scale, draw)
    return scaled if _is_number(shift) and shift == 0 else scaled + _fitted(shift, draw)


def _is_number(value: Operand) -> bool:
    return isinstance(value, (bool, int, float))


def _fitted(value: Operand, draw: Node) -> Node:
    """The value in the draw's dtype, repeated to its shape."""
    node = constant(value, draw.dtype) if _is_number(value) else cast(as_node(value), draw.dtype)
    return broadcast(node, draw.shape)


@builder
def bernoulli(p: Operand, shape: Any = None) -> Node:
    """Truth values, each True with probability ``p``: u < p, with u uniform from 0 to 1, 1 excluded.

    ``p`` is a number from 0 to 1, or a node that broadcasts to ``shape`` (None: of its own shape); with 0 none is True,
    with 1 all are. A choice carries no gradient.

    >>> import graphad as ga
    >>> ga.bernoulli(0.5, ("batch", 3))
    <less: bool[batch, 3]>
    """
    if _is_number(p) and not 0 <= p <= 1:
        raise ArgumentError(f"a probability is from 0 to 1; got {p!r}")
    chance = constant(p, FLOAT32) if _is_number(p) else as_node(p)
    whole = chance.shape if shape is None else shape_of(shape)
    floats = FLOAT64 if chance.dtype == FLOAT64 else FLOAT32
    unit = apply(Uniform(whole, _own_stream(), floats), KEY)
    return less(unit, _fitted(chance, unit))


@builder
def randint(low: int, high: int, shape: Any = ()) -> Node:
    """Random integers (int64) from ``low`` to ``high`` - 1.

    >>> import graphad as ga
    >>> randint(0, 10, ("batch",))
    <randint: int64[batch]>
    """
    ends = [end for end in (low, high) if is_integer(end)]
    if len(ends) < 2 or not -(2**63) <= low < high <= 2**63:
        raise ArgumentError(f"integers are drawn from low to high - 1, both int64; got {low!r} and {high!r}")
    return apply(Integers(shape_of(shape), _own_stream(), int(low), int(high)), KEY)


@builder
def permutation(n: Any) -> Node:
    """The integers 0 to n - 1 (int64) in random order; ``n`` is an integer or a named size.

    >>> import graphad as ga
    >>> ga.permutation("batch")
    <permutation: int64[batch]>
    """
    return apply(Permutation((dimension_of(n),), _own_stream()), KEY)
