from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError


def test_an_input_is_of_the_type_declared() -> None:
    x = ga.input("x", shape=("batch", 28, 28), dtype="uint8")
    assert str(x.type) == "uint8[batch, 28, 28]"
    assert x.name == "x"
    assert str(ga.input("s").type) == "float32[]"
    assert str(ga.input("v", 3).type) == "float32[3]"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("x", (2, -1)), ShapeError, "an integer >= 0"),
        (("x", (2, 1.5)), ShapeError, "an integer >= 0"),
        (("x", (True,)), ShapeError, "an integer >= 0"),
        (("x", ("two words",)), ShapeError, "identifier"),
        (("x", 1.5), ShapeError, "tuple of sizes"),
        (("x", (2,), "float16"), DTypeError, "float16"),
        (("x", (2,), "complex128"), DTypeError, "real and imaginary"),
        (("x", (2,), "flaot32"), DTypeError, "flaot32"),
        (("", (2,)), ArgumentError, "needs a name"),
        (((2,),), ArgumentError, "name is a text"),
    ],
    ids=str,
)
def test_an_input_that_cannot_be_is_refused_with_its_name_and_line(
    arguments: tuple[Any, ...], error: type[GraphadError], message: str
) -> None:
    called = re.escape(f"input({arguments[0]!r}")
    with pytest.raises(error, match=rf"{called}.*{message}.*\(at test_leaves\.py:\d+\)"):
        ga.input(*arguments)


def test_a_parameter_has_a_copy_of_its_value() -> None:
    array = np.ones((2, 3))
    W = ga.parameter(array, "W")
    array[:] = 7
    assert W.type == ga.constant(array).type
    np.testing.assert_array_equal(W.value, np.ones((2, 3)))


def test_a_parameter_of_python_numbers_is_float32_unless_a_dtype_is_given() -> None:
    assert ga.parameter([1.0, 2.0]).dtype == np.float32
    assert ga.parameter([1.0, 2.0], dtype="float64").dtype == np.float64
    assert ga.parameter(0, "steps", trainable=False).dtype == np.int64


def test_a_parameter_without_a_name_has_none() -> None:
    assert ga.parameter(1.0).name is None


@pytest.mark.parametrize("value", [None, "W", [[1.0], [1.0, 2.0]], 1j])
def test_a_parameter_of_no_array_is_refused_with_its_line(value: Any) -> None:
    with pytest.raises(GraphadError, match=r"parameter\(.*\(at test_leaves\.py:\d+\)"):
        ga.parameter(value, "W")


def test_a_parameter_of_a_node_is_refused() -> None:
    with pytest.raises(ArgumentError, match="symbolic"):
        ga.parameter(ga.input("x", (2,)), "W")
