from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.slicing import Assemble
from tests.autodiff.differences import value, values

TABLE = np.arange(30.0).reshape(5, 6)


@pytest.mark.parametrize("function", [np.vstack, np.hstack, np.dstack, np.column_stack, np.concatenate, np.stack])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
def test_numpys_functions_join_nodes_as_arrays(function: Callable[..., Any], shape: tuple[int, ...]) -> None:
    if function is np.concatenate and shape == ():
        return
    x, array = ga.input("x", shape, "float64"), np.arange(float(np.prod(shape))).reshape(shape)
    node, expected = function([x, x, array]), function([array, array, array])
    np.testing.assert_array_equal(ga.compile([x], node)(array), expected)
    assert node.shape == expected.shape


def test_parts_are_promoted_to_one_dtype() -> None:
    n, x = ga.input("n", (2,), "int8"), ga.input("x", (2,))
    for function in (ga.vstack, ga.hstack, ga.dstack, ga.column_stack):
        assert function([n, x]).dtype == np.float32
        assert function([n, n]).dtype == np.int8


def test_flattened_parts_are_joined_without_an_axis() -> None:
    x = ga.input("x", (5, 6), "float64")
    join: Callable[..., Any] = np.concatenate
    np.testing.assert_array_equal(value(join([x, x[0]], axis=None), {x: TABLE}), [*TABLE.flat, *TABLE[0]])


@pytest.mark.parametrize("function", [np.split, np.array_split])
@pytest.mark.parametrize("places", [1, 3, [2], [1, 1, 4], [4, 2], [-2], [9], [-9, 2], [], np.array([1, 3])])
def test_a_split_is_numpys(function: Callable[..., Any], places: Any) -> None:
    x = ga.input("x", TABLE.shape, "float64")
    nodes, expected = function(x, places, axis=1), function(TABLE, places, axis=1)
    assert len(nodes) == len(expected)
    for found, wanted in zip(ga.compile([x], nodes)(TABLE), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7])
def test_unequal_parts_are_numpys(count: int) -> None:
    x = ga.input("x", TABLE.shape, "float64")
    found = values(ga.array_split(x, count), {x: TABLE})
    for mine, wanted in zip(found, np.array_split(TABLE, count), strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_a_named_axis_is_split_into_equal_parts_or_at_places() -> None:
    x = ga.input("x", ("batch", 4))
    doubled = ga.repeat(x, 2, axis=0)
    assert [str(part.type) for part in ga.split(doubled, 2)] == ["float32[batch, 4]"] * 2
    assert [str(part.type) for part in ga.split(x, [1, 3])] == [
        "float32[1, 4]",
        "float32[2, 4]",
        "float32[batch - 3, 4]",
    ]
    named = ga.split(ga.concatenate([x, x[:1]]), sizes=(1, x.shape[0]))
    assert [part.shape for part in named] == [(1, 4), x.shape]
    array = np.arange(8.0, dtype=np.float32).reshape(2, 4)
    np.testing.assert_array_equal(ga.compile([x], named)(array)[1], array[[1, 0]])


def test_parts_of_a_split_get_one_assembled_cotangent() -> None:
    x = ga.input("x", (6,), "float64")
    total: Any = 0.0
    for number, part in enumerate(ga.split(x, sizes=(1, 2, 3))):
        total = total + ga.sum(part) * float(number)
    gradient = ga.grad(total, x)
    assert isinstance(gradient.op, Assemble)
    assert sum(isinstance(node.op, Assemble) for node in Graph((x,), (gradient,)).nodes) == 1
    np.testing.assert_array_equal(value(gradient, {x: np.zeros(6)}), [0, 1, 1, 2, 2, 2])


def test_unstack_undoes_stack() -> None:
    x = ga.input("x", ("batch", 3, 2), "float64")
    array = np.arange(24.0).reshape(4, 3, 2)
    parts = ga.unstack(x, axis=-1)
    assert [part.shape for part in parts] == [(x.shape[0], 3)] * 2
    np.testing.assert_array_equal(ga.compile([x], ga.stack(parts, axis=-1))(array), array)
    assert ga.unstack(ga.input("e", (0, 2))) == ()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.split(x, 4), ShapeError, "6 is not divisible by 4"),
        (lambda x: ga.split(x, 0), ShapeError, "one part at least, not 0"),
        (lambda x: ga.array_split(x, -1), ShapeError, "one part at least, not -1"),
        (lambda x: ga.array_split(x, 2**62), ShapeError, "4611686018427387904 are too many"),
        (lambda x: np.array_split(x, 2**62), ShapeError, "are too many"),
        (lambda x: ga.split(x, 2**62, axis=1), ShapeError, "are too many"),
        (lambda x: ga.split(x, 1.5), DTypeError, "an integer; got 1.5"),
        (lambda x: ga.split(x, [0.5]), DTypeError, r"are integers; got \[0.5\]"),
        (lambda x: ga.split(x, 2, axis=2), ShapeError, "axis 2 is out of range"),
        (ga.split, ArgumentError, "give one of them"),
        (lambda x: ga.split(x, 2, sizes=(3, 3)), ArgumentError, "give one of them"),
        (lambda x: ga.split(x, sizes=(3, 4)), ShapeError, "add up to 7, not to 6"),
        (lambda x: ga.array_split(x, 2, axis=1), ShapeError, "size, which is batch: declare it"),
        (lambda x: ga.unstack(x, axis=1), ShapeError, "axis 1 has size batch: declare it"),
    ],
)
def test_what_cannot_be_split_is_an_error_that_says_where(
    call: Callable[[Node], Any], error: type[GraphadError], text: str
) -> None:
    x = ga.input("x", (6, "batch"))
    with pytest.raises(error, match=rf"\(x: float32\[6, batch\].*{text}.*\(at test_joining\.py:\d+\)"):
        call(x)


@pytest.mark.parametrize("function", [ga.vstack, ga.hstack, ga.dstack, ga.column_stack])
def test_parts_that_cannot_be_joined_are_an_error_that_says_where(function: Callable[..., Node]) -> None:
    x, y = ga.input("x", (2, 3)), ga.input("y", (4, 5))
    with pytest.raises(ShapeError, match=r"must agree in every axis but.*\(at test_joining\.py:\d+\)"):
        function([x, y])
    with pytest.raises(ShapeError, match=r"nothing to join.*\(at test_joining\.py:\d+\)"):
        function([])
