import numpy as np
import pytest

import graphad as ga
from graphad import Node
from graphad.ir.node import apply
from graphad.ops.structure import BroadcastTo, Sum
from graphad.rewrite.patterns import alike, is_positive, softmax_terms, total_of

X, Y, SQUARE = ga.input("x", shape=(2, 3)), ga.input("y", shape=(2, 3)), ga.input("square", shape=(3, 3))
E, E3 = ga.exp(X), ga.exp(SQUARE)


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [True, False])
def test_a_softmax_over_any_axes_is_found(axis: int | tuple[int, ...], keepdims: bool) -> None:
    total = ga.sum(E, axis=axis, keepdims=keepdims)
    if not keepdims and axis == 1:
        total = ga.expand_dims(total, 1)
    assert softmax_terms(E / total) is X


def test_a_quotient_by_a_sum_over_other_axes_than_those_it_is_repeated_along_is_no_softmax() -> None:
    rows = ga.sum(E3, axis=1)
    assert softmax_terms(E3 / rows) is None  # the sum of row j divides column j
    assert softmax_terms(E3 / ga.expand_dims(rows, 1)) is SQUARE
    assert softmax_terms(E3 / ga.expand_dims(ga.sum(E3, axis=0), 1)) is None
    assert softmax_terms(E / ga.sum(ga.exp(Y), axis=1, keepdims=True)) is None
    assert softmax_terms(Y / ga.sum(Y, axis=1, keepdims=True)) is None


def test_the_sum_and_its_axes_are_told() -> None:
    total = ga.sum(E, axis=1)
    found = total_of(E, apply(BroadcastTo((2, 3)), total.reshape(2, 1)))
    assert found is not None
    assert found.node is total
    assert found.axes == (1,)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (E, True),
        (ga.sigmoid(X), True),
        (1.0 - ga.sigmoid(X), True),
        (ga.softplus(X), True),
        (ga.softmax(X), True),
        (ga.softmax(X)[:, 0], True),
        (ga.take_along_axis(ga.softmax(X), np.array([[0], [1]]), axis=1), True),
        (1.0 + E * 2.0, True),
        (E * 0.0, False),
        (E * -1.0, False),
        (-E, False),
        (X, False),
        (ga.square(X), False),
        (ga.relu(X), False),
        (1.0 - E, False),
        (ga.sum(ga.exp(ga.input("none", shape=(2, 0))), axis=1), False),
        (E + X, False),
    ],
)
def test_what_is_above_zero_for_every_operand_is_positive(node: Node, expected: bool) -> None:
    assert is_positive(node) == expected


def test_nodes_are_alike_if_they_compute_the_same_thing_in_the_same_way() -> None:
    assert alike(ga.tanh(X + Y), ga.tanh(X + Y))
    assert alike(ga.broadcast_to(ga.constant(0.0), (2, 3)), ga.constant(np.zeros((2, 3), np.float32)) * 1.0) is False
    assert alike(ga.broadcast_to(ga.constant(2.0), (2, 3)), ga.broadcast_to(ga.constant([2.0]), (2, 3)))
    assert not alike(ga.tanh(X), ga.tanh(Y))
    assert not alike(ga.tanh(X), ga.exp(X))
    assert not alike(apply(Sum((0,)), SQUARE), apply(Sum((1,)), SQUARE))
    assert not alike(X, ga.input("x", shape=(2, 3)))
