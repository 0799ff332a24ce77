import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, UnreachedError
from tests.autodiff.differences import value

functions = pytest.mark.parametrize(
    "function", [operator.and_, operator.or_, operator.xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor]
)


@functions
@pytest.mark.parametrize("dtypes", [("bool", "bool"), ("int64", "int64"), ("uint8", "int16"), ("bool", "int8")])
def test_bits_and_truth_values_are_combined_as_by_numpy(
    function: Callable[[Any, Any], Any], dtypes: tuple[str, str]
) -> None:
    a, b = np.array([[0, 1, 6]]).astype(dtypes[0]), np.array([[1], [3]]).astype(dtypes[1])
    x, y = ga.input("x", a.shape, a.dtype), ga.input("y", b.shape, b.dtype)
    expected = function(a, b)
    for node in (function(x, y), function(a, y), function(x, b)):
        found = value(node, {x: a, y: b})
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("array", [np.array([True, False]), np.array([0, 5, -3]), np.array([0, 5], "uint8")], ids=str)
def test_the_contrary_is_numpys(array: Any) -> None:
    x: Any = ga.input("x", array.shape, array.dtype)
    np.testing.assert_array_equal(value(~x, {x: array}), ~array)
    np.testing.assert_array_equal(value(np.bitwise_not(x), {x: array}), ~array)


def test_conditions_are_joined_by_operators() -> None:
    x = ga.input("x", (5,))
    inside, array = (x > -1) & (x < 1), np.linspace(-2, 2, 5, dtype=np.float32)
    np.testing.assert_array_equal(value(inside, {x: array}), [False, False, True, False, False])
    np.testing.assert_array_equal(value(~inside | (x == 0), {x: array}), np.ones(5, bool))
    with pytest.raises(UnreachedError):
        ga.grad(ga.sum(ga.cast(inside, "float32")), x)


@functions
def test_floats_have_no_bits_and_the_error_says_what_was_probably_meant(function: Callable[[Any, Any], Any]) -> None:
    x = ga.input("x", (3,))
    for other in (x, True, 1):
        with pytest.raises(DTypeError, match=r"x: float32\[3\].*compare the floats first.*\(at test_bitwise\.py:"):
            function(x, other)
    with pytest.raises(DTypeError, match=r"invert\(x: float32\[3\]\).*compare"):
        _ = ~x
