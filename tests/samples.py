"""One row per operation: the op, operands on which it is smooth, and what numpy or Python says of the result.

The oracle of a row is another way to the same numbers than the op's kernel: Python's own arithmetic, einsum, sorting,
loops. Axes of one row have different sizes, and one size is `BATCH`, so that the table can be read with a named size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

import graphad as ga
from graphad.ir.graph import Graph
from graphad.ir.op import Array, Op
from graphad.ir.tensor_type import FLOAT32, FLOAT64, INT64, TensorType
from graphad.ops.arithmetic import Add, Divide, Multiply, Negative, Reciprocal, Sqrt, Square, Subtract
from graphad.ops.contraction import Matmul
from graphad.ops.control import StopGradient
from graphad.ops.indexing import AddAlongAxis, OneHot, TakeAlongAxis
from graphad.ops.loop import Earlier, Element, Loop, Read, Record, Whole
from graphad.ops.reduction import ArgMax, ArgMin, Max, Min
from graphad.ops.selection import (
    Absolute,
    Equal,
    Greater,
    GreaterEqual,
    IsFinite,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    Maximum,
    Minimum,
    NotEqual,
    Relu,
    Sign,
    Where,
)
from graphad.ops.slicing import Assemble, Concatenate, Slice, Span, Stack
from graphad.ops.structure import BroadcastTo, Cast, Copy, Reshape, Sum, Transpose
from graphad.ops.transcendental import Cos, Exp, Expm1, Log, Log1p, Power, Sigmoid, Sin, Softplus, Tanh

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


@dataclass(frozen=True)
class Sample:
    """A row. ``smooth``: near the drawn operands central differences agree with the derivative; else there is none.

    ``fixed``: the op itself says that its floats are float64.
    """

    op: Op
    operands: tuple[Operand, ...]
    oracle: Callable[..., Any]
    smooth: bool = True
    fixed: bool = False

    def arrays(self, seed: int = 0, dtype: np.dtype[Any] = FLOAT64, batch: int = BATCH) -> list[Array]:
        """Operands, their floats of ``dtype``."""
        generator = np.random.default_rng(seed)
        drawn = [operand.sample(generator, batch) for operand in self.operands]
        return [array.astype(dtype) if array.dtype.kind == "f" and not self.fixed else array for array in drawn]

    @property
    def label(self) -> str:
        """The op with its attributes, as the id of a test."""
        attributes = self.op.attributes()
        return f"{self.op.name}({attributes})" if attributes else self.op.name


def types_of(arrays: list[Array]) -> list[TensorType]:
    """The types of arrays."""
    return [TensorType.of(array.shape, array.dtype) for array in arrays]


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


def added(x: Array, indices: Array, size: int, axis: int) -> Array:
    """Each element added, one by one, at its index along the axis."""
    result = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]))
    for place in np.ndindex(*x.shape):
        result[(*place[:axis], indices[place], *place[axis + 1 :])] += x[place]
    return result


def read(x: Array, indices: Array, axis: int) -> Array:
    """Each element read, one by one, at its index along the axis."""
    places = [(*place[:axis], indices[place], *place[axis + 1 :]) for place in np.ndindex(*indices.shape)]
    return np.reshape([x[place] for place in places], indices.shape)


def _overlapped(top: Array, bottom: Array) -> Array:
    """Columns 0 to 2, and columns 4, 2, 0 in this order, added into five."""
    result = np.zeros((len(top), 5))
    for column, into in enumerate([0, 1, 2]):
        result[:, into] += top[:, column]
    for column, into in enumerate([4, 2, 0]):
        result[:, into] += bottom[:, column]
    return result


def _loop(steps: int, lags: tuple[int, ...], *, reverse: bool) -> Loop:
    """h = tanh(h, some steps ago, times w, plus x); and, if there is a second lag, g = h + g, some steps ago."""
    vector = TensorType.of((3,), FLOAT64)
    names = ("w", "x_t", "h_before", "g_before")[: 2 + len(lags)]
    inputs = tuple(ga.input(name, vector.shape, vector.dtype) for name in names)
    w, x_t, *before = inputs
    h = ga.tanh(before[0] * w + x_t)
    outputs = (h, *(h + g for g in before[1:]))
    reads: tuple[Read, ...] = (Whole(0), Element(1), *(Earlier(number, lag) for number, lag in enumerate(lags)))
    starts, records, offset = iter(range(2, 9)), [], 0
    for lag in lags:
        records.append(Record(vector, tuple((before, next(starts)) for before in range(1, lag + 1)), offset))
        offset += 3 * (steps + lag)
    return Loop(Graph(inputs, outputs), steps, reverse, reads, tuple(records))


def _walked(lags: tuple[int, ...], *, reverse: bool) -> Callable[..., Array]:
    """What such a loop records, in Python lists."""

    def walk(w: Array, xs: Array, *starts: Array) -> Array:
        given = iter(starts)
        series = [[next(given) for _ in range(lag)][::-1] for lag in lags]
        for x in xs[::-1] if reverse else xs:
            h = np.tanh(series[0][-lags[0]] * w + x)
            values = [h, *(h + record[-lag] for record, lag in zip(series[1:], lags[1:], strict=True))]
            for record, new in zip(series, values, strict=True):
                record.append(new)
        return np.concatenate([number for record in series for number in (record[::-1] if reverse else record)])

    return walk


_ALL = Span(0, BATCH)
ARITHMETIC = (
    Sample(Add(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, y)))),
    Sample(Subtract(), (normal(7, 3), normal(7, 3)), each(lambda x, y: math.fsum((x, -y)))),
    Sample(Multiply(), (normal(7, 3), normal(7, 3)), each(lambda x, y: x * y)),
    Sample(Divide(), (normal(7, 3), nonzero(7, 3)), each(lambda x, y: x / y)),
    Sample(Negative(), (normal(7, 3),), each(lambda x: 0.0 - x)),
    Sample(Square(), (normal(7, 3),), each(lambda x: x * x)),
    Sample(Sqrt(), (positive(7, 3),), each(math.sqrt)),
    Sample(Reciprocal(), (nonzero(7, 3),), each(lambda x: 1.0 / x)),
)
TRANSCENDENTAL = (
    Sample(Exp(), (normal(7, 3),), each(math.exp)),
    Sample(Log(), (positive(7, 3),), each(math.log)),
    Sample(Log1p(), (positive(7, 3),), each(math.log1p)),
    Sample(Expm1(), (normal(7, 3),), each(math.expm1)),
    Sample(Tanh(), (normal(7, 3),), each(math.tanh)),
    Sample(Sigmoid(), (normal(7, 3),), each(lambda x: 0.5 + 0.5 * math.tanh(x / 2))),
    Sample(Softplus(), (normal(7, 3),), each(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))),
    Sample(Sin(), (normal(7, 3),), each(math.sin)),
    Sample(Cos(), (normal(7, 3),), each(math.cos)),
    Sample(Power(), (positive(7, 3), normal(7, 3)), each(math.pow)),
)
SELECTION = (
    Sample(Equal(), (few(7, 3), few(7, 3)), each(lambda x, y: x == y), smooth=False),
    Sample(NotEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x != y), smooth=False),
    Sample(Less(), (few(7, 3), few(7, 3)), each(lambda x, y: x < y), smooth=False),
    Sample(LessEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x <= y), smooth=False),
    Sample(Greater(), (few(7, 3), few(7, 3)), each(lambda x, y: x > y), smooth=False),
    Sample(GreaterEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x >= y), smooth=False),
    Sample(LogicalAnd(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x and y), smooth=False),
    Sample(LogicalOr(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x or y), smooth=False),
    Sample(LogicalNot(), (truth(7, 3),), each(lambda x: not x), smooth=False),
    Sample(IsFinite(), (wild(7, 3),), each(math.isfinite), smooth=False),
    Sample(Where(), (truth(7, 3), normal(7, 3), normal(7, 3)), each(lambda c, x, y: x if c else y)),
    Sample(Absolute(), (nonzero(7, 3),), each(abs)),
    Sample(Sign(), (nonzero(7, 3),), each(lambda x: float((x > 0) - (x < 0)))),
    Sample(Relu(), (nonzero(7, 3),), each(lambda x: max(x, 0.0))),
    Sample(Maximum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(max)),
    Sample(Minimum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(min)),
)
REDUCTION = (
    Sample(Sum((1,)), (normal(7, 3),), einsum("bi->b")),
    Sample(Sum((0, 2), keepdims=True), (normal(7, 3, 2),), lambda x: einsum("bij->i")(x)[None, :, None]),
    Sample(Sum((0, 1)), (normal(7, 3),), lambda x: math.fsum(x.ravel())),
    Sample(Max((1,)), (apart(7, 3),), along(1, max)),
    Sample(Max((0, 2), keepdims=True), (apart(7, 3, 2),), lambda x: [[[max(x[:, i].ravel())] for i in range(3)]]),
    Sample(Min((0,)), (apart(7, 3),), along(0, min)),
    Sample(Min((0, 1)), (apart(7, 3),), lambda x: min(x.ravel())),
    Sample(ArgMax(1), (apart(7, 3, 2),), along(1, lambda line: line.index(max(line))), smooth=False),
    Sample(ArgMin(2), (apart(7, 2, 3),), along(2, lambda line: line.index(min(line))), smooth=False),
)
CONTRACTION = (
    Sample(Matmul(), (normal(7, 3), normal(3, 2)), einsum("bi,io->bo")),
    Sample(Matmul(), (normal(5, 7), normal(7, 2)), einsum("ib,bo->io")),
    Sample(Matmul(), (normal(7, 2, 3), normal(7, 3, 4)), einsum("bmk,bkn->bmn")),
)
STRUCTURE = (
    Sample(Reshape((7, 6)), (normal(7, 2, 3),), lambda x: [[row[j // 3][j % 3] for j in range(6)] for row in x]),
    Sample(Transpose((2, 0, 1)), (normal(7, 2, 3),), einsum("bij->jbi")),
    Sample(BroadcastTo((5, 7, 3)), (normal(7, 1),), lambda x: np.tile(x, (5, 1, 3))),
    Sample(BroadcastTo((7, 3)), (normal(),), lambda x: np.full((7, 3), float(x))),
    Sample(Copy(), (normal(7, 3),), each(lambda x: x)),
    Sample(Cast(FLOAT64), (normal(7, 3),), each(lambda x: x)),
    Sample(Cast(INT64), (normal(7, 3),), each(int), smooth=False),
    Sample(Cast(FLOAT32), (truth(7, 3),), each(lambda x: 1.0 if x else 0.0), smooth=False),
    Sample(StopGradient(), (normal(7, 3),), each(lambda x: x), smooth=False),
)
SLICING = (
    Sample(Slice((_ALL, 1, Span(4, 3, -2))), (normal(7, 3, 6),), lambda x: x[:, 1, [4, 2, 0]]),
    Sample(Slice((2, Span(1, 2))), (normal(5, 4),), lambda x: [x[2][1], x[2][2]]),
    Sample(Slice((2, 1)), (normal(5, 4),), lambda x: x.tolist()[2][1]),
    Sample(Assemble((7, 5), ((_ALL, Span(0, 3)), (_ALL, Span(4, 3, -2)))), (normal(7, 3), normal(7, 3)), _overlapped),
    Sample(Assemble((3, 7), ((1, _ALL),)), (normal(7),), lambda x: np.outer([0, 1, 0], x)),
    Sample(Concatenate(1), (normal(7, 2), normal(7, 3), normal(7, 1)), lambda *parts: np.hstack(parts)),
    Sample(Concatenate(0), (normal(7, 2), normal(3, 2)), lambda x, y: [*x.tolist(), *y.tolist()]),
    Sample(Stack(1), (normal(7, 3), normal(7, 3)), lambda x, y: [[a, b] for a, b in zip(x, y, strict=True)]),
    Sample(Stack(0), (normal(), normal(), normal()), lambda *numbers: [float(number) for number in numbers]),
)
INDEXING = (
    Sample(TakeAlongAxis(1), (normal(7, 3), below(3, 7, 5)), lambda x, i: read(x, i, 1)),
    Sample(TakeAlongAxis(0), (normal(4, 7), below(4, 2, 7)), lambda x, i: read(x, i, 0)),
    Sample(AddAlongAxis(3, 1), (normal(7, 5), below(3, 7, 5)), lambda x, i: added(x, i, 3, 1)),
    Sample(AddAlongAxis(7, 0), (normal(5, 2), below(7, 5, 2)), lambda x, i: added(x, i, 7, 0)),
    Sample(OneHot(4, FLOAT32), (below(4, 7, 2),), lambda i: np.eye(4)[i], smooth=False),
)
LOOP = (
    Sample(
        _loop(5, (1,), reverse=False),
        (normal(3), normal(5, 3), normal(3)),
        _walked((1,), reverse=False),
        smooth=False,
        fixed=True,
    ),
    Sample(
        _loop(4, (1, 2), reverse=True),
        (normal(3), normal(4, 3), normal(3), normal(3), normal(3)),
        _walked((1, 2), reverse=True),
        smooth=False,
        fixed=True,
    ),
)
SAMPLES = (
    *ARITHMETIC,
    *TRANSCENDENTAL,
    *SELECTION,
    *REDUCTION,
    *CONTRACTION,
    *STRUCTURE,
    *SLICING,
    *INDEXING,
    *LOOP,
)
