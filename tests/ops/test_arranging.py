from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.arranging import Roll
from graphad.ops.structure import Sum
from tests.autodiff.differences import value

CUBE = np.arange(24.0).reshape(4, 3, 2)

CALLS: list[Callable[[Any], Any]] = [
    lambda x: np.roll(x, 5),
    lambda x: np.roll(x, -1, 0),
    lambda x: np.roll(x, 7, axis=-1),
    lambda x: np.roll(x, (1, -2), (0, 1)),
    lambda x: np.roll(x, 1, (0, 2)),
    lambda x: np.roll(x, (1, 2), 1),
    lambda x: np.roll(x, (1, 2), (1, 1)),
    lambda x: np.roll(x, np.array([3, 1]), (0, -1)),
    np.flip,
    lambda x: np.flip(x, 1),
    lambda x: np.flip(x, (0, -1)),
    lambda x: np.flip(x, ()),
    np.rot90,
    lambda x: np.rot90(x, 2),
    lambda x: np.rot90(x, -1, (1, 2)),
    lambda x: np.rot90(x, 4, (0, 2)),
    lambda x: np.rot90(x, 3, axes=(-1, 0)),
    lambda x: np.repeat(x, 3),
    lambda x: np.repeat(x, 0, axis=1),
    lambda x: np.repeat(x, [2], axis=1),
    lambda x: np.repeat(x, [2, 0, 1], axis=-2),
    lambda x: np.repeat(x, np.array([1, 3]), axis=2),
    lambda x: np.tile(x, 2),
    lambda x: np.tile(x, (2, 1, 3)),
    lambda x: np.tile(x, (2, 1)),
    lambda x: np.tile(x, (5, 1, 1, 2)),
    lambda x: np.tile(x, 0),
    lambda x: np.tile(x, ()),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_numpys_functions_of_nodes_are_numpys(number: int) -> None:
    x = ga.input("x", CUBE.shape, "float64")
    node, expected = CALLS[number](x), CALLS[number](CUBE)
    assert isinstance(node, Node)
    assert node.shape == expected.shape
    np.testing.assert_array_equal(ga.compile([x], node)(CUBE), expected)


@pytest.mark.parametrize("dtype", ["int8", "bool", "float32"])
def test_elements_of_any_dtype_are_arranged(dtype: str) -> None:
    array = CUBE.astype(dtype)
    x = ga.input("x", array.shape, dtype)
    for call in CALLS:
        np.testing.assert_array_equal(value(call(x), {x: array}), call(array))
        assert call(x).dtype == dtype


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,)])
def test_there_may_be_no_element_or_one(shape: tuple[int, ...]) -> None:
    array, x = np.ones(shape), ga.input("x", shape, "float64")
    calls: list[Callable[[Any], Any]] = [lambda x: np.roll(x, 2), np.flip, lambda x: np.repeat(x, 2)]
    for call in calls:
        np.testing.assert_array_equal(ga.compile([x], call(x))(array), call(array))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_a_named_axis_is_rolled_flipped_and_repeated_at_the_call(n: int) -> None:
    x = ga.input("x", ("n", 3), "float64")
    array = np.arange(3.0 * n).reshape(n, 3)
    calls: list[Callable[[Any], Any]] = [
        lambda x: np.roll(x, 3, 0),
        lambda x: np.roll(x, -7),
        lambda x: np.flip(x, 0),
        lambda x: np.repeat(x, 2, 0),
        lambda x: np.tile(x, (2, 1)),
    ]
    for call in calls:
        np.testing.assert_array_equal(ga.compile([x], call(x))(array), call(array))


def test_repeats_and_tiles_may_be_a_named_number() -> None:
    x, y = ga.input("x", ("n",), "float64"), ga.input("y", (2,), "float64")
    n = x.shape[0]
    function = ga.compile([x, y], [ga.repeat(y, n), ga.tile(y, n), ga.tile(y, (n, 1))])
    found = function(np.ones(3), np.array([1.0, 2.0]))
    for mine, expected in zip(found, [[1, 1, 1, 2, 2, 2], [1, 2, 1, 2, 1, 2], [[1, 2]] * 3], strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_the_gradient_of_copies_is_one_sum() -> None:
    x = ga.input("x", (3,))
    for copies in (ga.repeat(x, 4), ga.tile(x, 4)):
        gradient = ga.grad(ga.sum(copies * copies), x)
        assert sum(isinstance(node.op, Sum) for node in Graph((x,), (gradient,)).nodes) == 1
        np.testing.assert_array_equal(value(gradient, {x: np.array([1, 2, 3], np.float32)}), [8, 16, 24])


def test_rolls_that_undo_each_other_do() -> None:
    x = ga.input("x", (5, 3), "float64")
    array = np.arange(15.0).reshape(5, 3)
    np.testing.assert_array_equal(value(ga.roll(ga.roll(x, (2, -4), (0, 1)), (-2, 4), (0, 1)), {x: array}), array)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.roll(x, 1, 2), ShapeError, "axis 2 is out of range"),
        (lambda x: ga.roll(x, (1, 2, 3), (0, 1)), ShapeError, "3 shifts for 2 axes"),
        (lambda x: ga.roll(x, 1.0), DTypeError, "a shift is an integer; got 1.0"),
        (lambda x: ga.roll(x, ga.input("s", (), "int64"), 0), ArgumentError, "known when the graph is built"),
        (lambda x: ga.flip(x, (0, 0)), ShapeError, "twice"),
        (lambda x: ga.flip(x, 1.5), DTypeError, "an axis is an integer"),
        (lambda x: ga.rot90(x, axes=(0, 0)), ShapeError, "two different axes"),
        (lambda x: ga.rot90(x, 1.5), DTypeError, "the number of turns is an integer"),  # type: ignore[arg-type]
        (lambda x: ga.repeat(x, [1, 2], 0), ShapeError, "2 repeats for an axis of size 3"),
        (lambda x: ga.repeat(x, [1, -2, 0], 0), ShapeError, "not negative; got -2"),
        (lambda x: ga.repeat(x, -1), ShapeError, "got -1"),
        (lambda x: ga.repeat(x, ga.input("r", (3,), "int64"), 0), GraphadError, "got <r: int64"),
        (lambda x: ga.tile(x, (1.5,)), ShapeError, "got 1.5"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_where(
    call: Callable[[Node], Node], error: type[GraphadError], text: str
) -> None:
    x = ga.input("x", (3, 4))
    with pytest.raises(error, match=rf"\(x: float32\[3, 4\].*{text}.*\(at test_arranging\.py:\d+\)"):
        call(x)


def test_the_op_itself_refuses_what_does_not_fit() -> None:
    for op in (Roll((1,), (2,)), Roll((1, 2), (0,))):
        with pytest.raises(ShapeError, match="do not fit"):
            op.infer(TensorType.of((3, 4)))
