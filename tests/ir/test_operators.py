import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ArgumentError, GraphadError, SymbolicValueError
from graphad.ir import operators
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
        operator.floordiv,
        operator.mod,
        lambda a, b: divmod(a, b)[1],
        operator.eq,
        operator.ne,
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        lambda a, b: a @ b.T,
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.true_divide,
        np.floor_divide,
        np.remainder,
        np.mod,
        np.fmod,
        np.hypot,
        np.arctan2,
        np.heaviside,
        np.logaddexp,
        np.logaddexp2,
        np.logical_and,
        np.logical_or,
        np.logical_xor,
        np.fmax,
        np.fmin,
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
        np.abs,
        np.fabs,
        np.rint,
        np.around,
        np.floor,
        np.ceil,
        np.trunc,
        np.cbrt,
        np.exp2,
        np.arctan,
        np.sinh,
        np.isnan,
        np.isinf,
        np.logical_not,
        np.amax,
        np.amin,
        lambda x: np.clip(x, -1, 1),
        lambda x: np.round(x, 1),
        lambda x: np.astype(x, "int32"),
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
        lambda x: x.all(),
        lambda x: x.any(axis=0),
        lambda x: x.argmax(),
        lambda x: x.argmin(1, keepdims=True),
        lambda x: x.argsort(),
        lambda x: x.clip(-1, 1),
        lambda x: x.cumprod(0),
        lambda x: x.cumsum(),
        lambda x: x.diagonal(1),
        lambda x: x.dot(np.ones((3, 4), np.float32)),
        lambda x: x.flatten(),
        lambda x: x.ravel(),
        lambda x: x.max(axis=1),
        lambda x: x.min(axis=(0, 1), keepdims=True),
        lambda x: x.prod(axis=1),
        lambda x: x.repeat(2, axis=0),
        lambda x: x.round(1),
        lambda x: x[:, None].squeeze(1),
        lambda x: x[:, None].squeeze(),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.take([1, 0, 1], axis=1),
        lambda x: x.trace(),
        lambda x: x.transpose(),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.ravel().transpose(0),
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


@pytest.mark.parametrize(
    "function",
    [lambda x: x.std(axis=0), lambda x: x.var(axis=1, ddof=1), lambda x: x.std(), lambda x: x.var(keepdims=True)],
)
def test_spreads_are_those_of_arrays(function: Callable[..., Any]) -> None:
    np.testing.assert_allclose(numbers(function, X), function(X), rtol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.lt,
        operator.mod,
        operator.floordiv,
        operator.eq,
    ],
)
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
    ("use", "message"),
    [
        (np.add.reduce, r"np\.add\.reduce has no node form: call a function such as ga\.sum"),
        (lambda x: np.maximum.outer(x, x), r"np\.maximum\.outer has no node form"),
        (lambda x: np.tanh(x, out=np.zeros((2, 3))), r"np\.tanh of nodes has no node form with out=: .*use the result"),
        (lambda x: np.add(x, x, where=X > 0), r"where=: select from the result with ga\.where"),
        (lambda x: np.add(x, x, dtype="float64"), r"dtype=: cast"),
        (np.conjugate, "numpy's conjugate has no operation"),
        (np.spacing, "numpy's spacing has no operation"),
        (np.real, "numpy's real has no operation"),
        (np.fft.fft, r"fft of numpy\.fft has no operation"),
        (np.linalg.trace, r"trace of numpy\.linalg has no operation"),
        (np.frompyfunc(abs, 1, 1), r"abs .*has no operation"),
        (
            lambda x: np.clip(x, 0, 1, out=np.zeros((2, 3))),
            "clip of a node does not take these arguments of numpy's.*out",
        ),
    ],
)
def test_numpy_functions_without_a_node_form_say_so(use: Callable[[Node], Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=rf"{message}.*\(at test_operators\.py:\d+\)$"):
        use(ga.input("x", shape=(2, 3)))


def test_a_function_of_numpys_that_is_refused_in_a_step_says_which_step() -> None:
    def step(h: Node, x_t: Node) -> tuple[Node, None]:
        return ga.add(np.spacing(h), x_t), None

    x = ga.input("x", shape=(2, 5, 3))
    with pytest.raises(ArgumentError, match=r"spacing of nodes: .*\(at step 0 test_operators\.py:\d+\)$"):
        ga.unroll(step, init=x[:, 0], xs=x, axis=1)


def test_a_function_that_only_bears_the_name_of_numpys_is_not_taken_for_it() -> None:
    square = np.frompyfunc(lambda x: x + 1, 1, 1)
    x = ga.input("x", shape=(2, 3, 3))
    with pytest.raises(ArgumentError, match="has no operation"):
        square(x)
    with pytest.raises(ArgumentError, match=r"diagonal of numpy\.linalg has no operation"):
        np.linalg.diagonal(x)  # of the last two axes; np.diagonal is of the first two


def test_an_operator_with_assignment_gives_the_name_another_node_and_changes_none() -> None:
    x = ga.input("x", shape=(2, 3))
    y = x
    y += 1.0
    y *= 2.0
    assert y is not x
    np.testing.assert_array_equal(numbers(lambda _: _ * 1.0, X), X)
    assert (y.op.name, y.operands[0].op.name, y.operands[0].operands[0]) == ("multiply", "add", x)


def test_an_array_does_not_take_a_node_in_place() -> None:
    array = X.copy()
    with pytest.raises(ArgumentError, match=r"array \+= node"):
        array += ga.input("x", shape=(2, 3))
    np.testing.assert_array_equal(array, X)


def test_a_mistake_inside_a_builder_is_not_taken_for_a_wrong_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operators._builders, "tanh", lambda _: operator.concat([], ()))
    with pytest.raises(TypeError, match="concatenate") as caught:
        np.tanh(ga.input("x", shape=(2, 3)))
    assert not isinstance(caught.value, GraphadError)


@pytest.mark.parametrize("function", [operator.and_, operator.or_, operator.xor])
def test_truth_values_are_joined_on_either_side(function: Callable[..., Any]) -> None:
    a, b = X > 0, Y > 1
    np.testing.assert_array_equal(numbers(function, a, b), function(a, b))
    np.testing.assert_array_equal(numbers(lambda x: function(x, True), a), function(a, True))
    np.testing.assert_array_equal(numbers(lambda x: function(False, x), a), function(False, a))
    np.testing.assert_array_equal(numbers(lambda x: function(b, x), a), function(b, a))


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
