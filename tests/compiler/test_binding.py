from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.binding import bind, sizes_of
from graphad.errors import ArgumentError, DTypeError, ShapeError, SymbolicValueError
from graphad.ir.op import Array
from graphad.ir.tensor_type import Dim

X = ga.input("x", shape=("batch", 3))
Y = ga.input("y", shape=("batch",), dtype="int64")
A, B = np.zeros((2, 3), np.float32), np.arange(2)


def test_arguments_are_taken_by_position_and_by_name() -> None:
    for arrays in (bind([X, Y], (A, B), {}), bind([X, Y], (A,), {"y": B}), bind([X, Y], (), {"y": B, "x": A})):
        assert arrays[0] is A
        assert arrays[1] is B
    assert bind([], (), {}) == []


@pytest.mark.parametrize(
    ("positional", "named", "message"),
    [
        ((A,), {}, "missing: y; the inputs are x, y"),
        ((), {}, "missing: x, y"),
        ((A, B, A), {}, r"3 arguments for 2 inputs \(x, y\)"),
        ((A, B), {"z": B}, "there is no input 'z': the inputs are x, y"),
        ((A, B), {"y": B}, "input 'y' was given twice, by position and by name"),
        ((X, B), {}, "input 'x' was given <x: .*, which is symbolic"),
    ],
)
def test_arguments_that_do_not_match_the_inputs_are_refused(
    positional: Any, named: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        bind([X, Y], positional, named)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", [[1, 2, 3]]),
        ("float32", [[1.5, 2.5, 3.5]]),
        ("float32", np.ones((1, 3))),
        ("float32", np.ones((1, 3), ">f4")),
        ("float32", np.ones((1, 3), np.uint8)),
        ("float32", np.ones((1, 3), bool)),
        ("float32", np.ones((1, 3), np.float16)),
        ("float32", ((1, 2, 3),)),
        ("float64", np.ones((1, 3), np.float32)),
        ("int64", [[1, 2, 3]]),
        ("int64", np.ones((1, 3), np.uint8)),
        ("uint8", [[1, 2, 255]]),
        ("uint8", np.full((1, 3), 255)),
        ("int8", np.full((1, 3), -128)),
        ("int32", np.ones((1, 3), np.uint64)),
        ("bool", [[True, False, True]]),
        ("int64", np.zeros((1, 3), bool)),
    ],
)
def test_numbers_that_fit_are_converted_to_the_declared_dtype(dtype: str, value: Any) -> None:
    (array,) = bind([ga.input("x", shape=("batch", 3), dtype=dtype)], (value,), {})
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, np.asarray(value).astype(dtype))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("int64", np.ones((1, 3))),
        ("int64", [[1.0, 2.0, 3.0]]),
        ("uint8", [[1, 2, 256]]),
        ("uint8", [[1, 2, -1]]),
        ("int8", np.full((1, 3), 300)),
        ("int64", np.full((1, 3), 2**63, np.uint64)),
        ("bool", [[1, 0, 1]]),
        ("float32", np.ones((1, 3), np.complex64)),
        ("float32", "text"),
        ("float32", None),
        ("float32", {}),
        ("float32", [["a", "b", "c"]]),
        ("int64", [[2**70, 0, 0]]),
    ],
)
def test_values_that_the_dtype_does_not_hold_are_refused_not_wrapped(dtype: str, value: Any) -> None:
    with pytest.raises(DTypeError, match=rf"input 'x' \({dtype}\[batch, 3\], declared at test_binding.py:\d+\)"):
        bind([ga.input("x", shape=("batch", 3), dtype=dtype)], (value,), {})


def test_an_empty_list_is_of_any_dtype() -> None:
    (array,) = bind([Y], ([],), {})
    assert (array.dtype, array.shape) == (np.dtype("int64"), (0,))
    with pytest.raises(DTypeError):
        bind([Y], (np.zeros(0),), {})


def test_ragged_rows_and_lists_of_nodes_are_refused() -> None:
    with pytest.raises(ShapeError, match="input 'x'"):
        bind([X, Y], ([[1, 2, 3], [1, 2]], B), {})
    with pytest.raises(SymbolicValueError, match="is symbolic"):
        bind([X, Y], ([X[0], X[1]], B), {})


@pytest.mark.parametrize(
    "array", [A.copy(), np.asfortranarray(A), np.zeros((3, 2), np.float32).T, np.zeros((4, 6), np.float32)[::2, ::2]]
)
def test_arrays_of_the_right_dtype_are_taken_as_they_lie(array: Array) -> None:
    array.flags.writeable = False
    assert bind([X], (array,), {})[0] is array


def test_subclasses_of_arrays_become_arrays() -> None:
    (array,) = bind([X], (np.ma.masked_array(A, mask=False),), {})
    assert type(array) is np.ndarray


def test_sizes_come_from_the_axes_that_name_them() -> None:
    z = ga.input("z", shape=(2 * Dim.named("batch"), "time", 5))
    assert sizes_of([z, X, Y], [np.zeros((14, 11, 5)), np.zeros((7, 3)), np.zeros(7)]) == {"batch": 7, "time": 11}
    assert sizes_of([ga.input("c", shape=(2, 3))], [A]) == {}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((7, 3, 1), (7,)), r"input 'x' .* was given shape \(7, 3, 1\): 2 axes are expected"),
        (((7, 4), (7,)), r"input 'x' .* was given shape \(7, 4\): axis 1 has size 4, but it is declared 3"),
        (((7, 3), (5,)), r"input 'y' .* was given shape \(5,\): axis 0 has size 5, but batch is 7 by an earlier"),
        (((), (5,)), r"input 'x' .* was given shape \(\): 2 axes"),
    ],
)
def test_shapes_that_do_not_fit_name_the_input_and_the_axis(shapes: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        sizes_of([X, Y], [np.zeros(shape) for shape in shapes])


def test_a_size_that_occurs_only_inside_another_is_asked_for() -> None:
    z = ga.input("z", shape=(2 * Dim.named("time"), 3))
    with pytest.raises(ShapeError, match=r"nothing says what 2\*time is"):
        sizes_of([z], [np.zeros((8, 3))])
