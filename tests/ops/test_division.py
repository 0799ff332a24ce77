import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from tests.autodiff.differences import value, values

X = np.array([7.0, -7.0, 7.0, -7.0, 6.0, -6.0, 0.0, np.inf, 1.0, 7.5])
Y = np.array([3.0, 3.0, -3.0, -3.0, 3.0, 3.0, -2.0, 2.0, np.inf, 0.0])
divisions = pytest.mark.parametrize(
    "function", [operator.mod, operator.floordiv, np.remainder, np.mod, np.floor_divide, np.fmod]
)


@divisions
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "uint16"])
@pytest.mark.filterwarnings("ignore:.*(divide by zero|invalid value)")
def test_signs_and_division_by_zero_are_numpys(function: Callable[[Any, Any], Any], dtype: str) -> None:
    kept = np.isfinite(X) & np.isfinite(Y) & ((X >= 0) & (Y >= 0) | (dtype[0] != "u")) | (dtype[0] == "f")
    x, y = X[kept].astype(dtype), Y[kept].astype(dtype)
    a, b = ga.input("a", x.shape, dtype), ga.input("b", y.shape, dtype)
    expected = function(x, y)
    for backend in ("numpy", "reference"):
        found = ga.compile([a, b], function(a, b), backend=backend)(x, y)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    np.testing.assert_array_equal(value(function(x, b), {b: y}), expected)
    np.testing.assert_array_equal(value(function(a, y), {a: x}), expected)


def test_a_remainder_has_slope_one_and_minus_the_quotient() -> None:
    x, y = ga.input("x", (4,), "float64"), ga.input("y", (4,), "float64")
    given = {x: X[:4], y: Y[:4]}
    for build, quotient in ((ga.remainder, np.floor), (ga.fmod, np.trunc)):
        for_x, for_y = values(ga.grad(ga.sum(build(x, y)), [x, y]), given)
        np.testing.assert_array_equal(for_x, np.ones(4))
        np.testing.assert_array_equal(for_y, -quotient(X[:4] / Y[:4]))


def test_a_rounded_quotient_has_derivative_zero_and_not_none() -> None:
    x, y = ga.input("x", (4,), "float64"), ga.input("y", (4,), "float64")
    for gradient in values(ga.grad(ga.sum(x // y), [x, y]), {x: X[:4], y: Y[:4]}):
        np.testing.assert_array_equal(gradient, np.zeros(4))


def test_quotient_and_remainder_come_together_as_pythons_and_numpys() -> None:
    x: Any = ga.input("x", (4,), "float64")
    for pair in (divmod(x, 3.0), np.divmod(x, 3.0), ga.divmod(x, 3.0)):
        for found, expected in zip(values(pair, {x: X[:4]}), divmod(X[:4], 3.0), strict=True):
            np.testing.assert_array_equal(found, expected)
    for found, expected in zip(values(divmod(8.5, x), {x: X[:4]}), divmod(8.5, X[:4]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_mod_is_numpys_other_name_of_remainder() -> None:
    assert ga.mod is ga.remainder
