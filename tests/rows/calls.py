"""One valid call, at least, of each public builder: what other tests spoil, one argument at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import graphad as ga
from graphad.ir.node import Node

_names = (f"x{number}" for number in itertools.count())


@dataclass(frozen=True)
class Call:
    """The builder called ``name``, and arguments that it takes."""

    name: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The call, as the id of a test."""
        return f"{self.name}({', '.join(self.keywords)})"

    @property
    def builder(self) -> Callable[..., Any]:
        """The function that is called."""
        found: Callable[..., Any] = getattr(ga, self.name)
        return found


def call(name: str, /, *arguments: Any, **keywords: Any) -> Call:
    """The call of the builder called ``name``."""
    return Call(name, arguments, keywords)


def floats(*shape: int | str) -> Node:
    """An input of float32."""
    return ga.input(next(_names), shape)


def integers(*shape: int | str) -> Node:
    """An input of int64."""
    return ga.input(next(_names), shape, "int64")


def truths(*shape: int | str) -> Node:
    """An input of bool."""
    return ga.input(next(_names), shape, "bool")


def accumulate(carry: Node, x_t: Node) -> tuple[Node, Node]:
    """A step function."""
    return carry + x_t, carry * x_t


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


_UNARY = words("""
    absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil copy cos cosh diag diagonal elu erf erfc exp exp2
    expm1 fabs flip floor gelu hard_sigmoid hard_tanh isfinite isinf isnan leaky_relu log log10 log1p log2 log_sigmoid
    logical_not mish negative ones_like positive ravel reciprocal relu relu6 rot90 round rsqrt selu sigmoid sign silu
    sin sinh softplus softsign sqrt square squeeze stop_gradient tan tanh trace transpose tril triu trunc zeros_like
""")
_BINARY = words("""
    add arctan2 atleast_1d atleast_2d broadcast_arrays cosine_similarity divide divmod equal floor_divide fmax fmin fmod
    greater greater_equal heaviside hinge huber hypot inner kl_divergence kron less less_equal logaddexp logaddexp2
    logical_and logical_or logical_xor mae maximum minimum mse multiply not_equal outer power remainder subtract vdot
    vecdot
""")
_OVER_AXES = words("""
    all any argmax argmin average count_nonzero logsumexp max mean median min nanmean nansum norm prod ptp std sum var
""")
_OVER_AN_AXIS = words("argsort cumprod cumsum l2_normalize layer_norm log_softmax rms_norm softmax sort unstack")

CALLS: tuple[Call, ...] = (
    *(call(name, floats(5, 3)) for name in _UNARY),
    *(call(name, floats(5, 3), floats(5, 3)) for name in _BINARY),
    *(call(name, floats(5, 3), axis=1, keepdims=True) for name in _OVER_AXES),
    *(call(name, floats(5, 3), axis=1) for name in _OVER_AN_AXIS),
    call("arange", 1, 6, 2, dtype="int64"),
    call("array_split", floats(5, 3), 2, axis=1),
    call("average", floats(5, 3), axis=1, weights=floats(3)),
    call("avg_pool1d", floats(2, 6, 3), 2, stride=1, padding="same"),
    call("avg_pool2d", floats(2, 6, 5, 3), (2, 3), stride=(1, 2), padding="valid"),
    call("batch_norm", floats(5, 3), floats(3), floats(3), scale=floats(3), offset=floats(3), axis=-1, epsilon=0.1),
    call(
        "batch_norm_training",
        floats(5, 3),
        floats(3),
        floats(3),
        scale=floats(3),
        offset=floats(3),
        axis=1,
        momentum=0.9,
        epsilon=0.1,
    ),
    call("bernoulli", 0.5, (5, 3)),
    call(
        "bidirectional",
        accumulate,
        accumulate,
        floats(5, 4, 3),
        init=(floats(5, 3), floats(5, 3)),
        axis=1,
        truncate=2,
        lengths=integers(5),
        merge="sum",
        name="both",
    ),
    call("bitwise_and", integers(5, 3), integers(5, 3)),
    call("bitwise_or", integers(5, 3), integers(5, 3)),
    call("bitwise_xor", integers(5, 3), integers(5, 3)),
    call("invert", integers(5, 3)),
    call("binary_accuracy", floats(5), truths(5)),
    call("broadcast_to", floats(3), (5, 3)),
    call("cast", floats(5, 3), "float64"),
    call("clip", floats(5, 3), -1.0, 1.0),
    call("clip", floats(5, 3), min=-1.0, max=floats(3)),
    call("clip_by_global_norm", {"w": floats(5, 3), "b": floats(3)}, 1.0),
    call("clip_by_value", [floats(5, 3), floats(3)], -1.0, 1.0),
    call("clip_gradient", floats(5, 3), -1.0, 1.0),
    call("column_stack", [floats(5), floats(5, 3)]),
    call("concatenate", [floats(5, 3), floats(2, 3)], axis=0),
    call("constant", [1.0, 2.0], dtype="float32", name="c"),
    call("conv1d", floats(2, 6, 4), floats(3, 2, 8), stride=1, padding="same", dilation=2, groups=2),
    call("conv2d", floats(2, 6, 5, 4), floats(3, 2, 2, 8), stride=(1, 2), padding=1, dilation=1, groups=2),
    call("cross", floats(5, 3), floats(5, 3), axisa=-1, axisb=1, axisc=0),
    call("cross", floats(5, 3), floats(5, 3), axis=1),
    call("cosine_similarity", floats(5, 3), floats(5, 3), axis=0),
    call("diag", floats(3), k=1),
    call("diagonal", floats(5, 3, 2), offset=1, axis1=0, axis2=2),
    call("dot", floats(5, 3), floats(3, 2)),
    call("dropout", floats(5, 3), 0.5, training=truths()),
    call("dstack", [floats(5, 3), floats(5, 3)]),
    call("dynamic_slice", floats(5, 3), [integers(), 0], (2, 3)),
    call("dynamic_update_slice", floats(5, 3), floats(2, 3), [integers(), 0]),
    call("einsum", "ij,jk->ik", floats(5, 3), floats(3, 2), optimize="greedy"),
    call("elu", floats(5, 3), alpha=0.5),
    call("embedding", floats(5, 3), integers(4)),
    call("expand_dims", floats(5, 3), 1),
    call("eye", 3, 4, k=1, dtype="float32"),
    call("flip", floats(5, 3), axis=1),
    call("full", (5, 3), 2.0, dtype="float32"),
    call("full_like", floats(5, 3), 2.0, dtype="float64"),
    call("gather", floats(5, 4, 3), integers(5, 2), axis=1, batch_dims=1),
    call("gelu", floats(5, 3), approximate=True),
    call("gru_cell", floats(3, 6), floats(2, 6), floats(2, 6), reset_after=True),
    call("hstack", [floats(5, 3), floats(5, 2)]),
    call("huber", floats(5, 3), floats(5, 3), delta=0.5),
    call("input", "x", (5, "batch"), dtype="float32"),
    call("l2_penalty", {"w": floats(5, 3), "b": [floats(3)]}),
    call("l2_normalize", floats(5, 3), axis=(0, 1), epsilon=0.1),
    call("layer_norm", floats(5, 3), scale=floats(3), offset=floats(3), axis=1, epsilon=0.1),
    call("leaky_relu", floats(5, 3), slope=0.2),
    call("lstm_cell", floats(3, 8), floats(2, 8), floats(8), activation=ga.tanh, recurrent_activation=ga.sigmoid),
    call("matmul", floats(5, 3), floats(3, 2)),
    call("matmul", floats(4, 5, 3), floats(4, 3, 2)),
    call("max_pool1d", floats(2, 6, 3), 2, stride=2, padding="same"),
    call("max_pool2d", floats(2, 6, 5, 3), 2, stride=2, padding="same"),
    call("meshgrid", floats(5), floats(3), indexing="ij"),
    call("moveaxis", floats(5, 3, 2), 0, 2),
    call("moveaxis", floats(5, 3, 2), (0, 1), (2, 0)),
    call("multi_dot", [floats(5, 3), floats(3, 2), floats(2, 4)]),
    call("norm", floats(5, 3), ord=2, axis=1),
    call("normal", (5, 3), mean=floats(3), std=0.5, dtype="float32"),
    call("one_hot", integers(5), 3, dtype="float32"),
    call("ones", (5, 3), dtype="float32"),
    call("pad", floats(5, 3), ((1, 2), (0, 1)), mode="constant", constant_values=1.0),
    call("pad", floats(5, 3), 1, mode="reflect"),
    call("parameter", [[1.0, 2.0]], name="w", trainable=True, dtype="float32"),
    call("permutation", 5),
    call("randint", 0, 9, (5, 3)),
    call("ravel_multi_index", [integers(4), integers(4)], (5, 3)),
    call("repeat", floats(5, 3), 2, axis=1),
    call("repeat", floats(5, 3), [2, 0, 1], axis=1),
    call("reshape", floats(5, 3), (3, 5)),
    call("reshape", floats(5, 3), (-1, 5)),
    call("rms_norm", floats(5, 3), scale=floats(3), axis=1, epsilon=0.1),
    call("rnn_cell", floats(3, 2), floats(2, 2), floats(2), activation=ga.tanh),
    call("roll", floats(5, 3), 1, axis=1),
    call("roll", floats(5, 3), (1, 2), axis=(0, 1)),
    call("rot90", floats(5, 3), k=1, axes=(0, 1)),
    call("round", floats(5, 3), decimals=1),
    call("scatter", floats(5, 3), integers(2), floats(2, 3), axis=0),
    call("scatter_add", floats(5, 3), integers(2), floats(2, 3), axis=0),
    call("searchsorted", floats(5), floats(3), side="left"),
    call("sigmoid_cross_entropy", floats(5, 3), floats(5, 3), pos_weight=2.0),
    call("softmax_cross_entropy", floats(5, 3), integers(5), label_smoothing=0.1),
    call("accuracy", floats(5, 3), integers(5)),
    call("top_k_accuracy", floats(5, 3), integers(5), k=2),
    call("sort", floats(5, 3), axis=1, descending=True),
    call("split", floats(6, 3), 3, axis=0),
    call("split", floats(6, 3), sizes=(2, 4), axis=0),
    call("split", floats(6, 3), [2, 4]),
    call("squeeze", floats(5, 1, 3), axis=1),
    call("stack", [floats(5, 3), floats(5, 3)], axis=1),
    call("std", floats(5, 3), axis=1, ddof=1),
    call("swapaxes", floats(5, 3), 0, 1),
    call("take", floats(5, 3), integers(4), axis=0),
    call("take", floats(5, 3), [0, -1], axis=0),
    call("take_along_axis", floats(5, 3), integers(5, 2), axis=1),
    call("tensordot", floats(5, 3), floats(3, 2), axes=1),
    call("tensordot", floats(5, 3), floats(3, 2), axes=([1], [0])),
    call("tile", floats(5, 3), (2, 1)),
    call("topk", floats(5, 3), 2, axis=1),
    call("trace", floats(5, 3), offset=1, axis1=0, axis2=1),
    call("transpose", floats(5, 3, 2), (2, 0, 1)),
    call("tril", floats(5, 3), k=1),
    call("triu", floats(5, 3), k=-1),
    call("uniform", (5, 3), low=0.0, high=floats(3), dtype="float64"),
    call("unroll", accumulate, floats(5, 3), floats(5, 4, 3), axis=1, truncate=2, lengths=integers(5), name="t"),
    call("unroll", accumulate, floats(5, 3), floats(5, 4, 3), axis=1, steps=4, reverse=True, mask=truths(5, 4)),
    call("vecdot", floats(5, 3), floats(5, 3), axis=0),
    call("vstack", [floats(5, 3), floats(2, 3)]),
    call("where", truths(5, 3), floats(5, 3), 0.0),
    call("zeros", (5, 3), dtype="float32"),
    call("zeros_like", floats(5, 3), dtype="int64"),
    call("ones_like", floats(5, 3), dtype="bool"),
)
