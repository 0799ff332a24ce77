from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.leaves import Constant, Input, Key, SizeOf, Storage, fits
from graphad.ir.tensor_type import INTEGERS, Dim, TensorType

BATCH = Dim.named("batch")


@given(st.sampled_from(INTEGERS), st.sampled_from(INTEGERS), st.data())
def test_integers_fit_exactly_if_each_survives_the_way_there_and_back(
    source: np.dtype[Any], target: np.dtype[Any], data: st.DataObject
) -> None:
    limits = np.iinfo(source)
    numbers = data.draw(st.lists(st.integers(int(limits.min), int(limits.max)), max_size=3))
    array = np.array(numbers, source)
    assert fits(array, target) == (array.astype(target).tolist() == numbers)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("float64", "float32", True),
        ("float32", "float64", True),
        ("int64", "float32", True),
        ("bool", "int8", True),
        ("float32", "int64", False),
        ("int8", "bool", False),
        ("complex64", "float32", False),
        ("U3", "float32", False),
    ],
)
def test_across_kinds_only_what_loses_no_more_than_digits_fits(source: str, target: str, expected: bool) -> None:
    assert fits(np.zeros(3, source), np.dtype(target)) is expected


def test_a_storage_is_read_as_a_copy_that_later_writes_do_not_change() -> None:
    storage = Storage(np.array([1.0, 2.0]))
    before = storage.read()
    storage.write([3, 4], "w")
    assert before.tolist() == [1.0, 2.0]
    assert storage.read().tolist() == [3.0, 4.0]
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 9.0


def test_writing_copies_what_is_written() -> None:
    storage, given_array = Storage(np.zeros(2)), np.ones(2)
    storage.write(given_array, "w")
    given_array[:] = 5.0
    assert storage.read().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros((3, 2), np.int8), ShapeError, r"parameter w has shape \(2, 3\); a value of shape \(3, 2\)"),
        (0, ShapeError, "shape"),
        ([[1, 2, 3], [4, 5]], ShapeError, "parameter w: the value assigned is no array"),
        (np.full((2, 3), 300), DTypeError, "parameter w is int8; a value of dtype int64"),
        (np.zeros((2, 3)), DTypeError, "parameter w is int8; a value of dtype float64"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_the_old_one_stays(
    value: Any, error: type[Exception], message: str
) -> None:
    storage = Storage(np.full((2, 3), 7, np.int8))
    with pytest.raises(error, match=message):
        storage.write(value, "w")
    assert (storage.read() == 7).all()


def test_a_parameter_keeps_its_own_copy_of_its_first_value() -> None:
    first = np.ones((2, 3))
    w = ga.parameter(first, name="w")
    first[:] = 0.0
    assert (w.value == 1.0).all()
    w.value = np.full((2, 3), 4.0)
    assert (w.value == 4.0).all()
    with pytest.raises(ShapeError):
        w.value = np.zeros(6)
    with pytest.raises(ValueError, match="read-only"):
        w.value += 1.0
    assert (w.value == 4.0).all()


def test_only_parameters_have_a_value() -> None:
    x = ga.input("x", shape=(2, 3))
    for node in (x, ga.tanh(x), ga.constant(1.0)):
        with pytest.raises(ArgumentError, match="has no value"):
            _ = node.value
        with pytest.raises(ArgumentError, match="has no value"):
            node.value = np.zeros((2, 3))


def test_leaves_with_state_are_equal_to_themselves_alone() -> None:
    kind = TensorType.of((2, 3))
    assert Input(kind) != Input(kind)
    a, b = ga.parameter(np.zeros(3)), ga.parameter(np.zeros(3))
    assert a.op != b.op
    assert a.op == a.op.specialise({"batch": 3})
    assert len({a.op, b.op, a.op}) == 2


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (np.float32(0.0), np.float32(-0.0), False),
        (np.float32(np.nan), np.float32(np.nan), True),
        (np.float32(1.0), np.float64(1.0), False),
        (np.zeros((2, 3)), np.zeros((3, 2)), False),
        (np.arange(6).reshape(3, 2).T, np.array([[0, 2, 4], [1, 3, 5]]), True),
        (np.array([1, 2], ">i4"), np.array([1, 2], "<i4"), True),
    ],
)
def test_constants_are_equal_when_their_types_and_bits_are(a: Any, b: Any, equal: bool) -> None:
    assert (Constant.of(np.asarray(a)) == Constant.of(np.asarray(b))) is equal
    np.testing.assert_array_equal(Constant.of(np.asarray(a)).value, a)


def test_a_constant_does_not_change_with_the_array_it_was_made_of() -> None:
    array = np.ones(3)
    constant = Constant.of(array)
    array[:] = 2.0
    assert constant.value.tolist() == [1.0, 1.0, 1.0]
    assert not constant.value.flags.writeable


def test_the_value_of_a_size_is_a_constant_once_the_size_is_known() -> None:
    size = SizeOf(TensorType.of((), "float32"), 3 * BATCH)
    assert size.specialise({"time": 5}) == size
    assert size.specialise({"batch": 7}) == Constant.of(np.array(21, np.float32))


def test_an_input_without_named_sizes_is_itself_when_specialised() -> None:
    fixed, open_ = Input(TensorType.of((2, 3))), Input(TensorType.of(("batch", 3)))
    assert fixed.specialise({"batch": 5}) is fixed
    assert open_.specialise({"batch": 5}).infer() == TensorType.of((5, 3))


def test_a_key_is_state_that_is_equal_to_itself_only() -> None:
    key = Key.of(seed=2**64 - 1, calls=3)
    assert key.storage.array.tolist() == [2**64 - 1, 3]
    assert key.infer() == TensorType.of(2, "uint64")
    assert not key.trainable
    assert key.specialise({"batch": 5}) is key
    assert key != Key.of(seed=2**64 - 1, calls=3)
    assert len({key, key, Key.of(0)}) == 2
