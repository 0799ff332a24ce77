import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Node
from graphad.errors import ExecutionError, IndexRangeError
from graphad.ir.evaluation import evaluate
from tests.ir.random_graphs import Sample, samples

X = ga.input("x", shape=(2, 3))
LABELS = ga.input("labels", shape=(2,), dtype="int64")
ARRAY = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -0.125]], np.float32)


def line() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


@given(samples())
def test_the_program_computes_what_the_reference_does_to_the_bit(sample: Sample) -> None:
    expected = [array.copy() for array in evaluate(sample.whole, sample.arguments)]
    count = len(sample.graph.outputs)
    before = {parameter: parameter.value for parameter in sample.updates}
    given_arrays = [array.copy() for array in sample.arguments]
    for passes in ((), None):
        step = ga.compile(sample.graph.inputs, sample.graph.outputs, updates=sample.updates, passes=passes)
        for _ in range(2):
            for parameter, value in before.items():
                parameter.value = value
            found = step(*given_arrays)
            for a, b in zip(found, expected[:count], strict=True):
                np.testing.assert_array_equal(a, b)
                assert (a.dtype, a.shape) == (b.dtype, b.shape)
            for parameter, value in zip(sample.updates, expected[count:], strict=True):
                np.testing.assert_array_equal(parameter.value, value)
    for a, b in zip(given_arrays, sample.arguments, strict=True):
        np.testing.assert_array_equal(a, b)


@given(samples(rounding=True))
def test_functions_that_round_agree_with_the_reference_to_rounding(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        expected = evaluate(sample.graph, sample.arguments)
    found = ga.compile(sample.graph.inputs, sample.graph.outputs)(*sample.arguments)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_an_index_outside_its_axis_names_the_node_its_step_and_its_line() -> None:
    scores = ga.input("scores", shape=(2, 5, 3))
    where: list[int] = []

    def cell(carry: Node, s_t: Node) -> tuple[Node, Node]:
        hot = ga.one_hot(LABELS, 3) * s_t
        where.append(line() - 1)
        return carry + hot, hot

    total, _ = ga.unroll(cell, ga.constant(np.zeros((2, 3), np.float32)), scores, axis=1)
    step = ga.compile([scores, LABELS], total, passes=())
    with pytest.raises(IndexRangeError) as caught:
        step(np.zeros((2, 5, 3)), [1, 3])
    assert str(caught.value).startswith("one_hot(labels: int64[2]): ")
    assert f"(at step 0 test_numpy_backend.py:{where[0]})" in str(caught.value)


@pytest.mark.parametrize("place", [0, 1_998, 1_999, 2_000, 2_001, 4_999])
def test_errors_in_long_programs_name_the_right_node(place: int) -> None:
    """Programs of thousands of statements are cut into several functions."""
    node: Node = ga.input("start", shape=(2,), dtype="int64")
    exponents = ga.parameter(np.array([-2, -3]))
    start, expected = node, 0
    for i in range(5_000):
        node = node + 1 if i < place else node * 1 + 1
        if i == place:
            node, expected = (node**exponents).named("culprit"), line()
    step = ga.compile([start], node, passes=())
    with pytest.raises(ExecutionError, match=rf"power\(.*negative integer powers.*test_numpy_backend.py:{expected}\)"):
        step([5, 7])
    assert len([text for text in step.source.splitlines() if text.startswith("def compute_")]) > 2


def test_a_failed_call_keeps_neither_arguments_nor_changes() -> None:
    w = ga.parameter(np.zeros((2, 3), np.float32), name="w")
    step = ga.compile([X, LABELS], ga.one_hot(LABELS, 3), updates={w: w + X})
    argument = ARRAY.copy()
    watched = weakref.ref(argument)
    with pytest.raises(IndexRangeError):
        step(argument, [0, 5])
    assert not w.value.any()
    del argument
    gc.collect()
    assert watched() is None
    step(ARRAY, [0, 2])
    np.testing.assert_array_equal(w.value, ARRAY)


def test_warnings_of_numpy_are_not_the_users_concern() -> None:
    found = ga.compile([X], [ga.log(X), X / 0.0, ga.exp(X * 1e4)])(ARRAY)
    assert np.isnan(found[0][0, 1])
    assert np.isinf(found[1]).all()
    assert np.geterr()["divide"] == "warn"


def test_calls_allocate_results_and_nothing_that_grows_with_the_program() -> None:
    large = ga.input("large", shape=(200, 500))
    node = large
    for _ in range(20):
        node = ga.tanh(node) + large
    step, array = ga.compile([large], ga.sum(node)), np.zeros((200, 500), np.float32)
    step(array)
    tracemalloc.start()
    step(array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < array.nbytes / 10


def test_the_places_of_all_values_are_aligned_to_cache_lines() -> None:
    step = ga.compile([X], [ga.tanh(X) @ ga.exp(X).T, ga.sum(X, axis=0), X.T * 2.0])
    names = step.specialise().executable._names  # type: ignore[attr-defined]
    arrays = [value for value in names.values() if isinstance(value, np.ndarray) and value.base is not None]
    own = [array for array in arrays if array.flags.c_contiguous and array.dtype == np.float32]
    assert len(own) >= 5
    assert all(array.ctypes.data % 64 == 0 for array in own)
