from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, IndexRangeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.gather import RavelMultiIndex, ScatterAdd, Take
from tests.autodiff.differences import central_gradient_of, value

backends = pytest.mark.parametrize("backend", ["numpy", "reference"])
CUBE = np.arange(60.0).reshape(3, 4, 5)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("indices", [0, -1, [2, 0, 2], [[1], [-2]], [], np.array([0, 1], np.uint8)], ids=str)
def test_a_take_of_known_indices_is_numpys(indices: Any, axis: int | None) -> None:
    x = ga.input("x", CUBE.shape, "float64")
    expected = np.take(CUBE, np.asarray(indices, np.int64), axis)
    nodes: list[Any] = [ga.take(x, indices, axis), np.take(x, np.asarray(indices, np.int64), axis)]
    for node in nodes:
        assert node.shape == expected.shape
        np.testing.assert_array_equal(ga.compile([x], node)(CUBE), expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_a_take_of_nodes_is_numpys_by_indices_of_any_integer_dtype(axis: int | None, dtype: str) -> None:
    x, i = ga.input("x", CUBE.shape, "float64"), ga.input("i", (2, 2), dtype)
    places = np.array([[0, 2], [1, 2]], dtype)
    for backend in ("numpy", "reference"):
        found = ga.compile([x, i], ga.take(x, i, axis), backend=backend)(CUBE, places)
        np.testing.assert_array_equal(found, np.take(CUBE, places.astype(np.int64), axis))


@pytest.mark.parametrize("dtype", ["int8", "bool", "float32"])
def test_what_is_taken_keeps_its_dtype(dtype: str) -> None:
    x = ga.input("x", (3,), dtype)
    array = np.array([0, 1, 1], dtype)
    np.testing.assert_array_equal(value(ga.take(x, [2, 0], 0), {x: array}), array[[2, 0]])
    assert ga.take(x, [2, 0], 0).dtype == dtype


def test_a_row_that_is_taken_twice_gets_both_cotangents() -> None:
    table, ids = ga.input("table", (4, 2), "float64"), ga.input("ids", (2, "batch"), "int64")
    weights = np.array([[[1.0]], [[10.0]]])
    gradient = ga.grad(ga.sum(ga.embedding(table, ids) * weights), table)
    for backend in ("numpy", "reference"):
        found = ga.compile([table, ids], gradient, backend=backend)(np.zeros((4, 2)), [[3, 0, 3], [3, 3, 1]])
        np.testing.assert_array_equal(found, np.outer([1, 10, 0, 22], [1, 1]))


def test_the_second_derivative_of_an_embedding_agrees_with_central_differences() -> None:
    table = ga.input("table", (4, 2), "float64")
    rows = ga.embedding(table, [[1, 1], [3, 0]])
    slope = ga.sum(ga.cos(ga.grad(ga.sum(ga.sin(rows) * rows), table)))
    given = {table: np.linspace(-1, 1, 8).reshape(4, 2)}
    np.testing.assert_allclose(value(ga.grad(slope, table), given), central_gradient_of(slope, table, given), atol=1e-8)


def test_no_ids_give_no_rows_and_a_gradient_of_zeros() -> None:
    table, ids = ga.input("table", (4, 2)), ga.input("ids", ("batch",), "int64")
    rows = ga.embedding(table, ids)
    found, gradient = ga.compile([table, ids], [rows, ga.grad(ga.sum(rows), table)])(np.ones((4, 2)), np.zeros(0, int))
    assert found.shape == (0, 2)
    np.testing.assert_array_equal(gradient, np.zeros((4, 2)))


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_a_gather_with_batch_axes_is_one_take_for_each_example(axis: int) -> None:
    x, i = ga.input("x", ("batch", 4, 5), "float64"), ga.input("i", ("batch", 2), "int64")
    places = np.array([[0, 3], [1, 1], [2, 0]])
    found = ga.compile([x, i], ga.gather(x, i, axis, batch_dims=1))(CUBE, places)
    each = [np.take(one, of_one, axis - 1 if axis > 0 else axis) for one, of_one in zip(CUBE, places, strict=True)]
    np.testing.assert_array_equal(found, each)


def test_scatter_add_is_numpys_add_at_and_its_gradients_read_where_it_wrote() -> None:
    x, i, u = ga.input("x", (4, 2), "float64"), ga.input("i", (3,), "int64"), ga.input("u", (3, 2), "float64")
    node = ga.scatter_add(x, i, u)
    array, places, updates = np.ones((4, 2)), np.array([1, 3, 1]), np.arange(6.0).reshape(3, 2)
    expected = array.copy()
    np.add.at(expected, places, updates)
    weights = np.arange(8.0).reshape(4, 2)
    gradients = ga.grad(ga.sum(node * weights), [x, u])
    found, of_x, of_u = ga.compile([x, i, u], [node, *gradients])(array, places, updates)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(of_x, weights)
    np.testing.assert_array_equal(of_u, weights[places])


def test_updates_broadcast_and_are_promoted_with_the_operand() -> None:
    n, i = ga.input("n", (4, 2), "int64"), ga.input("i", (3,), "int64")
    assert ga.scatter_add(n, i, 1).dtype == np.int64
    counted = ga.compile([n, i], ga.scatter_add(n, i, 1))(np.zeros((4, 2), int), [1, 1, 3])
    np.testing.assert_array_equal(counted, [[0, 0], [2, 2], [0, 0], [1, 1]])
    assert ga.scatter_add(n, i, 0.5).dtype == np.float32


def test_kernels_write_into_memory_that_they_are_given_and_leave_their_operands() -> None:
    x, places, out = CUBE.copy(), np.array([[2, 0]]), np.empty((3, 1, 2, 5))
    assert Take(1).kernel(x, places, out=out) is out
    np.testing.assert_array_equal(out, CUBE[:, [[2, 0]]])
    written = np.empty_like(x)
    assert ScatterAdd(1).kernel(x, out, places, out=written) is written
    np.testing.assert_array_equal(x, CUBE)
    np.testing.assert_array_equal(written[:, 2], 2 * CUBE[:, 2])


def test_the_cotangent_of_a_take_is_one_scatter() -> None:
    x, i = ga.input("x", (4, 2)), ga.input("i", (3,), "int64")
    gradient = ga.grad(ga.sum(ga.take(x, i, 0)), x)
    assert isinstance(gradient.op, ScatterAdd)
    assert sum(isinstance(node.op, ScatterAdd) for node in Graph((x, i), (gradient,)).nodes) == 1


@backends
@pytest.mark.parametrize("place", [-1, 4, 255])
def test_a_place_outside_the_axis_is_an_error_at_the_call_that_names_the_node_and_the_line(
    place: int, backend: str
) -> None:
    x, i = ga.input("x", ("batch", 4), "float64"), ga.input("i", (2,), "int64")
    nodes = {
        "take": ga.take(x, i, 1),
        "scatter_add": ga.scatter_add(x, i, 1.0, axis=1),
        "ravel_multi_index": ga.ravel_multi_index((i, i), (9, 4)),
    }
    for name, node in nodes.items():
        function = ga.compile([x, i], node, backend=backend)
        function(np.ones((3, 4)), [0, 3])
        with pytest.raises(IndexRangeError, match=rf"{name}\(.*for an axis of size.*\(at test_gather\.py:\d+\)"):
            function(np.ones((3, 4)), [0, place])


@pytest.mark.parametrize("place", [-5, 4])
def test_a_known_place_outside_the_axis_is_an_error_when_the_graph_is_built(place: int) -> None:
    x, table = ga.input("x", ("batch", 4)), ga.input("table", (4, 3))
    calls: list[Callable[[], Node]] = [
        lambda: ga.take(x, [0, place], 1),
        lambda: ga.gather(x, place, 1),
        lambda: ga.embedding(table, [[place]]),
        lambda: ga.scatter_add(x, [place], 1.0, axis=1),
        lambda: ga.take_along_axis(x, [[place]], 1),
    ]
    for call in calls:
        with pytest.raises(IndexRangeError, match=rf"index {place} is out of range.*size 4.*\(at test_gather"):
            call()


def test_ravel_multi_index_is_numpys() -> None:
    i, j = ga.input("i", (2, 1), "int32"), ga.input("j", (3,), "uint64")
    rows, columns = np.array([[0], [4]]), np.array([2, 0, 1])
    node = ga.ravel_multi_index((i, j), (5, 3))
    found = ga.compile([i, j], node)(rows.astype(np.int32), columns.astype(np.uint64))
    np.testing.assert_array_equal(found, np.ravel_multi_index(np.broadcast_arrays(rows, columns), (5, 3)))
    assert node.dtype == np.int64


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.take(x, [0.5], 0), DTypeError, "must be integers, not float32: cast them"),
        (lambda x: ga.take(x, ga.input("m", (3,), "bool"), 0), DTypeError, "integers, not bool: .*ga.where"),
        (lambda x: ga.take(x, 0, 2), ShapeError, "axis 2 is out of range"),
        (lambda x: ga.take(x, -1, 0), ShapeError, "index -1 counts from the end of an axis of size batch"),
        (lambda x: ga.gather(x, 0, 1, batch_dims=-1), ArgumentError, "0 or more; got -1"),
        (lambda x: ga.gather(x, [[0, 1]], 1, batch_dims=1), ShapeError, "first 1 axes.*must be the same"),
        (lambda x: ga.gather(x, 0, 0, batch_dims=1), ShapeError, "axis 0 is out of range.*1 of the batch"),
        (lambda x: ga.embedding(x[0], [0]), ShapeError, "a table has two axes"),
        (lambda x: ga.scatter_add(x, [0, 1], np.ones((3, 4))), ShapeError, "do not broadcast"),
        (lambda x: ga.scatter_add(x, [0], np.ones((2, 1, 4))), ShapeError, "do not broadcast to .*these indices take"),
        (lambda x: ga.ravel_multi_index((x, x), (2, 2)), DTypeError, "must be integers, not float32"),
        (lambda x: ga.ravel_multi_index((x,), (2, 2)), ShapeError, "1 indices for 2 sizes"),
    ],
)
def test_what_cannot_be_taken_is_an_error_that_says_where(
    call: Callable[[Any], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"float32\[.*{text}.*\(at test_gather\.py:\d+\)"):
        call(ga.input("x", ("batch", 4)))


def test_truth_values_are_not_added() -> None:
    with pytest.raises(DTypeError, match=r"truth values are not added.*\(at test_gather\.py:\d+\)"):
        ga.scatter_add(ga.input("b", (3,), "bool"), [0], True)


def test_the_ops_themselves_refuse_what_does_not_fit() -> None:
    x, places = TensorType.of((3, 4)), TensorType.of((2,), "int64")
    with pytest.raises(ShapeError, match="axis 2 is out of range"):
        Take(2).infer(x, places)
    with pytest.raises(ShapeError, match=r"the updates are float32\[3\]; these indices need float32\[2, 4\]"):
        ScatterAdd(0).infer(x, TensorType.of((3,)), places)
    with pytest.raises(ShapeError, match="2 sizes need as many operands"):
        RavelMultiIndex((3, 4)).infer(places)
