from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError, UnreachedError
from graphad.ir.leaves import Constant
from graphad.ir.node import Node
from tests.autodiff.differences import value


def test_filled_arrays_have_the_shape_and_dtype_asked_for() -> None:
    assert str(ga.zeros(3).type) == "float32[3]"
    assert str(ga.ones(("batch", 2), "int8").type) == "int8[batch, 2]"
    assert str(ga.zeros((), "bool").type) == "bool[]"
    assert str(ga.full((2,), 3).type) == "int64[2]"
    assert str(ga.full((2,), 3, "float64").type) == "float64[2]"
    assert str(ga.full(("n", 2), [0.5, 1.5]).type) == "float32[n, 2]"
    for node, expected in ((ga.zeros((2, 3)), 0), (ga.ones((0, 3)), 1), (ga.full((2,), True), True)):
        np.testing.assert_array_equal(value(node), np.full(node.type.static_shape, expected))


@pytest.mark.parametrize("dtype", ["float64", "int8", "bool"])
def test_what_is_like_another_has_its_shape_and_its_dtype_or_another(dtype: str) -> None:
    x, array = ga.input("x", ("batch", 3), dtype), np.ones((2, 3), dtype)
    functions: list[Callable[..., Any]] = [np.zeros_like, np.ones_like, lambda x, dtype=None: np.full_like(x, 1, dtype)]
    for function in functions:
        found = ga.compile([x], [function(x), function(x, dtype="float32")])(array)
        for mine, expected in zip(found, (function(array), function(array, dtype="float32")), strict=True):
            assert mine.dtype == expected.dtype
            np.testing.assert_array_equal(mine, expected)


def test_a_fill_is_cast_to_the_dtype_as_numpys() -> None:
    n = ga.input("n", (2,), "int64")
    np.testing.assert_array_equal(ga.compile([n], np.full_like(n, 2.5))([1, 2]), [2, 2])


def test_a_fill_that_is_a_node_has_a_gradient_and_the_model_has_none() -> None:
    x, v = ga.input("x", (2, 3), "float64"), ga.input("v", (), "float64")
    loss = ga.sum(ga.full_like(x, v) ** 2)
    assert value(ga.grad(loss, v), {x: np.ones((2, 3)), v: np.array(2.0)}) == 24
    with pytest.raises(UnreachedError):
        ga.grad(loss, x)


@pytest.mark.parametrize("arguments", [(3,), (3, 5), (3, None, 1), (2, 4, -1), (4, 2, 5), (0, 3)], ids=str)
def test_the_identity_is_numpys(arguments: Any) -> None:
    found = value(ga.eye(*arguments))
    np.testing.assert_array_equal(found, np.eye(*arguments))
    assert found.dtype == np.float32
    assert value(ga.eye(2, dtype="bool")).dtype == bool


def test_the_identity_may_have_a_named_size() -> None:
    x = ga.input("x", ("n", 2), "float64")
    function = ga.compile([x], ga.eye(x.shape[0], dtype="float64") @ x)
    for n in (0, 1, 4):
        np.testing.assert_array_equal(function(np.full((n, 2), 3.0)), np.full((n, 2), 3.0))


@pytest.mark.parametrize(
    "arguments", [(5,), (2, 5), (5, 2), (5, 2, -1), (0.5,), (1, 2, 0.25), (0,), (np.int8(3),)], ids=str
)
def test_counting_is_numpys_as_a_constant(arguments: Any) -> None:
    node, expected = ga.arange(*arguments), np.arange(*arguments)
    assert isinstance(node.op, Constant)
    np.testing.assert_array_equal(value(node), expected)
    assert node.dtype == (np.float32 if expected.dtype.kind == "f" else expected.dtype)
    assert ga.arange(3, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("shapes", [(), ((2,),), ((2,), (3,)), ((2,), (), (4,)), ((0,), (3,), (2,))], ids=str)
def test_a_grid_is_numpys(shapes: tuple[tuple[int, ...], ...], indexing: Any) -> None:
    arrays = [np.arange(float(np.prod(shape))).reshape(shape) for shape in shapes]
    nodes = [ga.input(f"x{i}", shape, "float64") for i, shape in enumerate(shapes)]
    found, expected = ga.meshgrid(*nodes, indexing=indexing), np.meshgrid(*arrays, indexing=indexing)
    assert len(found) == len(expected)
    for mine, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value(mine, dict(zip(nodes, arrays, strict=True))), wanted)
    grid: Callable[..., Any] = np.meshgrid
    if nodes:
        assert [one.shape for one in grid(*nodes, indexing=indexing)] == [one.shape for one in found]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ga.zeros((2, -1)), ShapeError, r"zeros\(\(2, -1\)\): .*got -1"),
        (lambda: ga.ones((2,), "complex64"), DTypeError, r"ones\(.*complex64 is not supported"),
        (lambda: ga.full((2,), np.ones(3)), ShapeError, "does not broadcast"),
        (lambda: ga.eye(2, k=0.5), DTypeError, r"eye\(2, k=0.5\): .*got 0.5"),  # type: ignore[arg-type]
        (lambda: ga.eye("n", "m"), ShapeError, "no known length"),
        (lambda: ga.arange(0, 3, 0), ShapeError, r"arange\(0, 3, 0\): a step of 0"),
        (lambda: ga.arange(ga.input("n", (), "int64")), ArgumentError, "known now"),  # type: ignore[arg-type]
        (lambda: ga.meshgrid(ga.input("x", (2, 2))), ShapeError, "made of vectors"),
        (lambda: ga.meshgrid([1.0], indexing="yx"), ArgumentError, "got 'yx'"),
    ],
)
def test_what_cannot_be_filled_is_an_error_that_says_where(
    call: Callable[[], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"{text}.*\(at test_filled\.py:\d+\)"):
        call()
