"""A call allocates nothing beside its results, but for the operations of a list, which is checked both ways."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad import Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.ir.graph import Graph
from graphad.ir.op import Array, Op
from graphad.ir.tensor_type import FLOAT32, FLOAT64
from graphad.ops.order import ArgSort, SearchSorted
from graphad.ops.random import Integers
from graphad.ops.selection import Where
from tests.backend.allocations import FIXED, allocations
from tests.rows.sample import Row, Sample, inputs_for
from tests.samples import ROWS, SAMPLES

ALLOCATING: tuple[type[Op], ...] = (ArgSort, SearchSorted, Integers)
"""Their functions of numpy cannot write into given memory."""
BUFFERS = 3 * 8_192 * 8
"""In bytes: numpy converts elements in buffers of 8,192, one for each operand of a ufunc."""
RANDOM = np.random.default_rng(0)


def allocated(inputs: list[Node], outputs: list[Node], arrays: list[Array]) -> tuple[list[int], NumpyExecutable]:
    """What a second call computes in memory of its own."""
    function = ga.compile(inputs, outputs)
    function(*arrays)
    executable = function.specialise().executable
    assert isinstance(executable, NumpyExecutable)
    with allocations() as found:
        executable.compute(arrays)
        executable.commit()
    return found, executable


def is_allowed(found: list[int], graph: Graph) -> bool:
    """Whether a program of these nodes may allocate so much: all of it, or what numpy converts in a buffer."""
    converted = sum(node.type.nbytes for node in graph.nodes if isinstance(node.op, Where) and node.ndim == 1)
    return sum(found) <= converted or any(isinstance(node.op, ALLOCATING) for node in graph.nodes)


def test_an_array_is_counted_however_briefly_it_lives() -> None:
    x, places, out = np.arange(30.0), np.arange(7), np.empty(7)
    with allocations() as found:
        np.take(x, places, out=out)  # buffers its result
        (x + x).sum()
        np.zeros((3, 5))
    assert found == [56, 240, 120]


def test_views_numbers_and_what_is_computed_into_given_memory_are_not_counted() -> None:
    x = np.arange(30.0)
    with allocations() as found:
        np.add(x[:10], x[10:20], out=x[20:])
        x.reshape(5, 6).T.max()
        np.take(x, [0], mode="clip")
    assert found == []
    assert np.arange(FIXED).nbytes > FIXED


@pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_a_call_allocates_nothing_for_data(row: Row, dtype: np.dtype[Any]) -> None:
    arrays = row.arrays(dtype=dtype)
    inputs = inputs_for(arrays)
    found, executable = allocated(inputs, [row.build(*inputs)], arrays)
    assert is_allowed(found, executable.program.graph)


@pytest.mark.parametrize("row", [row for row in ROWS if row.smooth], ids=lambda row: row.label)
def test_a_gradient_allocates_nothing_for_data(row: Row) -> None:
    arrays = row.arrays()
    inputs = inputs_for(arrays)
    result = row.build(*inputs)
    cotangent = ga.input("cotangent", result.shape, result.dtype)
    gradients = ga.vjp(result, [x for x in inputs if x.type.is_float], cotangent)
    given = RANDOM.standard_normal(result.type.static_shape)
    found, executable = allocated([*inputs, cotangent], gradients, [*arrays, given])
    assert is_allowed(found, executable.program.graph)


@pytest.mark.parametrize("op", ALLOCATING)
def test_an_operation_that_allocates_nothing_any_more_is_taken_off_the_list(op: type[Op]) -> None:
    samples = [sample for sample in SAMPLES if type(sample.op) is op]
    assert samples
    assert any(_allocated_by(sample) for sample in samples)


def _allocated_by(sample: Sample) -> list[int]:
    arrays = sample.arrays()
    inputs = inputs_for(arrays)
    return allocated(inputs, [sample.build(*inputs)], arrays)[0]


@pytest.mark.parametrize(("size", "converted"), [(8_000, [8_000 * 4]), (9_000, [])])
def test_a_short_line_of_truth_values_is_converted_in_a_buffer_of_numpys(size: int, converted: list[int]) -> None:
    condition, x = ga.input("condition", (size,), "bool"), ga.input("x", (size,))
    arrays = [np.ones(size, np.bool_), np.ones(size, np.float32)]
    assert allocated([condition, x], [ga.where(condition, x, 1.0)], arrays)[0] == converted


def weights(**shapes: tuple[int, ...]) -> dict[str, Node]:
    return {name: ga.parameter(RANDOM.normal(0, 0.1, shape).astype("float32"), name) for name, shape in shapes.items()}


def recurrent(y: Node, cell: Callable[..., Any], gates: int) -> tuple[Node, dict[str, Node]]:
    w = weights(U=(20, gates * 64), W=(64, gates * 64), b=(gates * 64,), V=(64, 10))
    carry, _ = ga.unroll(cell(w["U"], w["W"], w["b"]), xs=X, axis=1)
    h = carry[0] if isinstance(carry, tuple) else carry
    return ga.mean(ga.softmax_cross_entropy(h @ w["V"], y)), w


def perceptron(y: Node) -> tuple[Node, dict[str, Node]]:
    w = weights(U=(240, 128), b=(128,), V=(128, 10))
    hidden = ga.dropout(ga.relu(ga.reshape(X, (-1, 240)) @ w["U"] + w["b"]), 0.3)
    return ga.mean(ga.softmax_cross_entropy(ga.layer_norm(hidden) @ w["V"], y, label_smoothing=0.1)), w


def convolutional(y: Node) -> tuple[Node, dict[str, Node]]:
    w = weights(U=(3, 3, 1, 8), V=(8 * 6 * 10, 10))
    maps = ga.max_pool2d(ga.gelu(ga.conv2d(ga.reshape(X, (-1, 12, 20, 1)), w["U"], padding="same")), 2)
    return ga.mean(ga.softmax_cross_entropy(ga.reshape(maps, (-1, 8 * 6 * 10)) @ w["V"], y)), w


def embedded(y: Node) -> tuple[Node, dict[str, Node]]:
    w = weights(E=(10, 20), U=(20, 4 * 64), W=(64, 4 * 64), b=(4 * 64,), V=(64, 10))
    characters = ga.cast(ga.argmax(X, axis=2) % 10, "int32")
    _, h = ga.unroll(ga.lstm_cell(w["U"], w["W"], w["b"]), xs=ga.embedding(w["E"], characters), axis=1)
    logits = h @ w["V"]
    spread = ga.broadcast_to(ga.expand_dims(y, 1), ("batch", 12))
    return ga.mean(ga.softmax_cross_entropy(logits, spread)) + ga.mean(logits * ga.one_hot(spread, 10)), w


X = ga.input("x", ("batch", 12, 20))
NETS: dict[str, Callable[[Node], tuple[Node, dict[str, Node]]]] = {
    "rnn": lambda y: recurrent(y, ga.rnn_cell, 1),
    "lstm": lambda y: recurrent(y, ga.lstm_cell, 4),
    "gru": lambda y: recurrent(y, ga.gru_cell, 3),
    "perceptron": perceptron,
    "convolutional": convolutional,
    "characters": embedded,
}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("labels", ["int64", "uint8"])
def test_a_training_step_allocates_nothing_at_all(net: str, labels: str) -> None:
    y = ga.input("y", ("batch",), labels)
    loss, w = NETS[net](y)
    updates = ga.optim.Adam(0.01).updates(loss, list(w.values()))
    step = ga.compile([X, y], loss, updates=updates)
    batch = RANDOM.normal(size=(40, 12, 20)).astype("float32"), RANDOM.integers(0, 10, 40).astype(labels)
    step(*batch)
    with allocations() as found:
        step(*batch)
    assert found == []
    assert traced(lambda: step(*batch)) < BUFFERS < step.report().arena_bytes


def traced(run: Callable[[], Any]) -> int:
    """The most bytes that Python and numpy held for a run, whatever for."""
    tracemalloc.start()
    try:
        run()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_what_kernels_need_in_a_loop_over_time_lies_in_the_arena_of_the_loop() -> None:
    x, W = ga.input("x", (6, 9, 4)), ga.parameter(RANDOM.normal(size=(4, 12)).astype("float32"), "W")

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        place = ga.argmax(h, axis=0)
        return ga.erf(h @ W[:, ::3] + x_t) + ga.take_along_axis(h, ga.expand_dims(place % 6, 0), 0), None

    h, _ = ga.unroll(cell, init=x[:, 0], xs=x, axis=1)
    function, slow = (ga.compile([x], ga.grad(ga.sum(h), [x, W]), backend=name) for name in ("numpy", "reference"))
    array = RANDOM.normal(size=(6, 9, 4)).astype("float32")
    for one, other in zip(function(array), slow(array), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert "for " in function.source.partition("Loops over time")[2].partition("def compute")[0]
    assert allocated([x], ga.grad(ga.sum(h), [x, W]), [array])[0] == []


def test_what_a_call_returns_is_all_that_it_allocates() -> None:
    x = ga.input("x", ("batch", 30))
    function = ga.compile([x], [ga.tanh(x), ga.sum(x, axis=0)])
    array = RANDOM.normal(size=(20, 30)).astype("float32")
    function(array)
    with allocations() as found:
        function(array)
    assert found == [20 * 30 * 4, 30 * 4]


def test_operands_that_a_kernel_would_copy_are_copied_into_planned_memory() -> None:
    x, W, i = ga.input("x", (5, 40)), ga.input("W", (40, 30)), ga.input("i", (3, 8), "int64")
    outputs = [ga.tanh(x) @ W[:, ::3], ga.take(W.T, i[:, ::2], 0), ga.argmax(ga.exp(x)[:, ::2], 1)]
    arrays = [RANDOM.normal(size=(5, 40)).astype("float32"), RANDOM.normal(size=(40, 30)).astype("float32")]
    found, _ = allocated([x, W, i], outputs, [*arrays, RANDOM.integers(0, 30, (3, 8))])
    assert found == []
