from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError, SymbolicValueError
from graphad.ir.tensor_type import Dim
from graphad.ops.build import broadcast_shapes, normalize_axes
from tests.autodiff.differences import value


@pytest.mark.parametrize("scalar", [2, 2.5, True, np.float64(2.5), -(10**30)])
def test_python_numbers_leave_float32_as_it_is(scalar: float) -> None:
    x = ga.input("x", (2,))
    for node in (x * scalar, scalar + x, x / scalar, x**scalar, ga.maximum(x, scalar), ga.where(x > 0, x, scalar)):
        assert node.dtype == np.float32


def test_numpy_scalars_of_integers_leave_float32_as_it_is() -> None:
    x = ga.input("x", (2,))
    assert (np.int64(3) * x).dtype == (x - np.uint8(1)).dtype == (x + np.float32(1)).dtype == np.float32


@pytest.mark.parametrize("number", [300, -1, 2**70])
def test_a_number_that_an_integer_dtype_cannot_hold_is_an_error_and_does_not_wrap(number: int) -> None:
    n = ga.input("n", (2,), "uint8")
    for build in (ga.add, ga.less, ga.equal, ga.where):
        operands = (n, number) if build is not ga.where else (n > 0, n, number)
        with pytest.raises(DTypeError, match=rf"{number}.*does not fit uint8.*cast.*\(at test_build\.py:\d+\)"):
            build(*operands)
    with pytest.raises(DTypeError, match="does not fit uint8"):
        ga.constant([number], "uint8")


def test_a_large_integer_fits_a_float() -> None:
    x = ga.input("x", (1,), "float64")
    assert value(x * 2**70, {x: np.ones(1)}) == 2.0**70


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (1, "int64"),
        (1.0, "float32"),
        (True, "bool"),
        ([1, 2.5], "float32"),
        ([1, 2], "int64"),
        ([[True], [False]], "bool"),
        ([], "float32"),
        (np.float64(1), "float64"),
        (np.zeros(2), "float64"),
        (np.zeros(2, ">f4"), "float32"),
        (np.zeros(2, np.uint16), "uint16"),
    ],
    ids=repr,
)
def test_constants_of_python_are_narrow_and_arrays_keep_their_dtype(given: Any, dtype: str) -> None:
    node = ga.constant(given)
    assert node.dtype == dtype
    assert value(node).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(value(node), given)


def test_a_constant_is_of_the_dtype_asked_for() -> None:
    assert ga.constant([1, 2], dtype="float64").dtype == np.float64
    assert ga.constant(np.zeros(2), "float32", name="zeros").name == "zeros"


def test_a_constant_does_not_change_when_the_array_does() -> None:
    array = np.ones(2)
    node = ga.constant(array)
    array[:] = 7
    np.testing.assert_array_equal(value(node), [1, 1])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (1j, DTypeError, "complex128 is not supported: split it"),
        (np.zeros(2, np.complex64), DTypeError, "complex64"),
        (np.zeros(2, np.float16), DTypeError, "float16.*cast it"),
        ("seven", DTypeError, "not supported"),
        (None, DTypeError, "not supported"),
        ([[1], [1, 2]], ShapeError, "no array"),
    ],
    ids=repr,
)
def test_what_is_no_array_of_numbers_is_refused_with_its_line(
    given: Any, error: type[GraphadError], message: str
) -> None:
    with pytest.raises(error, match=rf"(?s){message}.*\(at test_build\.py:\d+\)"):
        ga.constant(given)
    with pytest.raises(error, match=rf"(?s){message}.*\(at test_build\.py:\d+\)"):
        ga.input("x", (2,)) + given


def test_a_node_is_no_constant_and_a_named_size_neither() -> None:
    x = ga.input("x", (2,))
    with pytest.raises(ArgumentError, match=r"batch.*symbolic"):
        ga.constant(Dim.named("batch"))
    with pytest.raises(ArgumentError, match=r"x.*symbolic"):
        ga.constant(x)
    with pytest.raises(SymbolicValueError, match=r"x.*symbolic"):
        ga.constant([x, 1.0])


def test_shapes_broadcast_as_in_numpy_and_a_named_size_meets_itself_and_one() -> None:
    x = ga.input("x", ("batch", 1, 3))
    assert broadcast_shapes([x.shape, (4, 1), ()]) == (x.shape[0], 4, 3)
    assert (x + ga.input("y", ("batch", 2, 1))).shape == (x.shape[0], 2, 3)
    with pytest.raises(ShapeError, match="batch meets 2"):
        x + ga.input("y", (2, 1, 3))
    with pytest.raises(ShapeError, match="batch meets steps"):
        x + ga.input("y", ("steps", 1, 3))


def test_a_named_size_is_an_operand_like_a_number() -> None:
    x = ga.input("x", ("batch", 3))
    batch = x.shape[0]
    built = [x / batch, batch * x, ga.maximum(x, batch), ga.where(x > batch, x, batch), batch - x, x // batch]
    assert all(node.type == x.type for node in built)
    function = ga.compile([x], built)
    for size in (1, 4):
        array = np.arange(3.0 * size, dtype=np.float32).reshape(size, 3)
        large = np.maximum(array, size)
        for found, expected in zip(
            function(array), [array / size, array * size, large, large, size - array, array // size], strict=True
        ):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == np.float32


def test_what_is_divided_by_a_named_size_has_its_gradient_divided_too() -> None:
    x = ga.input("x", ("batch", 3))
    gradient = ga.compile([x], ga.grad(ga.sum(x / x.shape[0]), x))
    for size in (1, 4):
        np.testing.assert_array_equal(gradient(np.ones((size, 3))), np.full((size, 3), 1 / size))


def test_a_named_size_may_be_an_expression_and_stand_alone() -> None:
    x = ga.input("x", ("batch", 3))
    area = x.reshape(-1).shape[0]
    function = ga.compile([x], [ga.sqrt(area), ga.add(area, 1), ga.equal(area, 12)])
    root, following, same = function(np.ones((4, 3)))
    assert (root.dtype, following.dtype, same.dtype) == (np.float32, np.int64, np.bool_)
    assert (root, following, same) == (np.float32(np.sqrt(12)), 13, True)


def test_axes_are_sorted_and_counted_from_zero() -> None:
    assert normalize_axes((-1, 0), 3) == (0, 2)
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes(np.int64(-1), 3) == (2,)


def test_a_cast_to_the_same_dtype_is_the_node_itself() -> None:
    x = ga.input("x", (2,))
    assert ga.cast(x, "float32") is x
    assert x.astype("int32").dtype == np.int32
    with pytest.raises(DTypeError, match=r"cast\(x: float32\[2\], .*complex.*\(at test_build\.py:\d+\)"):
        ga.cast(x, "complex64")
    with pytest.raises(DTypeError, match="'number' is not a dtype"):
        ga.cast(x, "number")
