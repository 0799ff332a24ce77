"""What cannot be compiled or called, and what is said about it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.function import BACKENDS
from graphad.errors import (
    ArgumentError,
    DTypeError,
    DuplicateNameError,
    ExecutionError,
    ShapeError,
    UnboundInputError,
)
from graphad.ir.tensor_type import Dim

X = ga.input("x", shape=("batch", 3))
LABELS = ga.input("labels", shape=("batch",), dtype="int64")
ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)

both_backends = pytest.mark.parametrize("backend", BACKENDS)


compiled: Any = ga.compile  # by callers who do not check types

REFUSED: list[tuple[Callable[[Any, Any], Any], type[Exception], str]] = [
    (lambda x, w: compiled([x], ga.input("y") * 1.0), UnboundInputError, r"<y: .*, declared at .*\['x'\]"),
    (lambda x, w: compiled([], x), UnboundInputError, "<x: "),
    (lambda x, w: compiled([x], [], {w: ga.input("y", shape=3)}), UnboundInputError, "<y: "),
    (lambda x, w: compiled([ga.input("x", shape=(2, 3))], x), UnboundInputError, "use the node that is"),
    (lambda x, w: compiled([x, x], x), DuplicateNameError, "two inputs are called 'x', declared at test_refusals"),
    (lambda x, w: compiled([x, ga.input("x")], x), DuplicateNameError, "two inputs are called 'x'"),
    (lambda x, w: compiled([], w * ga.parameter([1.0], name="w")), DuplicateNameError, r"two parameters .* 'w'"),
    (lambda x, w: compiled([w], w), ArgumentError, "inputs of a function are made by ga.input; got <w"),
    (lambda x, w: compiled([x * 2.0], x), ArgumentError, "inputs of a function are made by ga.input"),
    (lambda x, w: compiled(["x"], x), ArgumentError, "inputs of a function are made by ga.input; got 'x'"),
    (lambda x, w: compiled(None, x), ArgumentError, "a node or a sequence of nodes; got None"),
    (lambda x, w: compiled([x], None), ArgumentError, r"outputs are nodes, .* got None"),
    (lambda x, w: compiled([x], [x, 3.0]), ArgumentError, r"outputs are nodes, .* got 3.0"),
    (lambda x, w: compiled([x], ARRAY), ArgumentError, "outputs are nodes"),
    (lambda x, w: compiled([x], x, {x: x}), ArgumentError, "updates give parameters new values; <x"),
    (lambda x, w: compiled([x], x, {"w": w}), ArgumentError, "updates give parameters new values; 'w'"),
    (lambda x, w: compiled([x], x, [w]), ArgumentError, "updates are a mapping"),
    (lambda x, w: compiled([x], x, {w: 1.0}), ArgumentError, r"new value of <w.* is a node; got 1.0"),
    (lambda x, w: compiled([x], x, {w: w, w.named("v"): w}), ArgumentError, r"<w.* and <v.* are one parameter"),
    (lambda x, w: compiled([x], x, {w: x}), ShapeError, r"value of <w: .* has the type float32\[2, 3"),
    (lambda x, w: compiled([x], x, {w: w > 0.0}), DTypeError, r"new value of <w.* cast it"),
    (lambda x, w: compiled([x], x, backend="cuda"), ArgumentError, "no backend 'cuda': use one of numpy, ref"),
    (lambda x, w: compiled([x], ga.broadcast_to(x, ("n", 2, 3))), ShapeError, "nothing says what n is in <broad"),
    (lambda x, w: compiled([x], x, passes=["cse"]), ArgumentError, "'cse' is no pass"),
    (lambda x, w: compiled([x], x, passes="cse"), ArgumentError, "is no pass"),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_what_cannot_be_compiled_is_refused_by_name(
    make: Callable[[Any, Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(ga.input("x", shape=(2, 3)), ga.parameter([1.0, 2.0, 3.0], name="w"))


def test_a_size_known_only_inside_another_is_asked_for_at_the_call() -> None:
    x = ga.input("x", shape=(2 * Dim.named("half"),))
    step = ga.compile([x], ga.sum(x))
    with pytest.raises(ShapeError, match="nothing says what"):
        step([1, 2])


def test_a_shape_for_which_the_graph_makes_no_sense_names_the_operation_and_leaves_the_function_usable() -> None:
    step = ga.compile([X], X[:2])
    with pytest.raises(ShapeError, match=r"slice\(x.* outside axis 0 of size 1 .*test_refusals.py"):
        step(np.zeros((1, 3)))
    np.testing.assert_array_equal(step(ARRAY), ARRAY)


@both_backends
def test_what_a_kernel_cannot_compute_names_the_operation(backend: str) -> None:
    step = ga.compile([LABELS], LABELS**LABELS, backend=backend)
    with pytest.raises(ExecutionError, match=r"power\(labels.* \(at test_refusals.py:\d+\)"):
        step([-1])


@pytest.mark.parametrize("seed", [-1, 1.5, True, None])
def test_a_seed_that_is_no_integer_from_0_is_refused(seed: Any) -> None:
    x = ga.input("x", shape=(3,))
    with pytest.raises(ArgumentError, match="the seed is an integer from 0"):
        ga.compile([x], x, seed=seed)
    assert ga.compile([x], x, seed=7).seed == 7


def test_the_value_of_a_size_that_no_input_has_is_refused_when_compiled() -> None:
    x = ga.input("x", ("batch",))
    with pytest.raises(ShapeError, match=r"nothing says what n is in .*test_refusals\.py:\d+"):
        ga.compile([x], x * ga.Dim.named("n"))
    assert ga.compile([x], x * x.shape[0])([1.0, 2.0]).tolist() == [2.0, 4.0]
