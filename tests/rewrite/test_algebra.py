from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.node import apply
from graphad.ir.op import Array
from graphad.ops.arithmetic import Add, Subtract
from graphad.ops.control import Recompute
from graphad.ops.slicing import Assemble, Concatenate
from graphad.ops.structure import BroadcastTo, Reshape, Sum, Transpose
from graphad.rewrite.algebra import SIMPLIFY

X = ga.input("x", shape=(2, 3))
Y = ga.input("y", shape=(2, 3))
I = ga.input("i", shape=(4,), dtype="int8")  # noqa: E741 (an integer)
D = ga.input("d", shape=(5,), dtype="float64")
ARRAYS: list[Array] = [
    np.array([[1.5, -2.0, 0.0], [np.inf, np.nan, -0.5]], np.float32),
    np.array([[2.0, 3.0, np.nan], [0.0, -1.0, np.inf]], np.float32),
    np.array([-128, -1, 3, 127], np.int8),
    np.array([0.1, -1e300, 1e-300, np.inf, 3.0]),
]


def simplified(node: Node) -> Node:
    """The node after the pass, which must not change a bit of its value, and which has nothing to do a second time."""
    graph = Graph((X, Y, I, D), (node,))
    found = SIMPLIFY.run(graph)
    assert SIMPLIFY.run(found) is found
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(evaluate(found, ARRAYS)[0], evaluate(graph, ARRAYS)[0])
    assert found.outputs[0].type == node.type
    return found.outputs[0]


ONES = ga.broadcast_to(ga.constant(1.0), (2, 3))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ga.stop_gradient(X), X),
        (X * 1.0, X),
        (1.0 * X, X),
        (X * ONES, X),
        (X * ga.constant([[1.0]]), X),
        (X / 1.0, X),
        (X**1.0, X),
        (X + 0.0, X),
        (0.0 + X, X),
        (X + ga.broadcast_to(ga.constant(0.0), (2, 3)), X),
        (X - 0.0, X),
        (I * 1, I),
        (I + 0, I),
        (apply(Reshape((2, 3)), X), X),
        (ga.expand_dims(X, 0).reshape(2, 3), X),
        (X.reshape(6).reshape(3, 2).reshape(2, 3), X),
        (X.T.T, X),
        (apply(Transpose((0, 1)), X), X),
        (apply(BroadcastTo((2, 3)), X), X),
        (X[:], X),
        (X[0:2, 0:3], X),
        (apply(Sum(()), X), X),
        (ga.negative(-X), X),
        (ga.negative(ga.negative(ga.negative(-X))), X),
        (X.astype("float64").astype("float32"), X),
        (I.astype("int64").astype("int8"), I),
        (ga.stack([X, Y, X], axis=1)[:, 1], Y),
        (ga.stack([X, Y, X], axis=2)[..., 2], X),
    ],
)
def test_what_an_identity_leaves_out_is_left_out(before: Node, after: Node) -> None:
    assert simplified(before) is after


def test_a_difference_takes_the_place_of_a_sum_with_a_negative() -> None:
    for before, op in ((X + -Y, Subtract()), (X - -Y, Add())):
        found = simplified(before)
        assert (found.op, found.operands) == (op, (X, Y))
    found = simplified(I - -I)
    assert (found.op, found.operands) == (Add(), (I, I))


@pytest.mark.parametrize(
    ("before", "op", "operand"),
    [
        (X.reshape(6).reshape(3, 2), Reshape((3, 2)), X),
        (
            ga.transpose(ga.transpose(ga.expand_dims(X, 0), (2, 0, 1)), (1, 0, 2)),
            Transpose((0, 2, 1)),
            None,
        ),
        (ga.broadcast_to(ga.broadcast_to(X, (4, 2, 3)), (5, 4, 2, 3)), BroadcastTo((5, 4, 2, 3)), X),
    ],
)
def test_views_of_views_become_one_view(before: Node, op: object, operand: Node | None) -> None:
    found = simplified(before)
    assert found.op == op
    assert operand is None or found.operands == (operand,)
    assert not found.operands[0].operands or type(found.operands[0].op) is not type(found.op)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x * 0.0,
        lambda x: 0.0 * x,
        lambda x: x - x,
        lambda x: x / x,
        lambda x: 0.0 / x,
        lambda x: 0.0 - x,
        lambda x: 1.0 / x,
        lambda x: 1.0**x,
        lambda x: x**0.0,
        lambda x: x**2.0,
        lambda x: x + 1.0,
        lambda x: x * 2.0,
        lambda x: x - -0.5,
        lambda x: ga.maximum(x, x),
        lambda x: ga.where(x > 0.0, x, x),
        lambda x: x.T,
        lambda x: x[::-1],
        lambda x: x[:, 0:2],
        lambda x: ga.sum(x, axis=0),
        lambda x: ga.sum(x[:1], axis=0, keepdims=True),
        lambda x: ga.broadcast_to(x, (1, 2, 3)),
        lambda x: x.T.reshape(2, 3),
        lambda x: x.astype("float64").astype("int64"),
        lambda x: x.astype("int64").astype("float32"),
        lambda x: ga.stack([x, x], axis=0)[0, 1],
        lambda x: ga.stack([x, x], axis=0)[:, 1],
        lambda x: ga.stack([x, x], axis=0)[0:1],
        lambda x: -x + x,
    ],
)
def test_what_would_be_wrong_for_some_number_is_not_touched(build: Callable[[Node], Node]) -> None:
    graph = Graph((X,), (build(X),))
    assert SIMPLIFY.run(graph) is graph


def test_a_cast_through_a_narrower_dtype_is_kept_since_it_rounds() -> None:
    narrow = D.astype("float32").astype("float64")
    assert simplified(narrow) is narrow
    wrapped = I.astype("uint8").astype("int8")
    assert simplified(wrapped) is wrapped
    through_float = ga.input("big", shape=(2,), dtype="int64").astype("float32").astype("int64")
    graph = Graph(through_float.operands[0].operands, (through_float,))
    assert SIMPLIFY.run(graph) is graph


def test_names_of_what_is_rebuilt_stay() -> None:
    found = simplified((X + -Y).named("difference"))
    assert found.name == "difference"
    assert found.origin.source is not None
    assert found.origin.source[0] == __file__


def test_what_only_stops_a_gradient_is_dropped_but_a_barrier_stays() -> None:
    assert simplified(ga.stop_gradient(X)) is X
    kept = apply(Recompute(), X)
    assert simplified(kept) is kept
    assert simplified(apply(Recompute(), ga.stop_gradient(X), ga.clip_gradient(Y, -1, 1))).operands == (X, Y)


def test_parts_that_are_assembled_side_by_side_are_concatenated() -> None:
    x = ga.input("x", (2, 6), "float64")
    halves = ga.sum(ga.sin(x[:, 4:]) * 2.0) + ga.sum(ga.exp(x[:, :4]))
    (gradient,) = SIMPLIFY.run(Graph((x,), (ga.grad(halves, x),))).outputs
    assert gradient.op == Concatenate(1)
    array = np.arange(12.0).reshape(2, 6)
    expected = np.concatenate([np.exp(array[:, :4]), 2 * np.cos(array[:, 4:])], axis=1)
    np.testing.assert_allclose(evaluate(Graph((x,), (gradient,)), [array])[0], expected)


def test_parts_that_overlap_leave_gaps_or_step_are_assembled() -> None:
    x = ga.input("x", (2, 6), "float64")
    for loss in (
        ga.sum(ga.sin(x[:, 3:])) + ga.sum(ga.exp(x[:, :4])),
        ga.sum(ga.sin(x[:, 5:])) + ga.sum(ga.exp(x[:, :4])),
        ga.sum(ga.sin(x[:, ::2])) + ga.sum(ga.exp(x[:, 1::2])),
        ga.sum(ga.sin(x[:, 0])) + ga.sum(ga.exp(x[:, 1:])),
    ):
        (gradient,) = SIMPLIFY.run(Graph((x,), (ga.grad(loss, x),))).outputs
        assert isinstance(gradient.op, Assemble)
