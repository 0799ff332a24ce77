from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, GraphadError, ShapeError
from graphad.ir.node import Node
from tests.autodiff.differences import value, values


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((6, 20), "[6, 20]"),
        (-1, "[120]"),
        ((4, -1), "[4, 30]"),
        ((-1, 4, 5), "[6, 4, 5]"),
        ([2, 3, 4, 5], "[2, 3, 4, 5]"),
    ],
)
def test_a_reshape_finds_the_size_that_is_left(given: Any, expected: str) -> None:
    x = ga.input("x", (2, 3, 4, 5), "float64")
    array = np.arange(120.0).reshape(2, 3, 4, 5)
    assert str(ga.reshape(x, given).type) == f"float64{expected}"
    np.testing.assert_array_equal(value(ga.reshape(x, given), {x: array}), array.reshape(given))


def test_a_reshape_finds_a_named_size_that_is_left() -> None:
    x = ga.input("x", ("batch", 4, 6))
    assert str(x.reshape(-1, 24).type) == "float32[batch, 24]"
    assert str(x.reshape(-1).type) == "float32[24*batch]"
    assert str(x.reshape("batch", -1).type) == "float32[batch, 24]"
    assert str(x.reshape(-1, 3).type) == "float32[8*batch, 3]"
    assert x.reshape("batch", 4, 6) is x


@pytest.mark.parametrize(
    ("shape", "error"), [((-1, -1), ShapeError), ((-1, 7), ShapeError), ((5, 5), ShapeError), ((2.0, 3), ShapeError)]
)
def test_a_reshape_that_cannot_be_is_an_error_that_says_where(shape: Any, error: type[GraphadError]) -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(error, match=r"reshape\(x: float32\[2, 3\].*\(at test_shaping\.py:\d+\)"):
        ga.reshape(x, shape)


def test_axes_are_added_dropped_and_exchanged_as_in_numpy() -> None:
    x = ga.input("x", (2, 1, 3), "float64")
    array = np.arange(6.0).reshape(2, 1, 3)
    pairs: list[tuple[Node, Any]] = [
        (ga.expand_dims(x, -1), np.expand_dims(array, -1)),
        (ga.expand_dims(x, 0), np.expand_dims(array, 0)),
        (ga.squeeze(x, 1), np.squeeze(array, 1)),
        (ga.squeeze(x, -2), np.squeeze(array, -2)),
        (x.T, array.T),
        (ga.transpose(x, (1, -1, 0)), array.transpose(1, -1, 0)),
        (ga.broadcast_to(x, (5, 2, 4, 3)), np.broadcast_to(array, (5, 2, 4, 3))),
    ]
    for found, (node, expected) in zip(values([node for node, _ in pairs], {x: array}), pairs, strict=True):
        assert node.shape == expected.shape
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 2, 3, -4])
def test_only_an_axis_of_size_one_is_squeezed(axis: int) -> None:
    x = ga.input("x", (2, 1, 3))
    with pytest.raises(ShapeError, match=r"squeeze\(x: .*\(at test_shaping\.py:\d+\)"):
        ga.squeeze(x, axis)


SHAPES: list[tuple[int, ...]] = [(2, 1, 3), (1,), (), (0, 4, 1)]
CALLS: list[Callable[[Any], Any]] = [
    np.ravel,
    np.squeeze,
    np.copy,
    np.transpose,
    np.atleast_1d,
    np.atleast_2d,
    lambda x: np.expand_dims(x, 0),
    lambda x: np.expand_dims(x, (0, -1)),
    lambda x: np.expand_dims(x, cast(Any, [1, 0])),
    lambda x: np.expand_dims(x, ()),
    lambda x: np.broadcast_to(x, (5, *x.shape)),
    lambda x: np.moveaxis(x, (), ()),
    lambda x: np.squeeze(x, ()),
]
CALLS_OF_THREE_AXES: list[Callable[[Any], Any]] = [
    lambda x: np.swapaxes(x, 0, -1),
    lambda x: np.swapaxes(x, 1, 1),
    lambda x: np.moveaxis(x, 0, -1),
    lambda x: np.moveaxis(x, -1, 0),
    lambda x: np.moveaxis(x, (0, 1), (-1, -2)),
    lambda x: np.moveaxis(x, [2, 0, 1], [0, 1, 2]),
    lambda x: np.squeeze(x, axis=(1,)),
    lambda x: np.reshape(x, (3, -1)),
    lambda x: np.transpose(x, (2, 0, 1)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("number", range(len(CALLS)))
def test_numpys_functions_of_nodes_of_any_rank_are_numpys(number: int, shape: tuple[int, ...]) -> None:
    x, array = ga.input("x", shape, "float64"), np.arange(float(np.prod(shape))).reshape(shape)
    node, expected = CALLS[number](x), CALLS[number](array)
    assert node.shape == expected.shape
    np.testing.assert_array_equal(ga.compile([x], node)(array), expected)


@pytest.mark.parametrize("number", range(len(CALLS_OF_THREE_AXES)))
def test_numpys_functions_of_axes_are_numpys(number: int) -> None:
    x, array = ga.input("x", (2, 1, 3), "float64"), np.arange(6.0).reshape(2, 1, 3)
    node, expected = CALLS_OF_THREE_AXES[number](x), CALLS_OF_THREE_AXES[number](array)
    np.testing.assert_array_equal(ga.compile([x], node)(array), expected)


def test_several_operands_give_a_tuple() -> None:
    x, y = ga.input("x", (3,)), ga.input("y", ("n", 1))
    assert [node.shape for node in ga.broadcast_arrays(x, y)] == [(y.shape[0], 3)] * 2
    assert ga.broadcast_arrays() == ()
    assert [node.shape for node in np.broadcast_arrays(x, y)] == [(y.shape[0], 3)] * 2
    first, second = ga.atleast_2d(x, 5.0)
    assert (first.shape, second.shape) == ((1, 3), (1, 1))


def test_a_named_size_is_not_squeezed_though_it_may_be_one() -> None:
    x = ga.input("x", ("batch", 1, 3))
    assert str(ga.squeeze(x).type) == "float32[batch, 3]"
    assert ga.compile([x], ga.squeeze(x))(np.ones((1, 1, 3))).shape == (1, 3)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,)])
def test_of_no_elements_a_size_is_found_unless_it_could_be_any(shape: tuple[int, ...]) -> None:
    x = ga.input("x", shape)
    assert ga.reshape(x, (5, -1)).shape == (5, 0)
    assert ga.reshape(x, -1).shape == (0,)
    with pytest.raises(ShapeError, match=r"the size 0 cannot be divided by 0.*\(at test_shaping\.py:\d+\)"):
        ga.reshape(x, (0, -1))


def test_a_shape_may_be_an_array_and_of_sizes_of_another_node() -> None:
    x = ga.input("x", ("batch", 4, 6))
    assert x.reshape(x.shape[0], -1).shape == (x.shape[0], 24)
    assert ga.reshape(x[0], np.array([6, 4])).shape == (6, 4)
    assert ga.reshape(x[0], np.int64(24)).shape == (24,)
    assert x[0, 0, 0].reshape(()).shape == ()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.swapaxes(x, 0, 3), ShapeError, "axis 3 is out of range"),
        (lambda x: ga.moveaxis(x, 0, 3), ShapeError, "axis 3 is out of range"),
        (lambda x: ga.moveaxis(x, (0, 1), 0), ShapeError, "2 axes cannot move to 1 places"),
        (lambda x: ga.moveaxis(x, (0, 0), (0, 1)), ShapeError, "names one axis twice"),
        (lambda x: ga.moveaxis(x, (0, 1), (1, -2)), ShapeError, "names one axis twice"),
        (lambda x: ga.expand_dims(x, 4), ShapeError, "axis 4 is out of range"),
        (lambda x: ga.expand_dims(x, (0, 0)), ShapeError, "names one axis twice"),
        (lambda x: ga.expand_dims(x, None), DTypeError, "an axis is an integer"),
        (lambda x: ga.squeeze(x, (1, 2)), ShapeError, "axis 2 has size 3, not 1"),
        (lambda x: ga.reshape(x, (2, x)), ShapeError, "a size is an integer >= 0 or a name"),
        (lambda x: ga.reshape(x, True), ShapeError, "got True"),
        (lambda x: ga.broadcast_to(x, (2, 4, -3)), ShapeError, "got -3"),
    ],
)
def test_a_shape_that_cannot_be_is_an_error_that_says_where(
    call: Callable[[Any], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"\(x: float32\[2, 1, 3\].*{text}.*\(at test_shaping\.py:\d+\)"):
        call(ga.input("x", (2, 1, 3)))


def test_zeros_like_have_the_type_of_their_model() -> None:
    for x in (ga.input("x", ("batch", 3)), ga.input("n", (2,), "int8"), ga.input("s", (), "float64")):
        assert ga.zeros_like(x).type == x.type
    assert not value(ga.zeros_like(np.ones((2, 3)))).any()
