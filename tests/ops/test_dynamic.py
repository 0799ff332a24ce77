from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, GraphadError, IndexRangeError, ShapeError
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.dynamic import DynamicSlice, DynamicUpdateSlice
from tests.autodiff.differences import central_gradient_of, value

backends = pytest.mark.parametrize("backend", ["numpy", "reference"])
TABLE = np.arange(20.0).reshape(4, 5)


@backends
@pytest.mark.parametrize(("i", "j"), [(0, 0), (2, 2), (1, 0)])
def test_a_window_is_read_and_written_where_the_call_says(i: int, j: int, backend: str) -> None:
    x, starts = ga.input("x", (4, 5), "float64"), ga.input("starts", (2,), "int64")
    read = ga.dynamic_slice(x, starts, (2, 3))
    written = ga.dynamic_update_slice(x, -np.ones((2, 3)), starts)
    found, changed = ga.compile([x, starts], [read, written], backend=backend)(TABLE, [i, j])
    expected = TABLE.copy()
    expected[i : i + 2, j : j + 3] = -1
    np.testing.assert_array_equal(found, TABLE[i : i + 2, j : j + 3])
    np.testing.assert_array_equal(changed, expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_starts_are_numbers_nodes_or_both_of_any_integer_dtype(dtype: str) -> None:
    x, t = ga.input("x", ("n", 5), "float64"), ga.input("t", (), dtype)
    window = ga.dynamic_slice(x, [0, t], ("n", 2))
    assert str(window.type) == "float64[n, 2]"
    found = ga.compile([x, t], window)(TABLE, np.array(3, dtype))
    np.testing.assert_array_equal(found, TABLE[:, 3:])
    for known in ((1, 2), [np.int64(1), 2], np.array([1, 2]), ga.constant([1, 2])):
        np.testing.assert_array_equal(value(ga.dynamic_slice(x, known, (1, 2)), {x: TABLE}), TABLE[1:2, 2:4])


def test_the_gradients_go_to_what_was_read_and_what_stayed() -> None:
    x, u, t = ga.input("x", (5,), "float64"), ga.input("u", (2,), "float64"), ga.input("t", (), "int64")
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    read, written = ga.dynamic_slice(x, [t], 2), ga.dynamic_update_slice(x, u, [t])
    of_read = ga.grad(ga.sum(read * np.array([1.0, 10.0])), x)
    of_written = ga.grad(ga.sum(written * weights), [x, u])
    found = ga.compile([x, u, t], [of_read, *of_written])(np.zeros(5), np.zeros(2), 3)
    for mine, expected in zip(found, [[0, 0, 0, 1, 10], [1, 2, 3, 0, 0], [4, 5]], strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_the_second_derivatives_agree_with_central_differences() -> None:
    x, t = ga.input("x", (5,), "float64"), ga.input("t", (), "int64")
    moved = ga.dynamic_update_slice(x, ga.sin(ga.dynamic_slice(x, [t], 2)), [t + 1])
    slope = ga.sum(ga.cos(ga.grad(ga.sum(moved * moved), x)))
    given = {x: np.linspace(-1, 2, 5), t: np.array(2)}
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


def test_a_window_may_be_empty_or_of_a_number() -> None:
    x, number = ga.input("x", (3,), "float64"), ga.input("number", (), "float64")
    assert value(ga.dynamic_slice(x, [3], [0]), {x: np.ones(3)}).shape == (0,)
    assert value(ga.dynamic_slice(number, (), ()), {number: np.array(2.0)}) == 2
    assert value(ga.dynamic_update_slice(number, 3.0, ()), {number: np.array(2.0)}) == 3


@backends
@pytest.mark.parametrize("place", [-1, 4, 2**40])
def test_a_window_that_reaches_out_is_an_error_and_is_not_moved(place: int, backend: str) -> None:
    x, t = ga.input("x", (3, 5)), ga.input("t", (), "int64")
    for node in (ga.dynamic_slice(x, (0, t), (3, 2)), ga.dynamic_update_slice(x, x[:, :2], (0, t))):
        function = ga.compile([x, t], node, backend=backend)
        function(np.ones((3, 5)), 3)
        with pytest.raises(IndexRangeError, match=rf"from {place} reaches out of axis 1 of size 5.*\(at test_dyn"):
            function(np.ones((3, 5)), place)


def test_a_named_axis_is_checked_at_the_call() -> None:
    x = ga.input("x", ("n", 2))
    function = ga.compile([x], ga.dynamic_slice(x, (2, 0), (2, 2)))
    assert function(np.ones((4, 2))).shape == (2, 2)
    with pytest.raises(IndexRangeError, match="reaches out of axis 0 of size 3"):
        function(np.ones((3, 2)))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.dynamic_slice(x, (0, 4), (1, 2)), IndexRangeError, "begins at 4.*0 to 3"),
        (lambda x: ga.dynamic_slice(x, (-1, 0), (1, 2)), IndexRangeError, "begins at -1.*0 to 2"),
        (lambda x: ga.dynamic_update_slice(x, x[:1], (3, 0)), IndexRangeError, "begins at 3.*0 to 2"),
        (lambda x: ga.dynamic_slice(x, (0, 0), (1, 6)), ShapeError, "larger than the array"),
        (lambda x: ga.dynamic_slice(x, (0,), (1, 2)), ShapeError, "1 starts and 2 sizes for 2 axes"),
        (lambda x: ga.dynamic_slice(x, (0, 0.5), (1, 2)), DTypeError, "must be integers, not float32"),
        (lambda x: ga.dynamic_slice(x, (0, x[0]), (1, 2)), DTypeError, "must be integers, not float32"),
        (lambda x: ga.dynamic_slice(x, (0, [1]), (1, 2)), ShapeError, "one integer for one axis"),
        (lambda x: ga.dynamic_slice(x, ga.input("s", (3,), "int64"), (1, 2)), ShapeError, "do not name a place"),
        (lambda x: ga.dynamic_slice(x, ga.input("s", (2,), "int64"), (1,)), ShapeError, "one size for each axis"),
        (lambda x: ga.dynamic_update_slice(x, x[0], (0, 0)), ShapeError, "2 starts and 1 sizes for 2 axes"),
    ],
)
def test_what_is_no_window_is_an_error_that_says_where(
    call: Callable[[Any], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"dynamic_.*float32\[3, 5\].*{text}.*\(at test_dynamic\.py:\d+\)"):
        call(ga.input("x", (3, 5)))


def test_the_ops_themselves_refuse_what_does_not_fit() -> None:
    x, starts = TensorType.of((3, 5)), TensorType.of((2,), "int64")
    with pytest.raises(ShapeError, match="do not name a place"):
        DynamicSlice((1, 1)).infer(x, TensorType.of((), "int64"))
    with pytest.raises(ShapeError, match="an update of type"):
        DynamicUpdateSlice().infer(x, TensorType.of((1, 1), "float64"), starts)
    with pytest.raises(ShapeError, match="an update of type"):
        DynamicUpdateSlice().infer(TensorType.of((4, 3)), TensorType.of((2, 1)), TensorType.of((4, 1), "int64"))
