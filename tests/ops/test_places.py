import numpy as np
import pytest

import graphad as ga
from graphad.errors import ShapeError
from graphad.ir.node import apply
from graphad.ops.places import AddPlaces, ReadPlaces, add_places_kernel, read_places_kernel

X, VALUES = ga.input("x", (5,)), ga.input("values", (3,))
PLACES, TABLE = ga.input("places", (3,), "int64"), ga.input("table", (5, 2))


def test_values_are_added_to_the_array_itself_only_if_that_is_where_the_result_goes() -> None:
    x, values, places = np.zeros(5), np.array([1.0, 2.0, 4.0]), np.array([1, 3, 1])
    for out in (None, np.full(5, 9.0)):
        np.testing.assert_array_equal(add_places_kernel(x, values, places, out=out), [0, 5, 0, 2, 0])
        np.testing.assert_array_equal(x, np.zeros(5))
    assert add_places_kernel(x, values, places, out=x) is x
    np.testing.assert_array_equal(x, [0, 5, 0, 2, 0])


def test_what_is_read_goes_where_it_is_asked_for() -> None:
    out = np.empty(2)
    assert read_places_kernel(np.array([1.0, 2.0, 4.0]), np.array([2, 0]), out=out) is out
    np.testing.assert_array_equal(out, [4, 1])


def test_a_value_that_is_read_again_is_not_added_to() -> None:
    h = ga.exp(X)
    step = ga.compile([X, VALUES, PLACES], [apply(AddPlaces(), h, VALUES, PLACES), h * 2.0])
    added, doubled = step(np.zeros(5), [1, 2, 4], [1, 3, 1])
    np.testing.assert_array_equal(added, [1, 6, 1, 3, 1])
    np.testing.assert_array_equal(doubled, np.full(5, 2.0))


def test_an_array_that_holds_the_values_too_is_not_added_to() -> None:
    h = ga.exp(X)
    step = ga.compile([X, PLACES], apply(AddPlaces(), h, h[:3], PLACES))
    np.testing.assert_array_equal(step(np.zeros(5), [1, 0, 1]), [2, 3, 1, 1, 1])


def test_arrays_are_flat_and_values_as_many_as_places() -> None:
    for op, operands in (
        (ReadPlaces(), (TABLE, PLACES)),
        (ReadPlaces(), (X, PLACES.astype("int32"))),
        (AddPlaces(), (TABLE, VALUES, PLACES)),
    ):
        with pytest.raises(ShapeError, match="a flat array and a list of int64 are needed"):
            apply(op, *operands)
    with pytest.raises(ShapeError, match=r"are places for float32\[3\]; got float32\[5\]"):
        apply(AddPlaces(), X, X, PLACES)
