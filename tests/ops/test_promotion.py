from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError
from graphad.ir.tensor_type import BOOL, FLOAT32, FLOAT64, FLOATS, INT64, INTEGERS
from graphad.ops.build import unify
from graphad.ops.promotion import promote

DTYPES = (BOOL, *INTEGERS, *FLOATS)
every = pytest.mark.parametrize("dtype", DTYPES, ids=str)

UNLIKE_NUMPY = {
    frozenset(map(np.dtype, pair))
    for pair in (
        ("int32", "float32"),
        ("int64", "float32"),
        ("uint32", "float32"),
        ("uint64", "float32"),
        ("int8", "uint64"),
        ("int16", "uint64"),
        ("int32", "uint64"),
        ("int64", "uint64"),
    )
}
"""Where numpy makes float64, and graphad float32: nothing silently becomes float64."""


@every
@pytest.mark.parametrize("other", DTYPES, ids=str)
def test_dtypes_promote_as_in_numpy_but_for_eight_pairs(dtype: np.dtype[Any], other: np.dtype[Any]) -> None:
    numpys, pair = np.result_type(dtype, other), frozenset((dtype, other))
    assert numpys == FLOAT64 or pair not in UNLIKE_NUMPY
    expected = FLOAT32 if pair in UNLIKE_NUMPY else numpys
    assert promote([dtype, other]) == promote([other, dtype]) == expected
    x, y = ga.input("x", (2,), dtype), ga.input("y", (2,), other)
    assert (x + y).dtype == (y * x).dtype == ga.maximum(x, y).dtype == ga.where(x == y, x, y).dtype == expected


@every
@pytest.mark.parametrize("number", [True, 2, 2.5])
def test_pythons_numbers_are_weak_as_in_numpy_but_never_make_float64(dtype: np.dtype[Any], number: float) -> None:
    numpys = np.result_type(dtype, number)
    narrowed = isinstance(number, float) and dtype.kind != "f"
    assert numpys == FLOAT64 or not narrowed
    x = ga.input("x", (2,), dtype)
    assert (x + number).dtype == (number + x).dtype == (FLOAT32 if narrowed else numpys)


@every
def test_a_named_size_takes_a_floats_dtype_and_is_an_integer_of_64_bits_beside_the_rest(dtype: np.dtype[Any]) -> None:
    x = ga.input("x", ("batch",), dtype)
    expected = dtype if dtype in {*FLOATS, np.dtype("uint64")} else INT64
    assert (x + x.shape[0]).dtype == (x.shape[0] * x).dtype == expected


def test_a_named_size_is_not_narrowed_to_what_might_not_hold_it() -> None:
    x = ga.input("x", ("batch",), "int8")
    np.testing.assert_array_equal(ga.compile([x], x * x.shape[0])(np.ones(300, "int8")), np.full(300, 300))


def test_the_dtype_does_not_depend_on_the_order_of_three_operands() -> None:
    for three in itertools.product(DTYPES, repeat=3):
        assert len({promote(order) for order in itertools.permutations(three)}) == 1
    n = ga.input("n", ("batch",), "uint8")
    for order in itertools.permutations((n, True, 2, 2.5, n.shape[0])):
        assert {node.dtype for node in unify(order)} == {FLOAT32}


def test_scalars_of_numpy_keep_their_dtype_but_for_float64_which_is_a_python_float() -> None:
    x, n = ga.input("x", (2,)), ga.input("n", (2,), "int8")
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == FLOAT32
    assert (n + np.int64(2)).dtype == (np.int64(2) + n).dtype == INT64
    assert (n + np.float32(2)).dtype == FLOAT32
    assert (x + np.array(2.0)).dtype == FLOAT64


def test_numbers_alone_are_of_pythons_kinds() -> None:
    assert ga.add(1, 2).dtype == INT64
    assert ga.add(1, 2.0).dtype == FLOAT32
    assert ga.add(True, False).dtype == BOOL
    assert ga.add(True, 2).dtype == INT64


@every
def test_functions_of_reals_make_float32_of_what_is_no_float(dtype: np.dtype[Any]) -> None:
    x = ga.input("x", (2,), dtype)
    expected = dtype if dtype.kind == "f" else FLOAT32
    built = (ga.exp(x), ga.erf(x), ga.gelu(x), ga.leaky_relu(x), ga.log_sigmoid(x), ga.fabs(x), ga.hypot(x, x), x / x)
    assert {node.dtype for node in built} == {expected}


@pytest.mark.parametrize("dtype", ["float16", "complex64", "complex128"])
def test_what_is_neither_float32_nor_float64_is_refused_where_it_enters(dtype: str) -> None:
    x, other = ga.input("x", (2,)), np.ones(2, dtype)
    for enter in (lambda: x + other, lambda: other + x, lambda: x.astype(dtype), lambda: ga.input("y", (2,), dtype)):
        with pytest.raises(DTypeError, match=r"not supported: (cast|split) it"):
            enter()
