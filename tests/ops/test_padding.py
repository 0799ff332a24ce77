from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.padding import Pad
from tests.autodiff.differences import value

TABLE = np.arange(1.0, 13.0).reshape(3, 4)
WIDTHS = [0, 2, (1, 2), [(1, 2)], ((0, 1), (2, 0)), [[3], [1]], np.array([[1, 0], [0, 2]]), {1: 2}, {-2: (0, 3), 1: 1}]
forms = pytest.mark.parametrize("width", WIDTHS, ids=str)


@forms
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
def test_padding_is_numpys(mode: Any, width: Any) -> None:
    x = ga.input("x", TABLE.shape, "float64")
    node, expected = np.pad(x, width, mode), np.pad(TABLE, width, mode)
    assert node.shape == expected.shape
    np.testing.assert_array_equal(ga.compile([x], node)(TABLE), expected)


@pytest.mark.parametrize("values", [7, -0.5, np.float64(2), (1, 2), ((1, 2), (3, 4)), np.array([[5.0], [6.0]])])
def test_constants_for_the_sides_are_numpys_and_the_last_axis_has_the_corners(values: Any) -> None:
    x = ga.input("x", TABLE.shape, "float64")
    expected = np.pad(TABLE, ((1, 2), (2, 1)), constant_values=values)
    np.testing.assert_array_equal(ga.compile([x], np.pad(x, ((1, 2), (2, 1)), constant_values=values))(TABLE), expected)


def test_padding_with_infinity_or_nan_leaves_the_inside_and_its_gradient_alone() -> None:
    x = ga.input("x", (2,))
    for fill in (np.inf, -np.inf, np.nan):
        padded = ga.pad(x, 1, constant_values=fill)
        function = ga.compile([x], [padded, ga.grad(ga.sum(padded[1:-1] ** 2), x)])
        found, gradient = function([3.0, 4.0])
        np.testing.assert_array_equal(found, np.array([fill, 3, 4, fill], np.float32))
        np.testing.assert_array_equal(gradient, [6, 8])


def test_the_fill_has_a_gradient_which_counts_what_is_around() -> None:
    x, fill = ga.input("x", ("n", 3), "float64"), ga.input("fill", (), "float64")
    padded = ga.pad(x, ((0, 1), (2, 0)), constant_values=fill)
    function = ga.compile([x, fill], ga.grad(ga.sum(padded * padded), fill))
    assert function(np.full((2, 3), np.inf), 0.5) == 9


def test_integers_are_padded_with_integers_and_a_float_makes_them_floats() -> None:
    n = ga.input("n", (2,), "int8")
    assert ga.pad(n, 1).dtype == np.int8
    assert ga.pad(n, 1, "edge").dtype == np.int8
    assert ga.pad(n, 1, constant_values=0.5).dtype == np.float32
    assert ga.pad(ga.input("b", (2,), "bool"), 1, constant_values=True).dtype == bool


def test_named_sizes_grow() -> None:
    x = ga.input("x", ("n", 3))
    assert str(ga.pad(x, ((1, 2), (0, 0))).type) == "float32[n + 3, 3]"
    assert str(ga.pad(x, {1: 1}, mode="wrap").type) == "float32[n, 5]"


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)])
def test_there_may_be_nothing_inside(shape: tuple[int, ...]) -> None:
    x, array = ga.input("x", shape, "float64"), np.ones(shape)
    for width in (0, 2) if shape else (0,):
        np.testing.assert_array_equal(value(ga.pad(x, width), {x: array}), np.pad(array, width))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ga.pad(x, -1), ShapeError, "not negative; got -1: to cut, use a slice"),
        (lambda x: ga.pad(x, (1, 2, 3)), ShapeError, "no pair for each of 2 axes"),
        (lambda x: ga.pad(x, 1.5), DTypeError, "are integers; got 1.5"),
        (lambda x: ga.pad(x, True), DTypeError, "are integers; got True"),
        (lambda x: ga.pad(x, {2: 1}), ShapeError, "axis 2 is out of range"),
        (lambda x: ga.pad(x, 1, "mean"), ArgumentError, "mode is one of constant, edge.*got 'mean'"),
        (lambda x: ga.pad(x, 1, "edge"), ShapeError, "axis 0, which is n: declare it"),
        (lambda x: ga.pad(x[:0], 1, "edge"), ShapeError, "nothing to repeat along axis 0"),
        (lambda x: ga.pad(x, 1, constant_values=x), ShapeError, "a fill is one number"),
    ],
)
def test_what_cannot_be_padded_is_an_error_that_says_where(
    call: Callable[[Any], Node], error: type[GraphadError], text: str
) -> None:
    with pytest.raises(error, match=rf"pad\(.*float32\[.*{text}.*\(at test_padding\.py:\d+\)"):
        call(ga.input("x", ("n", 3)))


def test_the_op_itself_refuses_what_does_not_fit() -> None:
    x, number = TensorType.of((3, 4)), TensorType.of(())
    with pytest.raises(ShapeError, match="1 pairs of widths for 2 axes"):
        Pad(((1, 1),)).infer(x, number)
    for fill in (TensorType.of((), "float64"), TensorType.of((4,)), TensorType.of((3,))):
        with pytest.raises(ShapeError, match="does not fit"):
            Pad(((1, 0), (0, 0))).infer(x, fill)
