from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import GraphadError, ShapeError
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


def test_zeros_like_have_the_type_of_their_model() -> None:
    for x in (ga.input("x", ("batch", 3)), ga.input("n", (2,), "int8"), ga.input("s", (), "float64")):
        assert ga.zeros_like(x).type == x.type
    assert not value(ga.zeros_like(np.ones((2, 3)))).any()
