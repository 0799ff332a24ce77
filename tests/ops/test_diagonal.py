from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, GraphadError, ShapeError
from graphad.ir.node import Node
from graphad.ir.tensor_type import Dim, TensorType
from graphad.ops.diagonal import Diagonal, DiagonalMatrix, Tril, diagonal_length
from tests.autodiff.differences import value

offsets = pytest.mark.parametrize("offset", [-9, -3, -1, 0, 1, 2, 9])
SHAPES = [(3, 4), (4, 3), (5, 5), (1, 3), (0, 2)]


@offsets
@pytest.mark.parametrize("shape", SHAPES)
def test_diagonals_and_triangles_are_numpys(shape: tuple[int, int], offset: int) -> None:
    array = np.arange(float(np.prod(shape))).reshape(shape)
    x = ga.input("x", shape, "float64")
    functions: list[Callable[..., Any]] = [np.diagonal, np.diag, np.tril, np.triu, np.trace]
    for function in functions:
        node, expected = function(x, offset), function(array, offset)
        assert node.shape == expected.shape
        np.testing.assert_array_equal(ga.compile([x], node)(array), expected)


@offsets
def test_a_vector_becomes_numpys_matrix(offset: int) -> None:
    v = ga.input("v", (3,), "float64")
    np.testing.assert_array_equal(ga.compile([v], np.diag(v, offset))(np.arange(3.0)), np.diag(np.arange(3.0), offset))


@pytest.mark.parametrize(("axis1", "axis2"), [(0, 1), (1, 0), (0, 2), (-1, 1), (2, -3)])
def test_any_two_axes_hold_matrices(axis1: int, axis2: int) -> None:
    array = np.arange(60.0).reshape(3, 4, 5)
    x = ga.input("x", (3, 4, 5), "float64")
    functions: list[Callable[..., Any]] = [np.diagonal, np.trace]
    for function in functions:
        found = value(function(x, 1, axis1, axis2), {x: array})
        np.testing.assert_array_equal(found, function(array, 1, axis1, axis2))


def test_triangles_of_stacks_of_matrices_are_numpys() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    x = ga.input("x", ("batch", 3, 4), "float64")
    for mine, expected in ((ga.tril(x, 1), np.tril(array, 1)), (ga.triu(x, 1), np.triu(array, 1))):
        np.testing.assert_array_equal(ga.compile([x], mine)(array), expected)


def test_what_is_cut_off_does_not_leak() -> None:
    x = ga.input("x", (2, 2))
    array = np.array([[1, np.nan], [np.inf, 2]], np.float32)
    np.testing.assert_array_equal(ga.compile([x], ga.tril(x))(array), [[1, 0], [np.inf, 2]])
    np.testing.assert_array_equal(ga.compile([x], ga.triu(x, 1))(array), [[0, np.nan], [0, 0]])
    gradient = ga.compile([x], ga.grad(ga.sum(ga.tril(x)), x))(array)
    np.testing.assert_array_equal(gradient, [[1, 0], [1, 1]])


@pytest.mark.parametrize("dtype", ["int8", "bool", "float32"])
def test_matrices_may_be_of_any_dtype(dtype: str) -> None:
    array = np.array([[1, 0], [1, 1]], dtype)
    x = ga.input("x", (2, 2), dtype)
    functions: list[Callable[..., Any]] = [np.tril, np.triu, np.diag]
    for function in functions:
        np.testing.assert_array_equal(value(function(x), {x: array}), function(array))
        assert function(x).dtype == dtype


def test_named_sizes_tell_the_length_of_a_diagonal_where_they_can() -> None:
    n = Dim.named("n")
    assert diagonal_length(n, n, 0) == n
    assert diagonal_length(n, n, -2) == diagonal_length(n, n, 2) == n - 2
    assert diagonal_length(n, n + 3, 1) == diagonal_length(n + 3, n, 0) == n
    assert str(ga.diagonal(ga.input("x", ("n", "n", 3)), 1).type) == "float32[3, n - 1]"
    m = ga.input("m", ("n", "n"), "float64")
    np.testing.assert_array_equal(ga.compile([m], ga.grad(ga.trace(m), m))(np.ones((3, 3))), np.eye(3))
    with pytest.raises(ShapeError, match=r"n rows and 3 columns.*declare"):
        diagonal_length(n, 3, 0)
    assert ga.compile([m], ga.diagonal(m, 2))(np.ones((1, 1))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.diagonal(x, axis1=0, axis2=-2), ShapeError, "two different axes; got 0 and 0"),
        (lambda x: ga.diagonal(x, axis2=2), ShapeError, "axis 2 is out of range"),
        (lambda x: ga.diagonal(x[0]), ShapeError, "axis 1 is out of range"),
        (lambda x: ga.diagonal(x, 1.5), DTypeError, "named by an integer; got 1.5"),  # type: ignore[arg-type]
        (ga.diagonal, ShapeError, "no known length: declare"),
        (lambda x: ga.diag(x[None]), ShapeError, "a vector or a matrix.*has 3 axes"),
        (lambda x: ga.tril(x[0]), ShapeError, "two axes are needed"),
        (lambda x: ga.triu(x, None), DTypeError, "named by an integer; got None"),  # type: ignore[arg-type]
    ],
)
def test_what_has_no_diagonal_is_an_error_that_says_where(
    call: Callable[[Any], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"float32\[.*{text}.*\(at test_diagonal\.py:\d+\)"):
        call(ga.input("x", (3, "n")))


def test_the_ops_themselves_refuse_what_does_not_fit() -> None:
    x = TensorType.of((3, 4))
    with pytest.raises(ShapeError, match="two different axes"):
        Diagonal(0, 0, 2).infer(x)
    with pytest.raises(ShapeError, match=r"diagonal 1 of a matrix of shape \(4, 4\) has 3 elements"):
        DiagonalMatrix((4, 4), 1, 0, 1).infer(x)
    with pytest.raises(ShapeError, match="two different axes"):
        DiagonalMatrix((4, 4), 0, 1, 1).infer(x)
    with pytest.raises(ShapeError, match="has 1"):
        Tril(0).infer(TensorType.of((3,)))
