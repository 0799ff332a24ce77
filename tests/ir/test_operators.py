import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ArgumentError, GraphadError, SymbolicValueError
from graphad.ir.evaluation import evaluate
from graphad.ir.op import Array

X = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -1.0]], np.float32)
Y = np.array([[2.0, 1.0, -0.5], [1.0, 4.0, 3.0]], np.float32)


def numbers(build: Callable[..., Any], *arrays: Array) -> Array:
    """The value of what ``build`` makes of inputs with the types of the arrays."""
    inputs = [ga.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(arrays)]
    (found,) = evaluate(Graph(tuple(inputs), (build(*inputs),)), arrays)
    return found


@pytest.mark.parametrize(
    "function",
    [
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        lambda a, b: a @ b.T,
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.maximum,
        np.minimum,
        np.equal,
        np.not_equal,
        lambda a, b: np.where(a > b, a, b),
        lambda a, b: np.concatenate([a, b], axis=1),
        lambda a, b: np.stack([a, b], axis=1),
        lambda a, b: np.matmul(a, b.T),
    ],
)
def test_operators_and_numpy_functions_of_two_nodes_do_what_they_do_on_arrays(function: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(numbers(function, X, Y), function(X, Y))
    mixed = numbers(lambda x: function(x, Y), X), numbers(lambda y: function(X, y), Y)
    for found in mixed:
        np.testing.assert_array_equal(found, function(X, Y))


@pytest.mark.parametrize(
    "function",
    [
        operator.neg,
        operator.pos,
        abs,
        np.tanh,
        np.exp,
        np.sin,
        np.cos,
        np.square,
        np.sign,
        np.isfinite,
        np.expm1,
        lambda x: np.sqrt(x * x),
        lambda x: x.T,
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, -1)),
        lambda x: x.astype("float64"),
        lambda x: x.sum(axis=0),
        lambda x: x.mean(axis=1, keepdims=True),
        lambda x: np.sum(x, axis=1),
        lambda x: np.mean(x, axis=0, keepdims=True),
        lambda x: np.max(x, axis=0),
        lambda x: np.min(x, axis=1),
        lambda x: np.argmax(x, axis=0),
        np.transpose,
        lambda x: np.reshape(x, (6,)),
        lambda x: np.expand_dims(x, 1),
        lambda x: np.broadcast_to(x, (4, 2, 3)),
        np.zeros_like,
        lambda x: x[1],
        lambda x: x[:, ::-1],
        lambda x: x[None, ..., 1],
    ],
)
def test_operators_and_numpy_functions_of_one_node_do_what_they_do_on_arrays(function: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(numbers(function, X), function(X))


@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv, operator.lt])
@pytest.mark.parametrize("scalar", [2, 2.5, np.float64(2.5), np.int64(2), True])
def test_scalars_are_weak_on_either_side(function: Callable[..., Any], scalar: Any) -> None:
    for found, expected in (
        (numbers(lambda x: function(x, scalar), X), function(X, X.dtype.type(scalar))),
        (numbers(lambda x: function(scalar, x), X), function(X.dtype.type(scalar), X)),
    ):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize(
    ("dtype", "other", "expected"),
    [
        ("float32", 2.5, "float32"),
        ("float64", 2, "float64"),
        ("int8", 2, "int8"),
        ("int8", 2.5, "float32"),
        ("bool", 2, "int64"),
        ("bool", True, "bool"),
        ("float32", np.float32(2), "float32"),
        ("float32", np.zeros(3, "int64"), "float32"),
        ("float32", np.zeros(3, "float64"), "float64"),
        ("int64", np.zeros(3, "uint64"), "float32"),
        ("uint8", np.zeros(3, "int8"), "int16"),
    ],
)
def test_nothing_becomes_float64_that_holds_none(dtype: str, other: Any, expected: str) -> None:
    x = ga.input("x", shape=(3,), dtype=dtype)
    assert (x + other).dtype == (other + x).dtype == np.dtype(expected)


def test_powers_take_nodes_and_numbers_on_either_side() -> None:
    positive = abs(X)
    np.testing.assert_allclose(numbers(lambda x: x**2, positive), positive**2, rtol=1e-6)
    np.testing.assert_allclose(numbers(lambda x: 2**x, X), 2**X, rtol=1e-6)
    np.testing.assert_allclose(numbers(lambda x, y: x**y, positive, Y), positive**Y, rtol=1e-6)


@pytest.mark.parametrize(
    "use",
    [
        bool,
        float,
        int,
        complex,
        operator.index,
        np.asarray,
        math.sqrt,
        lambda x: x and 1,
        lambda x: [0, 1][x],
        lambda x: 1.0 in x,
        lambda x: np.array([x, x]),
        range,
    ],
)
def test_a_node_used_as_a_value_is_a_type_error_that_says_what_to_do(use: Callable[[Any], Any]) -> None:
    for shape in ((), (3,)):
        with pytest.raises(SymbolicValueError, match=r"<x: float32\[3?\]> is symbolic"):
            use(ga.input("x", shape=shape))


@pytest.mark.parametrize(
    "use",
    [
        np.add.reduce,
        lambda x: np.tanh(x, out=np.zeros((2, 3))),
        lambda x: np.add(x, x, where=X > 0),
        np.arctan2,
        np.linalg.norm,
        np.fft.fft,
    ],
)
def test_numpy_functions_without_a_node_form_say_so(use: Callable[..., Any]) -> None:
    x = ga.input("x", shape=(2, 3))
    operands: Sequence[Node] = (x, x) if use is np.arctan2 else (x,)
    with pytest.raises(ArgumentError, match=r"no node form|has no operation"):
        use(*operands)


def test_what_is_no_operand_is_refused_with_a_typed_error() -> None:
    x = ga.input("x", shape=(2, 3))
    for other in ("text", None, object(), 1j):
        with pytest.raises(GraphadError):
            _ = x + other


def test_comparing_nodes_builds_a_node_and_never_says_that_they_are_unequal() -> None:
    prediction, labels = ga.input("prediction", ("batch",), "int64"), ga.input("labels", ("batch",), "int64")
    right = ga.compile([prediction, labels], ga.mean(prediction == labels))
    assert right([1, 2, 3, 4], [1, 2, 0, 4]) == 0.75
    wrong = ga.compile([prediction, labels], ga.mean(prediction != labels))
    assert wrong([1, 2, 3, 4], [1, 2, 0, 4]) == 0.25
    with pytest.raises(TypeError, match="no truth value"):
        bool(prediction == labels)
