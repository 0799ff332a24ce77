"""What a row of the table of operations is: an operation, operands on which it is smooth, and an oracle.

The oracle is another way to the same numbers than the kernel: Python's own arithmetic, einsum, sorting, loops. Axes of
one row have different sizes, and one size is `BATCH`, so that the table can be read with a named size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node, apply
from graphad.ir.op import Array, Op
from graphad.ir.tensor_type import FLOAT64, TensorType

BATCH = 7
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Array]


@dataclass(frozen=True)
class Operand:
    """A shape, and how its elements are drawn (as float64, int64 or bool)."""

    shape: tuple[int, ...]
    draw: Draw

    def sample(self, generator: np.random.Generator, batch: int = BATCH) -> Array:
        """An array of the shape, with ``batch`` in place of `BATCH`."""
        return self.draw(generator, tuple(batch if size == BATCH else size for size in self.shape))


class Row:
    """What all rows have.

    ``smooth``: near the drawn operands central differences agree with the derivative; else there is none. ``fixed``:
    the operation itself says that its floats are float64.
    """

    operands: tuple[Operand, ...]
    oracle: Callable[..., Any]
    smooth: bool
    fixed: bool

    @property
    def label(self) -> str:
        """What the row is called, as the id of a test."""
        raise NotImplementedError

    def build(self, *operands: Node) -> Node:
        """The node of the operation on operands."""
        raise NotImplementedError

    def run(self, *arrays: Array) -> Array:
        """The operation on arrays, by its kernels alone: no pass and no emitted program."""
        inputs = inputs_for(list(arrays))
        return evaluate(Graph(tuple(inputs), (self.build(*inputs),)), arrays)[0]

    def arrays(self, seed: int = 0, dtype: np.dtype[Any] = FLOAT64, batch: int = BATCH) -> list[Array]:
        """Operands, their floats of ``dtype``."""
        generator = np.random.default_rng(seed)
        drawn = [operand.sample(generator, batch) for operand in self.operands]
        return [array.astype(dtype) if array.dtype.kind == "f" and not self.fixed else array for array in drawn]

    def expected(self, arrays: list[Array]) -> Any:
        """What the oracle says, computed in float64."""
        return self.oracle(*(array.astype(FLOAT64) if array.dtype.kind == "f" else array for array in arrays))

    @property
    def is_batched(self) -> bool:
        """Whether an operand has the size `BATCH`."""
        return any(BATCH in operand.shape for operand in self.operands)


@dataclass(frozen=True)
class Sample(Row):
    """A row for a class of operations."""

    op: Op
    operands: tuple[Operand, ...]
    oracle: Callable[..., Any]
    smooth: bool = True
    fixed: bool = False

    @property
    def label(self) -> str:
        attributes = self.op.attributes()
        return f"{self.op.name}({attributes})" if attributes else self.op.name

    def build(self, *operands: Node) -> Node:
        return apply(self.op, *operands)


@dataclass(frozen=True)
class FunctionSample(Row):
    """A row for a public function that is more than one operation: ``call`` calls it on nodes."""

    name: str
    call: Callable[..., Any]
    operands: tuple[Operand, ...]
    oracle: Callable[..., Any]
    smooth: bool = True
    fixed: bool = False
    case: str = ""

    @property
    def label(self) -> str:
        return f"{self.name}({self.case})" if self.case else self.name

    def build(self, *operands: Node) -> Node:
        node: Node = self.call(*operands)
        return node


def types_of(arrays: list[Array]) -> list[TensorType]:
    """The types of arrays."""
    return [TensorType.of(array.shape, array.dtype) for array in arrays]


def inputs_for(arrays: list[Array]) -> list[Node]:
    """An input for each array."""
    return [ga.input(f"x{i}", array.shape, array.dtype) for i, array in enumerate(arrays)]


def normal(*shape: int) -> Operand:
    """Any numbers."""
    return Operand(shape, lambda generator, size: generator.standard_normal(size))


def positive(*shape: int) -> Operand:
    """Numbers from 1/2 to 2."""
    return Operand(shape, lambda generator, size: generator.uniform(0.5, 2.0, size))


def nonzero(*shape: int) -> Operand:
    """Numbers of either sign, at least 1/4 away from 0."""
    return Operand(
        shape, lambda generator, size: generator.choice([-1.0, 1.0], size) * generator.uniform(0.25, 2.0, size)
    )


def within(low: float, high: float, *shape: int) -> Operand:
    """Numbers from ``low`` to ``high``."""
    return Operand(shape, lambda generator, size: generator.uniform(low, high, size))


def fractional(*shape: int, unit: float = 1.0) -> Operand:
    """Numbers of either sign, at least a quarter of ``unit`` away from its multiples."""
    return Operand(
        shape, lambda generator, size: unit * (generator.integers(-2, 2, size) + generator.uniform(0.25, 0.75, size))
    )


def apart(*shape: int, offset: float = 0.0) -> Operand:
    """Numbers at least 1/8 apart; with an offset of 1/16, also apart from those without."""
    return Operand(
        shape, lambda generator, size: generator.permutation(math.prod(size)).reshape(size) / 8 - 2.0 + offset
    )


def few(*shape: int) -> Operand:
    """Numbers among which many are equal."""
    return Operand(shape, lambda generator, size: generator.choice([-1.5, 0.0, 2.5], size))


def wild(*shape: int) -> Operand:
    """Numbers, infinities and NaN."""
    return Operand(shape, lambda generator, size: generator.choice([-1.5, 0.0, math.inf, -math.inf, math.nan], size))


def below(limit: int, *shape: int) -> Operand:
    """Integers from 0 to ``limit`` - 1."""
    return Operand(shape, lambda generator, size: generator.integers(0, limit, size))


def truth(*shape: int) -> Operand:
    """True and False."""
    return Operand(shape, lambda generator, size: generator.choice([False, True], size))


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of Python numbers on each element."""
    return lambda *arrays: np.reshape(
        [function(*numbers) for numbers in zip(*(array.ravel().tolist() for array in arrays), strict=True)],
        arrays[0].shape,
    )


def einsum(subscripts: str) -> Callable[..., Any]:
    """The sum of products that the subscripts say."""
    return lambda *arrays: np.einsum(subscripts, *arrays)


def along(axis: int, function: Callable[[list[float]], Any]) -> Callable[[Array], Any]:
    """The function of a list on each line along an axis."""
    return lambda x: np.apply_along_axis(lambda line: function(line.tolist()), axis, x)
