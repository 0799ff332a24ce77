"""Every public builder, given what it cannot take: a typed error when it is called, that says what was asked and where.

What is not refused must mean something: then both backends compute it, and agree.
"""

from __future__ import annotations

import inspect
import math
import re
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad import Dim, Node
from graphad.errors import ArgumentError, DTypeError, GraphadError, IndexRangeError, ShapeError
from graphad.ir import nest
from graphad.ir.leaves import Input
from graphad.ir.op import Array
from graphad.ir.operators import builders
from graphad.ir.tensor_type import TensorType
from tests.rows.calls import CALLS, Call, accumulate, floats, integers, truths
from tests.rows.sample import FunctionSample, inputs_for
from tests.samples import FUNCTIONS

LOCATED = re.compile(r"(\w+\(.*\)|the step function \w+): .+ \(at (step \d+ )?\w+\.py:\d+\)", re.DOTALL)
LARGEST = 10_000
SIZE = 4
NAN, INF = math.nan, math.inf


def ring() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


def well() -> list[Any]:
    """A list in a list, thousands deep."""
    found: list[Any] = []
    for _ in range(5_000):
        found = [found]
    return found


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, -7, 99, -99, 2**70, -(2**70), 10**400),
    *(0.5, NAN, INF, -INF, 1j, np.float32(0.5), np.float64(NAN), np.int8(-3), np.datetime64("2020-01-01")),
    *("", "two words", "complex 64", b"bytes", object(), len, int, range(3), slice(None), slice(1, "a"), ...),
    *([], (), {}, {1: 2}, {1, 2}, [None], ["two words"], (1.5,), (0, 0), (0, 1), (1, 0), (-1, -2), (5,), (99,)),
    *(tuple(range(8)), (True,), ((0, 1), (1, 0)), (None, None), [[1], [2, 3]], [[[]]], ring(), well()),
    *(np.array(1), np.array([0.5]), np.array([1, 1]), np.array(["two words"]), np.array([None]), np.array([1j])),
    *(np.zeros((5, 3)), np.zeros((5, 3), np.float16), np.zeros((5, 3), int), np.zeros(3, [("a", "f4")])),
    *(Dim.named("n"), ("n",), ("n", 3), "batch"),
)
OPERANDS: tuple[Any, ...] = (
    *(floats(), floats(5, 3), floats(3), floats(5), floats(2, 3, 4), floats(0), floats(0, 3), floats(1, 1)),
    *(floats("n"), floats("n", 3), floats(2, 3, 4, 5, 6), ga.input("wide", (5, 3), "float64")),
    *(integers(), integers(5, 3), ga.input("small", (3,), "uint8"), truths(5), truths(5, 3)),
    *([floats(5, 3), floats(3)], (floats(5, 3), floats(5, 3)), [floats(5, 3), None]),
)
SIZES = floats("n", "batch")
"""Says what the named sizes are, whatever else does."""


def spoiled(call: Call, others: tuple[Any, ...]) -> Iterator[Callable[[], Any]]:
    """The call with each of its arguments in turn replaced by each of others."""
    for other in others:
        for i in range(len(call.arguments)):
            arguments = (*call.arguments[:i], other, *call.arguments[i + 1 :])
            yield partial(call.builder, *arguments, **call.keywords)
        for name in call.keywords:
            yield partial(call.builder, *call.arguments, **{**call.keywords, name: other})


def attempt(build: Callable[[], Any]) -> list[Node]:
    """The nodes that are built; none, if they are refused as they should be."""
    try:
        built = build()
    except GraphadError as error:
        assert_located(error)
        return []
    nodes = [leaf for leaf in nest.leaves(built) if isinstance(leaf, Node)]
    return nodes if all(math.prod(specialised(node).static_shape) <= LARGEST for node in nodes) else []


def assert_located(error: GraphadError) -> None:
    """The message says what was asked, of which operands, and in which line of whose code."""
    assert LOCATED.fullmatch(str(error)), str(error)


def specialised(node: Node) -> TensorType:
    """The type of a node, all named sizes being `SIZE`."""
    return node.type.specialise({"n": SIZE, "batch": SIZE})


def assert_both_backends_agree(nodes: list[Node]) -> None:
    """They compute the same numbers, of the declared type, or refuse at the call alike; all nodes at once or each."""
    try:
        expected = computed(nodes, "reference")
    except GraphadError as error:
        if len(nodes) > 1:
            for part in (nodes[: len(nodes) // 2], nodes[len(nodes) // 2 :]):
                assert_both_backends_agree(part)
        else:
            with pytest.raises(type(error)):
                computed(nodes, "numpy")
        return
    for node, found, wanted in zip(nodes, computed(nodes, "numpy"), expected, strict=True):
        assert TensorType.of(np.shape(found), np.asarray(found).dtype) == specialised(node)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=str(node))


def computed(nodes: list[Node], backend: str) -> list[Array]:
    """Their values on operands between 1/2 and 2, and of integers 0 and 1."""
    inputs = [SIZES, *inputs_of(nodes)]
    arrays: list[Array] = ga.compile(inputs, nodes, backend=backend, seed=3)(*map(drawn, inputs))
    return arrays


def inputs_of(nodes: list[Node]) -> list[Node]:
    """The inputs that nodes depend on, in the order of their declaration."""
    seen, waiting = {SIZES}, list(nodes)
    found = []
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += node.operands
            found += [node] if isinstance(node.op, Input) else []
    names = [node.name for node in found]
    return sorted(found, key=lambda node: node.origin.rank if names.count(node.name) == 1 else 0)


def drawn(node: Node) -> Array:
    """An argument for an input."""
    shape = specialised(node).static_shape
    generator = np.random.default_rng(len(shape))
    if node.dtype.kind == "f":
        return generator.uniform(0.5, 2.0, shape).astype(node.dtype)
    return generator.integers(0, 2, shape).astype(node.dtype)


def test_every_public_builder_has_a_call() -> None:
    public = {name for name, build in builders().items() if getattr(ga, name, None) is build}
    assert public == {call.name for call in CALLS}
    assert len(CALLS) > 200


every = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.label)


@every
def test_the_call_itself_is_taken(call: Call) -> None:
    nodes = attempt(partial(call.builder, *call.arguments, **call.keywords))
    assert nodes or call.name in {"rnn_cell", "lstm_cell", "gru_cell"}
    assert_both_backends_agree([node for node in nodes if call.name != "input"] or [SIZES])


@every
def test_another_value_is_refused_or_serves(call: Call) -> None:
    others = [other for other in VALUES if not (call.name == "array_split" and isinstance(other, int) and other > 99)]
    attempts = [attempt(build) for build in spoiled(call, tuple(others))]
    assert [] in attempts
    if call.name not in {"input", "parameter", "constant"}:
        assert_both_backends_agree([node for nodes in attempts for node in nodes] or [SIZES])


@every
def test_another_operand_is_refused_or_serves(call: Call) -> None:
    attempts = [attempt(build) for build in spoiled(call, OPERANDS)]
    if call.name not in {"input", "parameter", "constant"}:
        assert_both_backends_agree([node for nodes in attempts for node in nodes] or [SIZES])


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.label)
def test_a_row_of_other_operands_is_refused_or_serves(row: FunctionSample) -> None:
    arrays = row.arrays()
    for i, array in enumerate(arrays):
        for other in alike(array):
            inputs = inputs_for([*arrays[:i], other, *arrays[i + 1 :]])
            try:
                nodes = attempt(partial(row.build, *inputs))
            except (IndexError, TypeError, ValueError) as error:
                if Path(traceback.extract_tb(error.__traceback__)[-1].filename).parent.name != "rows":
                    raise  # and not the row itself asks for a size that is not there
            else:
                assert_both_backends_agree(nodes or [SIZES])


def alike(array: Array) -> Iterator[Array]:
    """Arrays of another rank, size or dtype."""
    yield array[np.newaxis]
    if array.ndim:
        yield array[0]
        yield array[1:]
        yield np.concatenate([array, array], axis=-1)
    for dtype in ("int64", "bool", "uint8", "float32"):
        yield np.nan_to_num(array, posinf=1, neginf=0).astype(dtype)


@every
def test_a_parameter_that_there_is_not_is_a_type_error(call: Call) -> None:
    with pytest.raises(TypeError, match="unheard_of"):
        call.builder(*call.arguments, **call.keywords, unheard_of=1)


@every
def test_missing_and_superfluous_operands_are_a_type_error(call: Call) -> None:
    parameters = inspect.signature(call.builder).parameters.values()
    takes_any = {"broadcast_arrays", "atleast_1d", "atleast_2d", "meshgrid", "einsum"}
    if call.name not in takes_any:
        with pytest.raises(TypeError):
            call.builder(*[floats(5, 3)] * (len(parameters) + 9))
        with pytest.raises(TypeError):
            call.builder()


X, VECTOR, SCALAR = ga.input("x", (5, 3)), ga.input("v", (3,)), ga.input("s")
BATCHED, PLACES = ga.input("b", ("batch", 3)), ga.input("i", (4,), "int64")
FLAGS, IMAGE = ga.input("flags", (5, 3), "bool"), ga.input("image", (2, 6, 5, 4))
F: Any = ga
CASES: tuple[tuple[Callable[[], Any], type[GraphadError], str], ...] = (
    # elementwise: number of operands, shapes, dtypes
    (F.exp, ArgumentError, r"exp\(\): it takes 1 operand; 0 are given"),
    (lambda: F.exp(X, X), ArgumentError, r"exp\(x: float32\[5, 3\], x: float32\[5, 3\]\): it takes 1 operand; 2"),
    (lambda: F.erf(X, X), ArgumentError, "it takes 1 operand; 2 are given"),
    (lambda: F.add(X), ArgumentError, r"add\(x: float32\[5, 3\]\): it takes 2 operands; 1 are given"),
    (lambda: X + PLACES, ShapeError, r"add\(x: float32\[5, 3\], i: int64\[4\]\): .*3 meets 4"),
    (lambda: X * "a", DTypeError, r"multiply\(x: float32\[5, 3\], 'a'\): dtype <U1 is not supported"),
    (lambda: X + None, DTypeError, r"add\(x: float32\[5, 3\], None\): dtype object is not supported"),
    (lambda: X + 1j, DTypeError, "real and imaginary"),
    (lambda: ga.add(X, [[1], [2, 3]]), ShapeError, r"add\(x: .*, \[\[1\], \[2, 3\]\]\): the value is no array"),
    (lambda: FLAGS - FLAGS, DTypeError, r"subtract\(flags: bool\[5, 3\], .*truth values"),
    (lambda: ga.bitwise_and(X, X), DTypeError, r"bitwise_and\(x: float32\[5, 3\], "),
    (lambda: ga.where(X, X, X), DTypeError, r"where\(x: float32\[5, 3\], "),
    (lambda: ga.round(X, decimals=0.5), GraphadError, r"round\(x: float32\[5, 3\], decimals=0\.5\): .*integer"),  # type: ignore[arg-type]
    # constants
    (lambda: ga.constant([None], "float32"), DTypeError, r"constant\(\[None\], 'float32'\): the value is of object"),
    (lambda: ga.constant(np.array([1j]), "float32"), DTypeError, "complex128"),
    (lambda: ga.constant(["1.5"], "float32"), DTypeError, "give numbers or truth values"),
    (lambda: ga.parameter(None, dtype="float32"), DTypeError, r"parameter\(None, dtype='float32'\)"),
    (lambda: F.constant(1.0, name=3), ArgumentError, "name is a text, or None; got 3"),
    (lambda: ga.full((2, -1), 1.0), ShapeError, r"full\(\(2, -1\), 1\.0\): a size is an integer >= 0"),
    (lambda: ga.zeros(2**70), ShapeError, "a size is an integer >= 0"),
    (lambda: ga.zeros((2, 1.5)), ShapeError, "a size is an integer >= 0"),
    (lambda: ga.arange(NAN), GraphadError, r"arange\(nan\): .*"),
    (lambda: F.arange(SCALAR), ArgumentError, "start is a number known now; got <s: float32"),
    (lambda: ga.eye(3, k=2**70), GraphadError, r"eye\(3, k=\d+\.*\d+\): .*integer"),
    # reductions: axes and flags
    (lambda: ga.sum(X, 2), ShapeError, r"sum\(x: float32\[5, 3\], 2\): axis 2 is out of range for a value of 2 axes"),
    (lambda: ga.max(X, (0, -2)), ShapeError, "names one axis twice"),
    (lambda: ga.mean(X, 0.5), DTypeError, "an axis is an integer; got 0.5"),
    (lambda: ga.std(X, NAN), DTypeError, "an axis is an integer; got nan"),
    (lambda: ga.prod(X, "0"), DTypeError, "an axis is an integer; got '0'"),
    (lambda: ga.any(X, True), DTypeError, "an axis is an integer; got True"),
    (lambda: F.sum(X, keepdims="no"), ArgumentError, "keepdims is True or False; got 'no'"),
    (lambda: F.sort(X, descending=1), ArgumentError, r"sort\(x: .*descending is True or False; got 1"),
    (lambda: ga.softmax(SCALAR), ShapeError, r"axis -1 is out of range for a value of 0 axes: it has none"),
    # structure
    (lambda: ga.transpose(X, (0, 0)), ShapeError, "names one axis twice"),
    (lambda: F.transpose(X, 0), ArgumentError, r"transpose\(x: .*, 0\): axes is a list or a tuple, or None; got 0"),
    (lambda: F.rot90(X, axes=1), ArgumentError, "axes is a list or a tuple; got 1"),
    (lambda: ga.reshape(X, (4, -1)), ShapeError, r"reshape\(x: float32\[5, 3\], \(4, -1\)\): .*not divisible by 4"),
    (lambda: ga.squeeze(X, 0), ShapeError, "axis 0 has size 5, not 1"),
    (lambda: F.stack(SCALAR), ArgumentError, "parts is a list or a tuple; got <s: float32"),
    (lambda: F.concatenate("ab"), ArgumentError, "parts is a list or a tuple; got 'ab'"),
    (lambda: F.stack({X, VECTOR}), ArgumentError, "parts is a list or a tuple"),
    (lambda: ga.vstack([]), ShapeError, "nothing to join"),
    (lambda: ga.concatenate([X, VECTOR]), ShapeError, r"concatenate\(x: float32\[5, 3\], v: float32\[3\]\)"),
    (lambda: ga.split(X, 2), ShapeError, "not divisible by 2"),
    (lambda: ga.pad(X, -1), ShapeError, "not negative"),
    (lambda: F.pad(X, 1, mode=["edge"]), ArgumentError, r"mode is a text; got \['edge'\]"),
    (lambda: ga.pad(X, 1, constant_values=[[1], [2, 3]]), GraphadError, r"pad\(x: float32\[5, 3\], 1, "),
    (lambda: ga.repeat(BATCHED, [1, 2], axis=0), GraphadError, r"repeat\(b: float32\[batch, 3\], \[1, 2\], axis=0\)"),
    (lambda: ga.unstack(BATCHED), ShapeError, "must be known; axis 0 has size batch"),
    # indices
    (lambda: X[5], IndexRangeError, "index 5 is out of range for axis 0 of size 5"),
    (lambda: X[0.5], DTypeError, "0.5 is no index"),
    (lambda: X[0, 0, 0], ShapeError, "3 indices for 2 axes"),
    (lambda: X[[[1], [2, 3]]], ShapeError, "the value is no array"),
    (lambda: ga.take(X, [5], axis=0), IndexRangeError, "index 5 is out of range for an axis of size 5"),
    (lambda: ga.take(X, X, axis=0), DTypeError, "indices must be integers, not float32"),
    (lambda: ga.one_hot(PLACES, -1), ShapeError, "a size is an integer >= 0 .*got -1"),
    (lambda: F.ravel_multi_index(3, (5, 3)), ArgumentError, "multi_index is a list or a tuple; got 3"),
    (lambda: ga.dynamic_slice(X, [9, 0], (1, 1)), IndexRangeError, r"dynamic_slice\(x: float32\[5, 3\], \[9, 0\]"),
    # contraction
    (lambda: X @ X, ShapeError, r"matmul\(x: float32\[5, 3\], x: float32\[5, 3\]\): "),
    (lambda: X @ SCALAR, ShapeError, r"matmul\(x: float32\[5, 3\], s: float32\[\]\): "),
    (lambda: ga.einsum("ij,jk", X, X), ShapeError, r"einsum\('ij,jk', x: float32\[5, 3\], x: float32\[5, 3\]\): "),
    (lambda: ga.tensordot(X, X, axes=3), ShapeError, "3 axes cannot meet"),
    (lambda: F.multi_dot(7), ArgumentError, "arrays is a list or a tuple; got 7"),
    (lambda: ga.conv2d(IMAGE, X), ShapeError, r"conv2d\(image: float32\[2, 6, 5, 4\], x: float32\[5, 3\]\): "),
    (lambda: ga.max_pool2d(IMAGE, 0), ArgumentError, "size is a positive integer"),
    (lambda: ga.avg_pool2d(IMAGE, 2, padding=np.array([1, 1])), GraphadError, r"avg_pool2d\(image: .*\): "),
    # order, normalisation, losses, random numbers
    (lambda: ga.topk(X, 4), ShapeError, "there are no 4 greatest of 3"),
    (lambda: F.searchsorted(VECTOR, X, side=0), GraphadError, 'side is "left" or "right"; got 0'),
    (lambda: F.layer_norm(X, epsilon=None), ArgumentError, "epsilon is a number known now; got None"),
    (lambda: F.huber(X, X, delta="a"), ArgumentError, "delta is a number known now; got 'a'"),
    (lambda: ga.huber(X, X, delta=NAN), ArgumentError, "delta is where the square ends, a positive number; got nan"),
    (lambda: ga.mse(X, PLACES), ShapeError, r"mse\(x: float32\[5, 3\], i: int64\[4\]\): "),
    (lambda: ga.softmax_cross_entropy(X, PLACES), ShapeError, r"softmax_cross_entropy\(x: float32\[5, 3\], i: "),
    (lambda: F.softmax_cross_entropy(X, PLACES, [0.1]), ArgumentError, "label_smoothing is a number known now"),
    (lambda: ga.l2_penalty(ring()), ArgumentError, r"l2_penalty\(.*\): these arguments do not serve: .*recursion"),
    (lambda: ga.clip_gradient(X, -1, 10**400), ArgumentError, "these arguments do not serve: int too large"),
    (lambda: ga.normal((2,), dtype="int32"), DTypeError, "it draws floats, not int32"),
    (lambda: ga.permutation(X), ShapeError, r"permutation\(x: float32\[5, 3\]\): a size is an integer"),
    # recurrence
    (lambda: F.unroll(None, X, X), ArgumentError, "the cell is a step function"),
    (lambda: ga.unroll(accumulate, VECTOR, BATCHED), ShapeError, "needs to know the number of steps"),
    (lambda: F.unroll(accumulate, VECTOR, X, truncate="1"), ArgumentError, "truncate is a number of steps"),
    (lambda: F.unroll(accumulate, VECTOR, steps=2.0), ArgumentError, "steps is an integer >= 0; got 2.0"),
    (lambda: F.unroll(accumulate, VECTOR, X, reverse="yes"), ArgumentError, "reverse is True or False; got 'yes'"),
    (lambda: F.bidirectional(accumulate, accumulate, X, merge=[1]), ArgumentError, "merge is a text, or None"),
    (lambda: ga.lstm_cell(X, X), ShapeError, r"lstm_cell\(x: float32\[5, 3\], x: float32\[5, 3\]\): with n units"),
)


@pytest.mark.parametrize(("build", "kind", "message"), CASES, ids=[case[2] for case in CASES])
def test_what_is_wrong_is_said(build: Callable[[], Any], kind: type[GraphadError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        build()
    assert re.search(rf"\(at {Path(__file__).name}:\d+\)", str(caught.value))


def test_what_a_step_function_raises_is_its_own() -> None:
    def cell(carry: Node, x_t: Node) -> tuple[Node, Node]:
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$") as caught:
        ga.unroll(cell, VECTOR, X)
    assert not isinstance(caught.value, GraphadError)


def test_the_cause_of_what_was_not_foreseen_is_kept() -> None:
    with pytest.raises(ArgumentError) as caught:
        ga.l2_penalty(ring())
    assert isinstance(caught.value.__cause__, RecursionError)
