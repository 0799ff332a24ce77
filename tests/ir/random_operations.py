"""Random graphs over nearly the whole set of operations: Hypothesis draws a seed and the number of operations.

Every operation reads from a pool of floats of different shapes, is put into its domain (log of 1 + x^2, division by
2 + cos x), and its result is kept small, in number and in size, before it joins the pool. What would tell numbers
apart that differ by rounding alone (an order, a step) is fed numbers that are apart by construction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ShapeError
from graphad.ir.op import Array
from graphad.ops.build import broadcast_shapes

MOST = 40
LARGEST = 48
SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (3,), (2, 1, 2), ())

Drawn: TypeAlias = Callable[[Random, Node, Node], Node]
Unary: TypeAlias = Callable[[Node], Node]
Binary: TypeAlias = Callable[[Node, Node], Node]


@dataclass(frozen=True)
class Sample:
    """A graph of one output, and arguments for its inputs."""

    graph: Graph
    arguments: list[Array]

    @property
    def inputs(self) -> list[Node]:
        """The inputs."""
        return list(self.graph.inputs)

    @property
    def result(self) -> Node:
        """The output."""
        return self.graph.outputs[0]

    @property
    def given(self) -> dict[Node, Array]:
        """Each input's argument."""
        return dict(zip(self.graph.inputs, self.arguments, strict=True))

    def moved(self, step: float, directions: list[Array]) -> list[Array]:
        """The arguments, a step along directions."""
        return [x + step * direction for x, direction in zip(self.arguments, directions, strict=True)]


def samples(dtype: str = "float64", most: int = MOST, rough: bool = False) -> st.SearchStrategy[Sample]:
    """Graphs of up to ``most`` operations; with ``rough``, also of those with steps or derivatives not their own."""
    return st.builds(sample, st.integers(0, 2**32 - 1), st.integers(1, most), st.just(dtype), st.just(rough))


def sample(seed: int, count: int, dtype: str = "float64", rough: bool = False) -> Sample:
    """The graph of this seed, on inputs of all `SHAPES`."""
    random, generator = Random(seed), np.random.default_rng(seed)
    inputs = [ga.input(f"x{i}", shape, dtype) for i, shape in enumerate(SHAPES)]
    pool = list(inputs)
    names = [*sorted({**OPERATIONS, **ROUGH} if rough else OPERATIONS), *[*FAMILIES] * 4]
    for _ in range(count):
        x, y = (random.choice(pool[-5:] if random.random() < 0.6 else pool) for _ in range(2))
        pool.append(_tamed(random, {**OPERATIONS, **ROUGH}[random.choice(names)](random, x, y)))
    result = ga.tanh(pool.pop())
    for loose in _unread(pool, result):
        result = result + 0.3 * ga.mean(ga.sin(loose))
    arguments = [generator.uniform(-1.5, 1.5, shape).astype(dtype) for shape in SHAPES]
    return Sample(Graph(tuple(inputs), (result,)), arguments)


def _unread(pool: list[Node], result: Node) -> list[Node]:
    """What of the pool nothing depends on."""
    read = {id(operand) for node in Graph((), (*pool, result)).nodes for operand in node.operands}
    return [node for node in pool if id(node) not in read]


def _tamed(random: Random, x: Node) -> Node:
    """Few axes, few elements, and mostly values about 1."""
    while x.ndim > 3 or math.prod(x.type.static_shape) > LARGEST:
        sizes = x.type.static_shape
        x = ga.mean(x, axis=sizes.index(max(sizes)))
    return random.choice((ga.tanh, ga.sin, ga.tanh, lambda node: node))(x)


def fitted(x: Node, *shape: int) -> Node:
    """The elements of ``x`` in this shape, repeated or cut."""
    places = np.arange(math.prod(shape)) % math.prod(x.type.static_shape)
    return ga.reshape(ga.take(x, places), shape)


def like(x: Node, y: Node) -> Node:
    """``y`` in the shape of ``x``."""
    return fitted(y, *x.type.static_shape)


def apart(x: Node) -> Node:
    """Distinct elements in an order that depends on ``x``: no two are equal but for rounding."""
    count = math.prod(x.type.static_shape)
    offsets = np.random.default_rng(count).permutation(count).reshape(x.type.static_shape) * 0.6180339
    return ga.tanh(x) + offsets.astype(x.dtype)


def off(x: Node) -> Node:
    """Away from 0 and all other numbers that are exact results."""
    return ga.tanh(x) * 1.7 + 0.3771


def axis_of(random: Random, x: Node) -> int:
    """One of the axes, counted from either end."""
    return random.randrange(-x.ndim, x.ndim)


def axes_of(random: Random, x: Node) -> tuple[int, ...]:
    """Some of the axes, or none."""
    return tuple(axis for axis in range(x.ndim) if random.random() < 0.6)


def _unary(function: Unary) -> Drawn:
    return lambda random, x, y: function(x)


def _binary(function: Binary) -> Drawn:
    """On operands that broadcast, or on two of one shape."""

    def build(random: Random, x: Node, y: Node) -> Node:
        try:
            broadcast_shapes([x.shape, y.shape])
        except ShapeError:
            y = like(x, y)
        return function(x, y)

    return build


def _over_axes(function: Callable[..., Node]) -> Drawn:
    return lambda random, x, y: function(x, axis=axes_of(random, x), keepdims=random.random() < 0.5)


def _along_an_axis(function: Callable[..., Node]) -> Drawn:
    """On two axes at least."""

    def build(random: Random, x: Node, y: Node) -> Node:
        x = x if x.ndim > 1 else ga.reshape(x, (1, -1))
        return function(x, axis=axis_of(random, x))

    return build


UNARY: Mapping[str, Unary] = MappingProxyType({
    "absolute": lambda x: ga.absolute(off(x)),
    "arccos": lambda x: ga.arccos(0.9 * ga.tanh(x)),
    "arccosh": lambda x: ga.arccosh(1.5 + ga.square(ga.sin(x))),
    "arcsin": lambda x: ga.arcsin(0.9 * ga.tanh(x)),
    "arcsinh": ga.arcsinh,
    "arctan": ga.arctan,
    "arctanh": lambda x: ga.arctanh(0.9 * ga.sin(x)),
    "cbrt": lambda x: ga.cbrt(1.0 + ga.square(x)),
    "copy": ga.copy,
    "cosh": lambda x: ga.cosh(ga.sin(x)),
    "cos": ga.cos,
    "elu": ga.elu,
    "erf": ga.erf,
    "erfc": ga.erfc,
    "exp": lambda x: ga.exp(ga.sin(x)),
    "exp2": lambda x: ga.exp2(ga.sin(x)),
    "expm1": lambda x: ga.expm1(ga.sin(x)),
    "fabs": lambda x: ga.fabs(off(x)),
    "gelu": ga.gelu,
    "gelu, approximate": lambda x: ga.gelu(x, approximate=True),
    "hard_sigmoid": ga.hard_sigmoid,
    "hard_tanh": lambda x: ga.hard_tanh(off(x)),
    "leaky_relu": lambda x: ga.leaky_relu(off(x), 0.3),
    "log": lambda x: ga.log(1.0 + ga.square(x)),
    "log10": lambda x: ga.log10(1.5 + ga.square(x)),
    "log1p": lambda x: ga.log1p(ga.square(x)),
    "log2": lambda x: ga.log2(1.5 + ga.square(x)),
    "log_sigmoid": ga.log_sigmoid,
    "mish": ga.mish,
    "negative": ga.negative,
    "positive": ga.positive,
    "reciprocal": lambda x: ga.reciprocal(2.0 + ga.cos(x)),
    "relu": lambda x: ga.relu(off(x)),
    "relu6": lambda x: ga.relu6(off(x)),
    "rsqrt": lambda x: ga.rsqrt(1.0 + ga.square(x)),
    "selu": lambda x: ga.selu(off(x)),
    "sigmoid": ga.sigmoid,
    "silu": ga.silu,
    "sinh": lambda x: ga.sinh(ga.sin(x)),
    "softplus": ga.softplus,
    "softsign": ga.softsign,
    "sqrt": lambda x: ga.sqrt(1.0 + ga.square(x)),
    "square": lambda x: ga.square(ga.tanh(x)),
    "tan": lambda x: ga.tan(0.7 * ga.tanh(x)),
    "clip": lambda x: ga.clip(off(x), -0.5, 0.8),
    "sign": lambda x: x * ga.sign(off(x)),
    "isnan": lambda x: ga.where(ga.isnan(x) | ga.isinf(x) | ~ga.isfinite(x), 0.0, x),
    "one of two": lambda x: ga.where(off(x) > 0.2, ga.sin(x), x),
    "clip_by_global_norm": lambda x: ga.clip_by_global_norm([off(x)], 0.7)[0][0],
    "l2_penalty": lambda x: ga.sin(ga.l2_penalty({"x": x})),
    "full_like": lambda x: x + ga.full_like(x, 0.25) - ga.ones_like(x) + ga.zeros_like(x),
    "ravel": ga.ravel,
    "trace": lambda x: ga.trace(fitted(x, 3, 2), offset=-1),
    "diag": lambda x: ga.diag(ga.ravel(x)[:3], k=1),
    "diagonal": lambda x: ga.diagonal(fitted(x, 2, 3, 2), 0, 1, 2),
    "conv1d": lambda x: ga.conv1d(fitted(x, 1, 6, 2), fitted(ga.sin(x), 3, 2, 2), stride=2, padding="same"),
    "max_pool1d": lambda x: ga.max_pool1d(apart(fitted(x, 1, 6, 2)), 3, stride=1),
    "max_pool2d": lambda x: ga.max_pool2d(apart(fitted(x, 1, 4, 3, 2)), 2, padding="same"),
    "avg_pool1d": lambda x: ga.avg_pool1d(fitted(x, 2, 6, 1), 2),
    "avg_pool2d": lambda x: ga.avg_pool2d(fitted(x, 1, 4, 4, 1), 2, stride=1, padding="same"),
    "multi_dot": lambda x: ga.multi_dot([fitted(x, 2, 3), fitted(ga.cos(x), 3, 2), fitted(x, 2, 4)]),
    "meshgrid": lambda x: ga.multiply(*ga.meshgrid(fitted(x, 3), fitted(ga.sin(x), 2))),
    "triu": lambda x: ga.triu(fitted(x, 3, 4), k=1) + ga.tril(fitted(x, 3, 4)),
})  # fmt: skip

BINARY: Mapping[str, Binary] = MappingProxyType({
    "add": ga.add,
    "arctan2": lambda x, y: ga.arctan2(x, 1.2 + ga.sin(y)),
    "atleast_1d": lambda x, y: ga.multiply(*ga.atleast_1d(x, y)),
    "broadcast_arrays": lambda x, y: ga.subtract(*ga.broadcast_arrays(x, y)),
    "cosine_similarity": lambda x, y: ga.cosine_similarity(fitted(off(x), 2, 3), fitted(y, 2, 3) + 2.0),
    "cross": lambda x, y: ga.cross(fitted(x, 4, 3), fitted(y, 3)),
    "divide": lambda x, y: x / (2.0 + ga.cos(y)),
    "divmod": lambda x, y: ga.add(*ga.divmod(off(x), 1.5 + ga.tanh(y))),
    "dot": lambda x, y: ga.dot(fitted(x, 2, 3), fitted(y, 2, 3, 2)),
    "einsum": lambda x, y: ga.einsum("ijk,kj->ik", fitted(x, 2, 3, 4), fitted(y, 4, 3)),
    "einsum, diagonal": lambda x, y: ga.einsum("ii,jk->ki", fitted(x, 3, 3), fitted(y, 4, 2)),
    "fmax": lambda x, y: ga.fmax(off(x), ga.sin(y)),
    "fmin": lambda x, y: ga.fmin(off(x), ga.sin(y)),
    "fmod": lambda x, y: ga.fmod(off(x), 1.5 + ga.tanh(y)),
    "hinge": lambda x, y: ga.hinge(off(x), like(x, ga.tanh(y))),
    "huber": lambda x, y: ga.huber(x, like(x, y), delta=0.5),
    "hypot": lambda x, y: ga.hypot(off(x), 2.0 + ga.sin(y)),
    "inner": lambda x, y: ga.inner(fitted(x, 2, 3), fitted(y, 4, 3)),
    "kl_divergence": lambda x, y: ga.kl_divergence(fitted(x, 2, 3), ga.softmax(fitted(y, 2, 3))),
    "kron": lambda x, y: ga.kron(fitted(x, 2, 2), fitted(y, 1, 3)),
    "logaddexp": ga.logaddexp,
    "logaddexp2": ga.logaddexp2,
    "mae": lambda x, y: ga.mae(off(x), like(x, ga.sin(y))),
    "matmul": lambda x, y: fitted(x, 2, 3, 2) @ fitted(y, 2, 4),
    "maximum": lambda x, y: ga.maximum(off(x), ga.sin(y)),
    "minimum": lambda x, y: ga.minimum(off(x), ga.sin(y)),
    "mse": lambda x, y: ga.mse(x, like(x, y)),
    "multiply": ga.multiply,
    "outer": lambda x, y: ga.outer(fitted(x, 3), fitted(y, 4)),
    "power": lambda x, y: (1.5 + ga.sin(x)) ** ga.tanh(y),
    "remainder": lambda x, y: ga.remainder(off(x), 1.5 + ga.tanh(y)),
    "sigmoid_cross_entropy": lambda x, y: ga.sigmoid_cross_entropy(x, like(x, ga.sigmoid(y)), pos_weight=2.0),
    "softmax_cross_entropy": lambda x, y: ga.softmax_cross_entropy(
        fitted(x, 2, 4), ga.softmax(fitted(y, 2, 4)), label_smoothing=0.1
    ),
    "subtract": ga.subtract,
    "tensordot": lambda x, y: ga.tensordot(fitted(x, 2, 3, 2), fitted(y, 2, 4, 3), axes=((1, 2), (2, 0))),
    "vdot": lambda x, y: ga.sin(ga.vdot(fitted(x, 4), fitted(y, 2, 2))),
    "vecdot": lambda x, y: ga.vecdot(fitted(x, 2, 3), fitted(y, 3)),
    "where": lambda x, y: ga.where(off(x) < ga.sin(y), x, y),
    "where, logic": lambda x, y: ga.where((off(x) <= ga.sin(y)) ^ (off(y) >= 0.1) | ~(off(x) != 0.2), x, y),
    "conv2d": lambda x, y: ga.conv2d(fitted(x, 1, 4, 3, 2), fitted(y, 2, 2, 2, 2), padding="same"),
    "batch_norm": lambda x, y: ga.batch_norm(fitted(x, 4, 2), fitted(y, 2), 1.0 + ga.square(fitted(y, 2))),
    "batch_norm_training": lambda x, y: ga.batch_norm_training(
        apart(fitted(x, 4, 2)), fitted(y, 2), fitted(y, 2), scale=fitted(y, 2)
    ).output,
    "rnn_cell": lambda x, y: ga.unroll(ga.rnn_cell(fitted(x, 2, 3), fitted(y, 3, 3)), xs=fitted(x, 2, 3, 2), axis=1)[0],
    "lstm_cell": lambda x, y: ga.unroll(
        ga.lstm_cell(fitted(x, 2, 8), fitted(y, 2, 8), fitted(y, 8)), xs=fitted(x, 2, 3, 2), axis=1
    )[1],
    "gru_cell": lambda x, y: ga.unroll(
        ga.gru_cell(fitted(x, 2, 6), fitted(y, 2, 6), fitted(y, 2, 6)), xs=fitted(x, 3, 2, 2), axis=0, reverse=True
    )[1],
    "bidirectional": lambda x, y: ga.bidirectional(
        ga.rnn_cell(fitted(x, 2, 2), fitted(y, 2, 2)), ga.rnn_cell(fitted(y, 2, 2), fitted(x, 2, 2)), fitted(x, 4, 1, 2)
    )[1],
})  # fmt: skip


def _unrolled(random: Random, x: Node, y: Node) -> Node:
    """A cell that nobody has a name for, over a mask."""
    names = random.sample(sorted(UNARY_OF_SHAPE), 2)
    first, second = (UNARY_OF_SHAPE[name] for name in names)

    def cell(carry: Node, x_t: Node) -> tuple[Node, Node]:
        after = ga.tanh(0.5 * first(carry) + second(x_t))
        return after, after * x_t

    mask = None if random.random() < 0.5 else [[True, True, False, True], [True, False, False, False]]
    init, xs, reverse = fitted(y, 2, 3), fitted(x, 2, 4, 3), random.random() < 0.5
    carry, outputs = ga.unroll(cell, init, xs, axis=1, reverse=reverse, mask=mask)
    found: Node = carry + ga.mean(outputs, axis=1)
    return found


UNARY_OF_SHAPE = {name: UNARY[name] for name in ("sigmoid", "softplus", "sqrt", "log", "cos", "gelu", "leaky_relu")}


def _sliced(random: Random, x: Node, _: Node) -> Node:
    """One item for each axis: an integer, a slice, indices, a new axis, dots."""
    index: list[Any] = []
    for size in x.type.static_shape:
        place = random.randrange(size)
        items = (place, slice(None), slice(None, None, -1), slice(place, None), slice(None, place + 1), [place, -1])
        index.append(random.choice(items))
        index += [None] if random.random() < 0.2 else []
    index += [...] if random.random() < 0.3 else []
    found: Node = x[tuple(index)]
    return found


def _joined(random: Random, x: Node, y: Node) -> Node:
    function, shape = random.choice((
        (ga.concatenate, (2, 3)), (ga.stack, (3,)), (ga.hstack, (2, 3)), (ga.vstack, (2, 3)), (ga.dstack, (2, 2)),
        (ga.column_stack, (4,)),
    ))  # fmt: skip
    return function([fitted(x, *shape), fitted(y, *shape), ga.sin(fitted(x, *shape))])


def _parted(random: Random, x: Node, _: Node) -> Node:
    parts = random.choice((
        lambda: ga.split(fitted(x, 4, 3), 2), lambda: ga.split(fitted(x, 5, 2), [2, 3]),
        lambda: ga.array_split(fitted(x, 2, 5), 3, axis=1), lambda: list(ga.unstack(fitted(x, 2, 3), axis=1)),
    ))()  # fmt: skip
    return parts[0] * ga.mean(ga.cos(parts[-1]))


def _shaped(random: Random, x: Node, _: Node) -> Node:
    ndim = x.ndim
    found: Node = random.choice((
        lambda: ga.transpose(x, random.sample(range(ndim), ndim)), lambda: ga.reshape(x, x.shape[::-1]),
        lambda: ga.swapaxes(fitted(x, 4, 3), 0, -1), lambda: ga.moveaxis(fitted(x, 2, 3, 2), 0, -1),
        lambda: ga.expand_dims(x, random.randint(0, ndim)), lambda: ga.squeeze(x),
        lambda: ga.broadcast_to(x, (2, *x.shape)), lambda: ga.rot90(fitted(x, 2, 3), random.randrange(4)),
        lambda: ga.flip(x, axes_of(random, x)), lambda: ga.roll(x, random.randint(-4, 4)),
        lambda: ga.repeat(x, 2), lambda: ga.repeat(fitted(x, 3, 2), [2, 0, 1], axis=0), lambda: ga.tile(x, (2, 1)),
    ))()  # fmt: skip
    return found


def _padded(random: Random, x: Node, y: Node) -> Node:
    mode = random.choice(("constant", "edge", "reflect", "symmetric", "wrap"))
    x = fitted(x, 2, 3)
    return ga.pad(x, ((1, 0), (1, 2)), constant_values=ga.mean(y)) if mode == "constant" else ga.pad(x, 1, mode=mode)


def _placed(random: Random, x: Node, y: Node) -> Node:
    """Places that the graph computes itself, from the order of elements."""
    table, order = fitted(x, 4, 3), ga.argsort(apart(fitted(y, 4)))
    start = ga.argmin(apart(fitted(y, 2)))
    found: Node = random.choice((
        lambda: ga.take(table, order, axis=0), lambda: ga.embedding(table, order),
        lambda: ga.gather(fitted(x, 2, 4, 1), ga.argsort(apart(fitted(y, 2, 4))), axis=1, batch_dims=1),
        lambda: ga.take_along_axis(table, ga.argsort(apart(table), axis=0), axis=0),
        lambda: ga.scatter(table, order[:2], fitted(y, 2, 3)),
        lambda: ga.scatter_add(table, [1, 1, 3], fitted(y, 3, 3)),
        lambda: ga.one_hot(order, 4, x.dtype) @ table,
        lambda: ga.dynamic_slice(table, (start, 1), (3, 2)),
        lambda: ga.dynamic_update_slice(table, fitted(y, 3, 2), (start, 0)),
        lambda: table[order, [0, 1, 2, 0]],
        lambda: ga.take(ga.ravel(table), ga.ravel_multi_index((order & 3 | 0, [0, 1, 2, 0]), (4, 3))),
        lambda: ga.take(ga.ravel(table), ga.searchsorted(ga.sort(apart(fitted(x, 4))), apart(fitted(y, 3)))),
        lambda: ga.softmax_cross_entropy(table, order[:4] % 3),
    ))()  # fmt: skip
    return found


def _ordered(random: Random, x: Node, _: Node) -> Node:
    x = apart(x if x.ndim else ga.reshape(x, 1))
    axis = axis_of(random, x)
    found: Node = random.choice((
        lambda: ga.sort(x, axis, descending=random.random() < 0.5), lambda: ga.topk(x, 1, axis)[0],
        lambda: ga.median(x, axis), lambda: ga.max(x, axis), lambda: ga.min(x, axis), lambda: ga.ptp(x, axis),
        lambda: ga.take_along_axis(x, ga.argmax(x, axis, keepdims=True), axis),
    ))()  # fmt: skip
    return found


OVER_AXES: Mapping[str, Callable[..., Node]] = MappingProxyType({
    "sum": ga.sum,
    "mean": ga.mean,
    "prod": lambda x, **options: ga.prod(1.0 + 0.3 * ga.sin(x), **options),
    "logsumexp": ga.logsumexp,
    "norm": lambda x, axis, keepdims: ga.norm(ga.ravel(off(x)), axis=0, keepdims=keepdims),
    "var": ga.var,
    "std": lambda x, axis, keepdims: ga.std(apart(fitted(x, 3, 2)), axis=0, keepdims=keepdims, ddof=1),
    "nansum": ga.nansum,
    "nanmean": ga.nanmean,
    "counts": lambda x, **options: ga.sin(
        1.0 * ga.count_nonzero(off(x) > 0.4, **options) + ga.any(off(x) > 0.2, **options)
    ) * ga.mean(x) + 0.5 * ga.cast(ga.all(off(x) < 1.4, **options), x.dtype),
    "average": lambda x, axis, keepdims: ga.average(x, axis, 1.5 + ga.sin(x), keepdims=keepdims),
})  # fmt: skip

ALONG_AN_AXIS: Mapping[str, Callable[..., Node]] = MappingProxyType({
    "softmax": ga.softmax,
    "log_softmax": ga.log_softmax,
    "cumsum": ga.cumsum,
    "cumprod": lambda x, axis: ga.cumprod(1.0 + 0.3 * ga.sin(x), axis),
    "l2_normalize": lambda x, axis: ga.l2_normalize(off(x), axis),
    "layer_norm": lambda x, axis: ga.layer_norm(apart(x), axis=axis, epsilon=0.1),
    "rms_norm": lambda x, axis: ga.rms_norm(x, axis=axis, epsilon=0.1),
})  # fmt: skip

FAMILIES: Mapping[str, Drawn] = MappingProxyType({
    "cell": _unrolled, "slice": _sliced, "join": _joined, "parts": _parted, "shape": _shaped, "pad": _padded,
    "places": _placed, "order": _ordered,
})  # fmt: skip
"""Each stands for many, and is drawn more often."""

OPERATIONS: Mapping[str, Drawn] = MappingProxyType({
    **{name: _unary(function) for name, function in UNARY.items()},
    **{name: _binary(function) for name, function in BINARY.items()},
    **{name: _over_axes(function) for name, function in OVER_AXES.items()},
    **{name: _along_an_axis(function) for name, function in ALONG_AN_AXIS.items()},
    **FAMILIES,
})  # fmt: skip
"""All with a derivative almost everywhere, which central differences find."""

STEPS_AND_STOPS: Mapping[str, Unary] = MappingProxyType({
    "ceil": lambda x: ga.ceil(off(x)) + x,
    "floor": lambda x: ga.floor(off(x)) + x,
    "round": lambda x: ga.round(off(x), 1) + x,
    "trunc": lambda x: ga.trunc(off(x)) + x,
    "stop_gradient": lambda x: ga.stop_gradient(x) * x,
    "clip_gradient": lambda x: ga.clip_gradient(x, -0.1, 0.1),
    "heaviside": lambda x: ga.heaviside(off(x), 0.5) + x,
    "floor_divide": lambda x: (off(x) // 0.4) * 0.1 + x,
    "logical": lambda x: ga.where(
        ga.logical_xor(ga.logical_and(off(x) > 0, off(x) < 1), ga.logical_not(off(x) == 0.5)), x, -x
    ),
    "logical_or": lambda x: ga.where(ga.logical_or(off(x) > 1, off(x) < 0), x, 0.5),
    "accuracy": lambda x: x * ga.accuracy(apart(fitted(x, 2, 3)), [1, 2]),
    "binary_accuracy": lambda x: x * ga.binary_accuracy(off(x), off(x) > 0.6),
    "top_k_accuracy": lambda x: x * ga.top_k_accuracy(apart(fitted(x, 2, 4)), [1, 3], k=2),
    "bits": lambda x: x * ga.cast(~(ga.argsort(apart(fitted(x, 3))) ^ 1) & 3, x.dtype)[0],
})  # fmt: skip

ROUGH: Mapping[str, Drawn] = MappingProxyType({name: _unary(function) for name, function in STEPS_AND_STOPS.items()})
