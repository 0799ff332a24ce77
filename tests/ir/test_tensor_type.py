import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphad.errors import DTypeError, ShapeError
from graphad.ir.tensor_type import (
    Dim,
    Dimension,
    TensorType,
    dimension_of,
    dtype_of,
    exact_quotient,
    product,
    shape_of,
    specialise,
)
from graphad.ops.slicing import Span

SIZES = {"batch": 7, "time": 11}
BATCH, TIME = Dim.named("batch"), Dim.named("time")


def value(size: Dimension, sizes: dict[str, int] = SIZES) -> int:
    number = size.specialise(sizes) if isinstance(size, Dim) else size
    assert isinstance(number, int)
    return number


def polynomials() -> st.SearchStrategy[Dimension]:
    leaves: st.SearchStrategy[Dimension] = st.sampled_from([BATCH, TIME]) | st.integers(-3, 3)
    functions: list[Callable[[Any, Any], Any]] = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b]
    return st.recursive(
        leaves,
        lambda parts: st.builds(lambda f, a, b: f(a, b), st.sampled_from(functions), parts, parts),
        max_leaves=8,
    )


@given(polynomials(), polynomials())
def test_arithmetic_of_sizes_is_that_of_the_integers_they_stand_for(a: Dimension, b: Dimension) -> None:
    assert value(a + b) == value(a) + value(b)
    assert value(a - b) == value(a) - value(b)
    assert value(a * b) == value(a) * value(b)
    assert value(-a) == -value(a)


@given(polynomials(), polynomials(), polynomials())
def test_equal_polynomials_have_one_form_however_they_were_made(a: Any, b: Any, c: Any) -> None:
    assert (a + b) * c == c * b + c * a
    assert a - b == -(b - a)
    assert a - a == 0
    assert hash((a + b) + c) == hash(a + (c + b))


@given(polynomials())
def test_a_polynomial_without_names_is_an_integer(a: Dimension) -> None:
    assert isinstance(a, int) or a.names


@given(polynomials(), st.sampled_from([1, 3, -4, BATCH, 2 * TIME, 5 * BATCH * TIME]))
def test_a_product_divided_by_a_factor_is_the_other_factor(a: Dimension, factor: Dimension) -> None:
    assert exact_quotient(a * factor, factor) == a


@given(polynomials(), polynomials())
def test_a_quotient_is_exact_or_refused(dividend: Dimension, divisor: Dimension) -> None:
    try:
        quotient = exact_quotient(dividend, divisor)
    except ShapeError:
        return
    assert quotient * divisor == dividend


def test_division_by_zero_is_refused_even_of_zero() -> None:
    for dividend in (0, 12, BATCH):
        with pytest.raises(ShapeError, match="cannot be divided by 0"):
            exact_quotient(dividend, 0)


def test_an_integer_is_divided_by_a_size_only_if_that_is_exact() -> None:
    assert 0 // BATCH == 0
    with pytest.raises(ShapeError, match="12 is not divisible by batch"):
        _ = 12 // BATCH


@given(polynomials(), st.integers(0, 9), st.integers(0, 9))
def test_sizes_may_be_given_one_after_the_other(a: Dimension, batch: int, time: int) -> None:
    assume(isinstance(a, Dim))
    assert isinstance(a, Dim)
    first = a.specialise({"batch": batch})
    assert value(first, {"time": time}) == value(a, {"batch": batch, "time": time})


@pytest.mark.parametrize("other", [0.5, 2.0, True, "time", None])
def test_a_size_has_no_arithmetic_with_what_is_no_integer(other: Any) -> None:
    """`batch * 0.5` used to be 0."""
    for operation in (operator.mul, operator.add, operator.sub, operator.floordiv):
        with pytest.raises(TypeError):
            operation(BATCH, other)
        with pytest.raises(TypeError):
            operation(other, BATCH)


def test_numpy_integers_are_integers_to_a_size() -> None:
    three: Any = np.int64(3)
    assert BATCH * three == three * BATCH == 3 * BATCH
    assert BATCH + three - three == BATCH


def test_a_size_reads_as_a_polynomial() -> None:
    assert repr(28 * BATCH * TIME - BATCH + 1) == "28*batch*time - batch + 1"
    assert repr(-TIME) == "-time"
    product_of_both = TIME * BATCH
    assert isinstance(product_of_both, Dim)
    assert product_of_both.names == ("batch", "time")


@pytest.mark.parametrize("name", ["", "two words", "1st", "a-b"])
def test_a_size_is_named_by_an_identifier(name: str) -> None:
    with pytest.raises(ShapeError, match="identifier"):
        dimension_of(name)


@pytest.mark.parametrize("size", [-1, 2.0, None, True, [3]])
def test_what_is_no_size_is_refused(size: Any) -> None:
    with pytest.raises(ShapeError, match="a size is an integer >= 0 or a name"):
        dimension_of(size)


def test_a_shape_is_one_size_or_a_sequence_of_sizes() -> None:
    assert shape_of(5) == (5,)
    assert shape_of("batch") == (BATCH,)
    assert shape_of([np.int64(5), "batch", 2 * TIME]) == (5, BATCH, 2 * TIME)
    for wrong in (None, 2.5, {3, 4}):
        with pytest.raises(ShapeError, match="a shape is a tuple of sizes"):
            shape_of(wrong)


def test_a_dtype_is_named_as_in_numpy_and_becomes_native() -> None:
    assert dtype_of(">f8") == np.dtype("float64")
    assert dtype_of(">f8").isnative
    assert dtype_of(bool) == np.dtype("bool")
    assert dtype_of(np.int8) == np.dtype("int8")


@pytest.mark.parametrize("dtype", ["foo", {"names": ["a"]}, [("a",)], "i4,,", "", None, 3])
def test_what_names_no_dtype_is_refused_and_nothing_is_float64_by_default(dtype: Any) -> None:
    with pytest.raises(DTypeError, match="is not a dtype"):
        dtype_of(dtype)


@pytest.mark.parametrize("dtype", ["complex64", "float16", "longdouble", "S3", "f4,f4", object, "M8[s]"])
def test_dtypes_that_nothing_computes_with_are_refused(dtype: Any) -> None:
    with pytest.raises(DTypeError, match="is not supported"):
        dtype_of(dtype)


def test_a_type_knows_its_size_and_bytes_once_it_is_static() -> None:
    declared = TensorType.of(("batch", 3), "int16")
    assert declared.size == 3 * BATCH
    assert not declared.is_static
    with pytest.raises(ShapeError, match="batch is not known yet"):
        _ = declared.nbytes
    static = declared.specialise(SIZES)
    assert static == TensorType.of((7, 3), "int16")
    assert (static.nbytes, static.ndim, static.static_shape) == (42, 2, (7, 3))
    assert static.specialise({"batch": 99}) is static


def test_the_product_of_no_sizes_is_one() -> None:
    assert product(()) == 1
    assert TensorType.of(()).size == 1


def test_named_sizes_are_replaced_inside_tuples_which_keep_their_kind() -> None:
    found = specialise((Span(2, BATCH - 2), ("a", BATCH), None, 5), SIZES)
    assert found == (Span(2, 5), ("a", 7), None, 5)
    assert isinstance(found[0], Span)


def test_a_size_that_would_be_negative_names_the_sizes_that_make_it_so() -> None:
    with pytest.raises(ShapeError, match="batch - 9 would be negative for batch=7"):
        TensorType.of((BATCH - 9,)).specialise(SIZES)
