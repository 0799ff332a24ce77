from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.errors import IndexRangeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.tensor_type import TensorType
from graphad.ops.scatter import LastWrite
from tests.autodiff.differences import central_gradient_of, value

backends = pytest.mark.parametrize("backend", ["numpy", "reference"])


@backends
def test_of_several_updates_for_one_place_the_last_one_stays_and_gets_the_cotangent(backend: str) -> None:
    x, i, u = ga.input("x", (4,), "float64"), ga.input("i", (5,), "int64"), ga.input("u", (5,), "float64")
    node = ga.scatter(x, i, u)
    gradients = ga.grad(ga.sum(node * np.array([1.0, 10.0, 100.0, 1000.0])), [x, u])
    function = ga.compile([x, i, u], [node, *gradients], backend=backend)
    found, of_x, of_u = function(np.zeros(4), [2, 0, 2, 3, 2], [1.0, 2.0, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(found, [2, 0, 5, 4])
    np.testing.assert_array_equal(of_x, [0, 10, 0, 0])
    np.testing.assert_array_equal(of_u, [0, 1, 0, 1000, 100])


def test_last_is_last_row_by_row_whatever_the_memory_of_the_indices() -> None:
    places = np.array([[0, 1], [1, 0]])
    for array in (places, np.asfortranarray(places), np.flip(np.flip(places).copy())):
        np.testing.assert_array_equal(LastWrite(2).kernel(array), [[False, False], [True, True]])
        x, i = ga.input("x", (2,), "float64"), ga.input("i", (2, 2), "int64")
        found = ga.compile([x, i], ga.scatter(x, i, np.array([[1.0, 2.0], [3.0, 4.0]])))(np.zeros(2), array)
        np.testing.assert_array_equal(found, [4, 3])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_scatter_is_numpys_assignment(axis: int) -> None:
    x, i, u = ga.input("x", (4, 5), "float64"), ga.input("i", (2,), "uint8"), ga.input("u", (), "float64")
    array = np.arange(20.0).reshape(4, 5)
    expected = array.copy()
    np.moveaxis(expected, axis, 0)[[3, 1]] = -1
    found = ga.compile([x, i, u], ga.scatter(x, i, u, axis))(array, [3, 1], -1.0)
    np.testing.assert_array_equal(found, expected)


def test_what_is_written_over_does_not_leak() -> None:
    x, u = ga.input("x", (3,)), ga.input("u", (2,))
    node = ga.scatter(x, [1, 1], u)
    gradients = ga.grad(ga.sum(node * node), [x, u])
    found, of_x, of_u = ga.compile([x, u], [node, *gradients])([1.0, np.nan, 3.0], [np.inf, 2.0])
    np.testing.assert_array_equal(found, [1, 2, 3])
    np.testing.assert_array_equal(of_x, [2, 0, 6])
    np.testing.assert_array_equal(of_u, [0, 4])


def test_the_second_derivative_of_a_scatter_agrees_with_central_differences() -> None:
    x, u = ga.input("x", (3, 2), "float64"), ga.input("u", (3, 2), "float64")
    node = ga.scatter(x, [[2], [0], [2]], ga.reshape(u, (3, 1, 2)))
    slope = ga.sum(ga.cos(ga.grad(ga.sum(ga.sin(node) * node), u)))
    given = {x: np.linspace(-1, 1, 6).reshape(3, 2), u: np.linspace(0.3, 2, 6).reshape(3, 2)}
    np.testing.assert_allclose(value(ga.grad(slope, u), given), central_gradient_of(slope, u, given), atol=1e-8)


def test_any_dtype_is_written() -> None:
    b = ga.input("b", (3,), "bool")
    np.testing.assert_array_equal(ga.compile([b], ga.scatter(b, [-1, 0], True))([False] * 3), [True, False, True])
    n = ga.input("n", (3,), "int8")
    assert ga.scatter(n, [0], 7).dtype == np.int8


def test_no_index_writes_nothing() -> None:
    x, i = ga.input("x", (3,)), ga.input("i", ("n",), "int64")
    node = ga.scatter(x, i, 5.0)
    found, gradient = ga.compile([x, i], [node, ga.grad(ga.sum(node), x)])([1.0, 2.0, 3.0], np.zeros(0, int))
    np.testing.assert_array_equal(found, [1, 2, 3])
    np.testing.assert_array_equal(gradient, [1, 1, 1])


def test_indices_carry_no_gradient_and_the_last_write_no_tangent() -> None:
    x, i = ga.input("x", (3,)), ga.input("i", (2,), "int64")
    node = ga.scatter(x, i, 5.0)
    assert node.op.vjp(node, node, *node.operands)[2] is None
    gradient = ga.grad(ga.sum(ga.scatter(x, i, x[:2])), x)
    (last,) = [node for node in Graph((x, i), (gradient,)).nodes if isinstance(node.op, LastWrite)]
    assert last.op.jvp((None,), last, i) is None


@backends
@pytest.mark.parametrize("place", [-1, 3])
def test_a_place_outside_the_axis_is_an_error_that_names_the_node_and_the_line(place: int, backend: str) -> None:
    x, i = ga.input("x", ("batch", 3)), ga.input("i", (2,), "int64")
    function = ga.compile([x, i], ga.scatter(x, i, 0.0, axis=1), backend=backend)
    with pytest.raises(IndexRangeError, match=r"scatter\(x: .*axis of size 3.*\(at test_scatter\.py:\d+\)"):
        function(np.ones((2, 3)), [0, place])


def test_what_does_not_fit_is_an_error_that_says_where() -> None:
    x = ga.input("x", ("batch", 3))
    with pytest.raises(IndexRangeError, match=r"scatter\(x: .*index 3 is out of range.*\(at test_scatter\.py:\d+\)"):
        ga.scatter(x, [3], 0.0, axis=1)
    with pytest.raises(ShapeError, match=r"scatter\(x: .*do not broadcast.*\(at test_scatter\.py:\d+\)"):
        ga.scatter(x, [0, 1], np.ones(3), axis=1)
    with pytest.raises(ShapeError, match=r"scatter\(x: .*axis 2 is out of range.*\(at test_scatter\.py:\d+\)"):
        ga.scatter(x, [0], 0.0, axis=2)
    with pytest.raises(ShapeError, match="has no 2 axes of the batch"):
        LastWrite(3, 2).infer(TensorType.of((4,), "int64"))
