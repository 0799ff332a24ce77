import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

import graphad as ga
from graphad import Node
from graphad.compiler.function import BACKENDS
from graphad.errors import (
    ArgumentError,
    DivergenceError,
    DTypeError,
    IndexRangeError,
    ShapeError,
)
from graphad.ir.tensor_type import Dim

X = ga.input("x", shape=("batch", 3))
LABELS = ga.input("labels", shape=("batch",), dtype="int64")
ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)

both_backends = pytest.mark.parametrize("backend", BACKENDS)


class Pair(NamedTuple):
    first: Any
    second: Any


# What goes in and what comes out.


@both_backends
def test_results_have_the_structure_of_the_outputs(backend: str) -> None:
    total, double = ga.sum(X), X * 2.0
    structures = [
        total,
        [total],
        (double, total),
        {"t": total, "rest": [double, {"d": double}]},
        Pair(total, (double,)),
        [],
    ]
    for outputs in structures:
        found = ga.compile([X], outputs, backend=backend)(ARRAY)
        kinds = ga.ir.nest.mapped(lambda leaf: None, found)
        assert kinds == ga.ir.nest.mapped(lambda leaf: None, outputs)
        assert type(found) is (type(outputs) if outputs is not total else np.float32)
    found = ga.compile([X], {"t": total, "d": double}, backend=backend)(ARRAY)
    assert list(found) == ["t", "d"]
    assert found["t"] == 15.0
    np.testing.assert_array_equal(found["d"], 2 * ARRAY)


def test_the_structure_is_that_of_the_moment_of_compilation() -> None:
    outputs = [ga.sum(X)]
    step = ga.compile([X], outputs)
    outputs.append(X)
    assert step(ARRAY) == [15.0]


def test_one_input_may_be_given_without_a_list_and_there_may_be_none() -> None:
    assert ga.compile(X, ga.sum(X))(ARRAY) == 15.0
    assert ga.compile([], ga.constant(3.0))() == 3.0
    assert ga.compile((X,), [])(ARRAY) == []


@both_backends
def test_inputs_called_like_what_python_passes_along_are_inputs(backend: str) -> None:
    node = ga.input("self", shape=("self",))
    arguments = ga.input("arguments", shape=())
    step = ga.compile([node, arguments], node + arguments, backend=backend)
    np.testing.assert_array_equal(step(self=[1, 2], arguments=3), [4, 5])
    assert step.specialise(self=2).report.sizes == {"self": 2}


@pytest.mark.parametrize(
    "argument",
    [
        ARRAY.tolist(),
        ARRAY.astype(">f8"),
        np.asfortranarray(ARRAY),
        np.repeat(np.repeat(ARRAY, 2, 0), 2, 1)[::2, ::2],
        ARRAY[::-1][::-1],
        np.frombuffer(b"x" + ARRAY.tobytes(), np.float32, offset=1).reshape(2, 3),
        ARRAY.astype(np.uint8),
        tuple(ARRAY),
    ],
)
@pytest.mark.parametrize("build", [lambda x: x, ga.tanh, lambda x: x @ x.T, lambda x: x.reshape(-1)])
def test_arrays_of_any_layout_give_the_same(argument: Any, build: Callable[[Node], Node]) -> None:
    step = ga.compile([X], build(X))
    np.testing.assert_array_equal(step(argument), step(ARRAY))


@both_backends
@pytest.mark.parametrize(
    "build", [lambda x: x, lambda x: x.T, lambda x: x * 1.0, lambda x: x.reshape(-1), lambda x: x + x]
)
def test_arguments_are_never_changed_and_results_never_overwritten(backend: str, build: Callable[[Node], Node]) -> None:
    w = ga.parameter(np.ones((2, 3), np.float32), name="w")
    outputs = [build(X), build(w), w, ga.broadcast_to(ga.constant(1.0), (4, 5)), ga.constant([1.0, 2.0])]
    step = ga.compile([X], outputs, updates={w: w * 3.0}, backend=backend)
    argument = ARRAY.copy()
    argument.flags.writeable = False
    first = step(argument)
    kept = [array.copy() for array in first]
    second = step(np.full((2, 3), 50.0, np.float32))
    w.value = np.full((2, 3), 70.0)
    for a, b, c in zip(first, kept, second, strict=True):
        np.testing.assert_array_equal(a, b)
        a[...] = -1.0
        assert not np.shares_memory(a, c)
        assert not np.shares_memory(a, argument)
    np.testing.assert_array_equal(argument, ARRAY)
    assert (w.value == 70.0).all()
    np.testing.assert_array_equal(step(argument)[0], kept[0])


@both_backends
def test_one_node_twice_gives_two_arrays(backend: str) -> None:
    node = ga.tanh(X)
    a, b, c = ga.compile([X], [node, node, node.T], backend=backend)(ARRAY)
    assert not any(np.shares_memory(one, other) for one, other in ((a, b), (a, c), (b, c)))


@both_backends
def test_values_without_axes_come_back_as_numbers_of_their_dtype(backend: str) -> None:
    n = ga.input("n", shape=(), dtype="int8")
    found = ga.compile([n], [n, n * 2, n > 1, n.astype("float64"), n.reshape(1)], backend=backend)(5)
    assert [type(value) for value in found[:4]] == [np.int8, np.int8, np.bool_, np.float64]
    assert found[:4] == [5, 10, True, 5.0]
    assert found[4].shape == (1,)


@both_backends
def test_nan_and_infinity_pass_through(backend: str) -> None:
    step = ga.compile([X], [X * 2.0, ga.sum(X), ga.max(X, axis=0), ga.where(X > 0.0, X, 0.0)], backend=backend)
    array = np.array([[np.nan, np.inf, 1.0], [1.0, -np.inf, np.nan]], np.float32)
    double, total, greatest, positive = step(array)
    np.testing.assert_array_equal(double, 2 * array)
    assert np.isnan(total)
    np.testing.assert_array_equal(greatest, [np.nan, np.inf, np.nan])
    np.testing.assert_array_equal(positive, [[0.0, np.inf, 1.0], [1.0, 0.0, 0.0]])


@both_backends
def test_an_empty_batch_gives_empty_results(backend: str) -> None:
    w = ga.parameter(np.ones((3, 2), np.float32))
    outputs = [ga.tanh(X @ w), ga.sum(X), ga.sum(X, axis=0), ga.mean(X, axis=1), ga.argmax(X, axis=1), X.T, ga.mean(X)]
    found = ga.compile([X], outputs, backend=backend)(np.zeros((0, 3)))
    assert [np.shape(value) for value in found] == [(0, 2), (), (3,), (0,), (0,), (3, 0), ()]
    assert found[1] == 0.0
    assert not found[2].any()
    assert found[4].dtype == np.int64
    assert np.isnan(found[6])


# Shapes.


@both_backends
def test_one_function_serves_many_shapes(backend: str) -> None:
    step = ga.compile([X], [ga.mean(X), X @ X.T], backend=backend)
    for batch in (4, 1, 7, 4, 0, 1):
        array = np.full((batch, 3), 2.0, np.float32)
        mean, product = step(array)
        assert np.isnan(mean) if batch == 0 else mean == 2.0
        np.testing.assert_array_equal(product, array @ array.T)
        assert step.report().sizes == {"batch": batch}


def test_each_shape_is_compiled_once() -> None:
    step = ga.compile([X], X)
    assert step.specialise(batch=5) is step.specialise(batch=5)
    ready = step.specialise(batch=2)
    step(ARRAY)
    assert step.specialise(batch=2) is ready
    assert step.size_names == ("batch",)


@pytest.mark.parametrize(
    ("sizes", "error"),
    [({}, ArgumentError), ({"time": 3}, ArgumentError), ({"batch": 2, "time": 3}, ArgumentError)]
    + [({"batch": size}, ShapeError) for size in (-1, 2.5, "three", None, True)],
)
def test_sizes_that_make_no_sense_are_refused(sizes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ga.compile([X], X).specialise(**sizes)


@both_backends
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([[1, 2]], [0]), ShapeError),
        (([1, 2, 3], [0]), ShapeError),
        (([[1, 2, 3]], [0, 1]), ShapeError),
        (([[1, 2, 3]], [0.5]), DTypeError),
        (([[1, 2, 3]],), ArgumentError),
        (([[1, 2, 3]], [0], [0]), ArgumentError),
        ((X, LABELS), ArgumentError),
        (([[1, 2, 3]], [9]), IndexRangeError),
        (([[1, 2, 3]], [-1]), IndexRangeError),
        (([[1e30, 2, 3]], [0]), DivergenceError),
        (([[np.nan, 2, 3]], [0]), DivergenceError),
        ((np.zeros((0, 3)), []), ShapeError),
    ],
)
def test_a_call_that_fails_leaves_every_parameter_as_it_was(
    backend: str, arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    v, w = ga.parameter(np.ones(3, np.float32), name="v"), ga.parameter(np.ones(3, np.float32), name="w")
    chosen = ga.sum(ga.one_hot(LABELS, 3) * X * X, axis=0)
    step = ga.compile([X, LABELS], ga.sum(chosen), updates={v: v + 1.0, w: w + chosen}, backend=backend)
    with pytest.raises(error):
        step(*arguments)
    assert (v.value == 1.0).all()
    assert (w.value == 1.0).all()
    step([[1, 2, 3]], [2])
    assert (v.value.tolist(), w.value.tolist()) == ([2, 2, 2], [1, 1, 10])


# Parameters.


@both_backends
def test_updates_read_old_values_so_parameters_can_be_exchanged(backend: str) -> None:
    v, w = ga.parameter([1.0, 2.0], name="v"), ga.parameter([3.0, 4.0], name="w")
    u = ga.parameter([[5.0], [6.0]], name="u")
    step = ga.compile(
        [], [v, w + u.reshape(2)], updates={v: w, w: u.reshape(2), u: ga.expand_dims(v, 1)}, backend=backend
    )
    before, total = step()
    np.testing.assert_array_equal(before, [1, 2])
    np.testing.assert_array_equal(total, [8, 10])
    assert [node.value.ravel().tolist() for node in (v, w, u)] == [[3, 4], [5, 6], [1, 2]]
    step()
    assert [node.value.ravel().tolist() for node in (v, w, u)] == [[5, 6], [1, 2], [3, 4]]


@both_backends
def test_a_parameter_may_become_its_own_transpose(backend: str) -> None:
    w = ga.parameter([[1.0, 2.0], [3.0, 4.0]])
    step = ga.compile([], w.T, updates={w: w.T}, backend=backend)
    np.testing.assert_array_equal(step(), [[1, 3], [2, 4]])
    assert w.value.tolist() == [[1, 3], [2, 4]]


@both_backends
def test_a_parameter_that_is_only_written_is_written(backend: str) -> None:
    online, target = ga.parameter([1.0, 2.0], name="online"), ga.parameter([0.0, 0.0], name="target")
    seen = ga.parameter(np.zeros(3, np.float32), name="seen")
    step = ga.compile([X], [], updates={target: online, seen: ga.sum(X, axis=0)}, backend=backend)
    step(ARRAY)
    assert target.value.tolist() == [1, 2]
    assert seen.value.tolist() == [3, 5, 7]


@both_backends
def test_new_values_may_be_constants_inputs_views_and_outputs(backend: str) -> None:
    x = ga.input("x", shape=(3,))
    a, b, c, d = (ga.parameter(np.zeros(3, np.float32), name=name) for name in "abcd")
    result = ga.exp(x)
    updates = {a: ga.constant([1.0, 2.0, 3.0]), b: x, c: ga.stack([result, x])[0], d: result}
    found = ga.compile([x], [result, d], updates=updates, backend=backend)([0, 1, 2])
    np.testing.assert_array_equal(a.value, [1, 2, 3])
    np.testing.assert_array_equal(b.value, [0, 1, 2])
    np.testing.assert_array_equal(c.value, found[0])
    np.testing.assert_array_equal(d.value, found[0])
    assert not found[1].any()


def test_a_parameter_set_between_calls_is_seen_by_the_next() -> None:
    w = ga.parameter(np.ones((3, 2), np.float32))
    step = ga.compile([X], [X @ w, w.T])
    step(ARRAY)
    w.value = np.zeros((3, 2))
    assert not any(found.any() for found in step(ARRAY))


def test_functions_that_share_a_parameter_see_each_others_updates() -> None:
    w = ga.parameter([1.0, 2.0], name="w")
    double, read = ga.compile([], w, updates={w: w * 2.0}), ga.compile([X], ga.sum(X) + w)
    double()
    double()
    np.testing.assert_array_equal(read(ARRAY), [19, 23])


def test_one_parameter_under_another_name_is_updated() -> None:
    w = ga.parameter([1.0, 2.0], name="w")
    ga.compile([], w, updates={w.named("alias"): w + 1.0})()
    assert w.value.tolist() == [2, 3]


# Many at once, and much.


def test_threads_that_share_a_function_get_the_results_of_their_own_arguments() -> None:
    w = ga.parameter(np.eye(3, dtype=np.float32))
    step = ga.compile([X], [ga.sum(ga.square(X) @ w, axis=1), X[:1] * 2.0, X])
    barrier = threading.Barrier(8)

    def work(seed: int) -> int:
        generator = np.random.default_rng(seed)
        barrier.wait()
        for _ in range(200):
            array = generator.integers(-5, 6, (int(generator.integers(1, 5)), 3)).astype(np.float32)
            sums, first, same = step(array)
            np.testing.assert_array_equal(sums, (array**2).sum(axis=1))
            np.testing.assert_array_equal(first, 2 * array[:1])
            np.testing.assert_array_equal(same, array)
        return seed

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == list(range(8))


def test_what_is_specialised_is_returned_though_another_thread_asks_for_other_sizes_at_once() -> None:
    step = ga.compile([X], X * 2.0)

    class Handed(contextlib.AbstractContextManager[None]):
        """A lock that, when it is given back, goes to a thread with other sizes first."""

        def __exit__(self, *_: object) -> None:
            step._lock = threading.RLock()
            step.specialise(batch=3)

    step._lock = cast("Any", Handed())
    assert step.specialise(batch=2).report.sizes == {"batch": 2}


def test_threads_that_share_an_update_lose_none_of_it() -> None:
    w = ga.parameter(np.zeros(3), name="w")
    step = ga.compile([], w, updates={w: w + 1.0})
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: step()[0], range(800)))
    assert sorted(seen) == list(range(800))
    assert (w.value == 800).all()


def test_deep_graphs_are_compiled_and_run_at_the_default_limit_of_recursion() -> None:
    x = ga.input("x", shape=(3,))
    node = x
    for _ in range(20_000):
        node = node + 1.0
    step = ga.compile([x], node)
    assert step.report().statements == 20_000
    np.testing.assert_array_equal(step([0, 1, 2]), [20_000, 20_001, 20_002])


def test_the_source_can_be_read_before_any_call() -> None:
    step = ga.compile([X], ga.tanh(X))
    assert "(32, 3)" in step.source
    step(ARRAY)
    assert "(2, 3)" in step.source
    assert step.graph.outputs[0].shape[0] == Dim.named("batch")
