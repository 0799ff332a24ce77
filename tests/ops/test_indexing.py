from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, IndexRangeError, ShapeError
from graphad.ops.indexing import AddAlongAxis, Indexed, TakeAlongAxis
from tests.autodiff.differences import central_gradient_of, value

backends = pytest.mark.parametrize("backend", ["numpy", "reference"])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "uint64"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_elements_are_taken_as_in_numpy_by_indices_of_any_integer_dtype(axis: int, dtype: str) -> None:
    x, indices = ga.input("x", (3, 4), "float64"), ga.input("i", (3, 4), dtype)
    array, places = np.arange(12.0).reshape(3, 4), np.arange(12).reshape(3, 4).astype(dtype) % 3
    found = ga.compile([x, indices], ga.take_along_axis(x, indices, axis))(array, places)
    np.testing.assert_array_equal(found, np.take_along_axis(array, places.astype(np.int64), axis))


@pytest.mark.parametrize(("shape", "of_indices"), [((3, 1), (3, 4)), ((1, 4), (2, 4)), ((3, 4), (3, 1))])
def test_axes_beside_the_one_that_is_indexed_broadcast_as_in_numpy(
    shape: tuple[int, ...], of_indices: tuple[int, ...]
) -> None:
    x, indices = ga.input("x", shape, "float64"), ga.input("i", of_indices, "int64")
    array, places = np.arange(float(np.prod(shape))).reshape(shape), np.zeros(of_indices, int)
    for axis in (0, 1):
        rest = [(mine, its) for i, (mine, its) in enumerate(zip(shape, of_indices, strict=True)) if i != axis]
        if all(mine == its or 1 in (mine, its) for mine, its in rest):
            found = ga.compile([x, indices], np.take_along_axis(x, indices, axis))(array, places)  # type: ignore[arg-type]
            np.testing.assert_array_equal(found, np.take_along_axis(array, places, axis))


def test_without_an_axis_elements_of_the_flattened_operand_are_taken() -> None:
    x = ga.input("x", (2, 3), "float64")
    found = value(ga.take_along_axis(x, [5, 0, -2], axis=None), {x: np.arange(6.0).reshape(2, 3)})
    np.testing.assert_array_equal(found, [5, 0, 4])


def test_known_indices_may_count_from_the_end() -> None:
    x = ga.input("x", (2, 3), "float64")
    found = value(ga.take_along_axis(x, [[-1], [0]]), {x: np.arange(6.0).reshape(2, 3)})
    np.testing.assert_array_equal(found, [[2], [3]])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_kernels_use_the_memory_that_they_are_given_whatever_the_axis(axis: int) -> None:
    x, places = np.arange(24.0).reshape(2, 3, 4), np.zeros((2, 3, 4), np.uint8)
    out = np.full((2, 3, 4), np.nan)
    assert TakeAlongAxis(axis).kernel(x, places, out=out) is out
    np.testing.assert_array_equal(out, np.take_along_axis(x, places.astype(int), axis))
    added = np.full((2, 3, 4), np.nan)
    assert AddAlongAxis(x.shape[axis], axis).kernel(x, places, out=added) is added
    np.testing.assert_array_equal(added.take(0, axis), x.sum(axis))
    assert not added.take([1], axis).any()


def test_an_element_that_is_taken_twice_gets_both_cotangents() -> None:
    x = ga.input("x", (2, 3), "float64")
    loss = ga.sum(ga.take_along_axis(x, [[0, 0, 2, 0], [1, 1, 1, 2]], 1) * np.array([1.0, 10.0, 100.0, 1000.0]))
    for backend in ("numpy", "reference"):
        gradient = ga.compile([x], ga.grad(loss, x), backend=backend)(np.zeros((2, 3)))
        np.testing.assert_array_equal(gradient, [[1011, 0, 100], [0, 111, 1000]])


def test_the_second_derivative_through_taken_elements_agrees_with_central_differences() -> None:
    x = ga.input("x", (4,), "float64")
    loss = ga.sum(ga.sin(ga.take_along_axis(x, [1, 1, 3], 0)) * x[:3])
    slope = ga.sum(ga.cos(ga.grad(loss, x)))
    given = {x: np.array([0.3, -1.2, 0.7, 2.0])}
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


def test_indices_get_no_cotangent() -> None:
    x, indices = ga.input("x", (4,)), ga.input("i", (2,), "int64")
    taken = ga.take_along_axis(x, indices, 0)
    assert taken.op.vjp(taken, taken, x, indices)[1] is None


@backends
@pytest.mark.parametrize("place", [-1, 4])
def test_a_place_outside_the_axis_is_an_error_that_names_the_node_and_the_line(place: int, backend: str) -> None:
    x, indices = ga.input("x", ("batch", 4)), ga.input("i", ("batch", 2), "int64")
    function = ga.compile([x, indices], ga.take_along_axis(x, indices, 1), backend=backend)
    np.testing.assert_array_equal(function(np.ones((3, 4)), np.zeros((3, 2), int)), np.ones((3, 2)))
    with pytest.raises(IndexRangeError, match=r"take_along_axis\(x: .*axis of size 4.*\(at test_indexing\.py:\d+\)"):
        function(np.ones((3, 4)), np.full((3, 2), place))


@backends
@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_outside_the_depth_is_an_error_that_names_the_node_and_the_line(label: int, backend: str) -> None:
    y = ga.input("y", ("batch",), "int64")
    function = ga.compile([y], ga.one_hot(y, 10), backend=backend)
    np.testing.assert_array_equal(function([3, 9]), np.eye(10)[[3, 9]])
    with pytest.raises(IndexRangeError, match=r"one_hot\(y: .*axis of size 10.*\(at test_indexing\.py:\d+\)"):
        function([3, label])


def test_labels_may_be_bytes_and_the_result_of_any_dtype() -> None:
    y = ga.input("y", (2,), "uint8")
    for dtype in ("float32", "float64", "int64", "bool"):
        hot = ga.one_hot(y, 3, dtype)
        assert hot.dtype == dtype
        np.testing.assert_array_equal(ga.compile([y], hot)(np.array([2, 0], np.uint8)), np.eye(3)[[2, 0]])


def test_one_label_has_one_row() -> None:
    np.testing.assert_array_equal(value(ga.one_hot(2, 4)), [0, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_indices_that_are_no_integers_are_refused_by_name(dtype: str) -> None:
    x, indices = ga.input("x", (3,)), ga.input("i", (3,), dtype)
    with pytest.raises(DTypeError, match=rf"take_along_axis\(x: .*i: {dtype}.*must be integers.*test_indexing\.py:\d+"):
        ga.take_along_axis(x, indices, 0)
    with pytest.raises(DTypeError, match=rf"one_hot\(i: {dtype}.*must be integers.*test_indexing\.py:\d+"):
        ga.one_hot(indices, 3)


@pytest.mark.parametrize("shape", [(2, 4), (3,), (3, 4, 1)])
def test_indices_have_the_operands_shape_but_for_the_axis(shape: tuple[int, ...]) -> None:
    x, indices = ga.input("x", (3, 4)), ga.input("i", shape, "int64")
    with pytest.raises(ShapeError, match=r"take_along_axis\(x: float32\[3, 4\].*every axis but axis 1.*\(at test_ind"):
        ga.take_along_axis(x, indices, 1)


def test_an_axis_or_a_depth_that_makes_no_sense_is_an_error() -> None:
    x, indices = ga.input("x", (3, 4)), ga.input("i", (3, 4), "int64")
    with pytest.raises(ShapeError, match=r"take_along_axis\(x: .*axis 2 is out of range.*\(at test_indexing"):
        ga.take_along_axis(x, indices, 2)
    with pytest.raises(ShapeError, match=r"one_hot\(i: .*-1.*\(at test_indexing"):
        ga.one_hot(indices, -1)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_known_label_outside_the_depth_is_an_error_when_the_graph_is_built(label: int) -> None:
    with pytest.raises(IndexRangeError, match=r"one_hot\(.*for an axis of size 3.*\(at test_indexing\.py:\d+\)"):
        ga.one_hot([0, label], 3)


def test_no_labels_have_no_rows() -> None:
    y = ga.input("y", ("batch",), "int64")
    assert ga.compile([y], ga.one_hot(y, 10))(np.zeros(0, int)).shape == (0, 10)
    assert ga.compile([y], ga.one_hot(y, 0))(np.zeros(0, int)).shape == (0, 0)


def test_an_op_without_an_adjoint_says_so() -> None:
    with pytest.raises(TypeError, match="Indexed has no adjoint"):
        Indexed().adjoint(ga.input("cotangent", ()))
