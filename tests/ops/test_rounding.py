from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError
from graphad.ir.node import Node
from tests.autodiff.differences import float32, value, values

NUMBERS = np.array([-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5, 1e10, np.inf, -np.inf, np.nan])
ROUNDINGS: list[tuple[Callable[[Node], Node], Callable[[Any], Any]]] = [
    (ga.floor, np.floor),
    (ga.ceil, np.ceil),
    (ga.trunc, np.trunc),
    (ga.round, np.round),
]
roundings = pytest.mark.parametrize(("build", "numpys"), ROUNDINGS)


@roundings
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_rounded_as_by_numpy(
    build: Callable[[Node], Node], numpys: Callable[[Any], Any], dtype: str
) -> None:
    x, numbers = ga.input("x", NUMBERS.shape, dtype), NUMBERS.astype(dtype)
    for node in (build(x), numpys(x)):
        np.testing.assert_array_equal(value(node, {x: numbers}), numpys(numbers))


@roundings
def test_integers_are_whole(build: Callable[[Node], Node], numpys: Callable[[Any], Any]) -> None:
    n = ga.input("n", (3,), "int16")
    numbers = np.array([-3, 0, 7], "int16")
    found = ga.compile([n], build(n))(numbers)
    np.testing.assert_array_equal(found, numbers)
    assert found.dtype == np.int16


@roundings
def test_the_derivative_of_rounding_is_zero_and_not_none(build: Callable[[Node], Node], numpys: Any) -> None:
    x = ga.input("x", (4,))
    given = {x: float32([-1.5, 0, 1, 2.25])}
    np.testing.assert_array_equal(value(ga.grad(ga.sum(build(x)), x), given), [0, 0, 0, 0])
    np.testing.assert_array_equal(value(ga.jvp(build(x), x, x), given), [0, 0, 0, 0])


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_decimals_are_numpys(decimals: int, dtype: str) -> None:
    numbers = np.array([5, 15, 125, 0.125, 117.2505]).astype(dtype)
    x: Any = ga.input("x", numbers.shape, dtype)
    expected = np.round(numbers, decimals)
    built = [ga.round(x, decimals), np.round(x, decimals), np.around(x, decimals=decimals), x.round(decimals)]
    for found in values([*built, round(x, decimals)], {x: numbers}):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_numpys_other_names_of_rounding_build_nodes() -> None:
    x: Any = ga.input("x", NUMBERS.shape, "float64")
    for found in values([np.rint(x), round(x)], {x: NUMBERS}):
        np.testing.assert_array_equal(found, np.rint(NUMBERS))
    np.testing.assert_array_equal(value(np.fix(x), {x: NUMBERS}), np.trunc(NUMBERS))


@pytest.mark.parametrize("decimals", [1.0, True, "1", None])
def test_decimals_that_are_no_integer_are_refused(decimals: Any) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ArgumentError, match=r"round\(x: float32\[3\].*integer.*\(at test_rounding\.py:\d+\)"):
        ga.round(x, decimals)
