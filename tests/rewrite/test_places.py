import numpy as np
import pytest

import graphad as ga
from graphad.errors import IndexRangeError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.indexing import AddAlongAxis, TakeAlongAxis
from graphad.ops.places import AddPlaces, PlacesInRows, ReadPlaces
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.places import PLACES_IN_ROWS

X, Y = ga.input("x", (4, 3, 5), "float64"), ga.input("y", (4, 3, 1), "int64")
ARRAY = np.random.default_rng(0).standard_normal((4, 3, 5))
LABELS = np.random.default_rng(1).integers(0, 5, (4, 3, 1))


def check(*outputs: Node) -> Graph:
    graph = Graph((X, Y), outputs)
    after = MERGE_EQUAL.run(PLACES_IN_ROWS.run(graph))
    for found, expected in zip(evaluate(after, [ARRAY, LABELS]), evaluate(graph, [ARRAY, LABELS]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-15)
    return after


def count(graph: Graph, op: type) -> int:
    return sum(isinstance(node.op, op) for node in graph.nodes)


def test_reading_one_element_of_each_row_and_adding_to_it_share_their_places() -> None:
    loss = ga.sum(ga.sin(ga.take_along_axis(X, Y, -1)))
    after = check(loss, ga.grad(loss, X))
    assert [count(after, op) for op in (PlacesInRows, ReadPlaces, AddPlaces)] == [1, 1, 1]
    assert not count(after, TakeAlongAxis)
    assert not count(after, AddAlongAxis)


def test_what_is_added_to_places_of_nothing_is_added_to_the_other_term() -> None:
    loss = ga.sum(ga.sin(ga.take_along_axis(X, Y, -1))) + ga.sum(ga.square(X))
    (added,) = (node for node in check(ga.grad(loss, X)).nodes if isinstance(node.op, AddPlaces))
    assert added.operands[0].label != "broadcast_to"
    assert not any(node.op.name == "add" for node in check(ga.grad(loss, X)).nodes)


def test_several_of_each_row_or_of_another_axis_stay_as_they_are() -> None:
    several = ga.input("several", (4, 3, 2), "int64")
    for taken in (ga.take_along_axis(X, several, -1), ga.take_along_axis(X, several[:, :1, :1], 1)):
        graph = Graph((X, several), (taken,))
        assert PLACES_IN_ROWS.run(graph) is graph


@pytest.mark.parametrize("label", [-1, 5])
def test_an_index_outside_its_row_is_an_error_and_not_one_of_the_next_row(label: int) -> None:
    x, y = ga.input("x", ("batch", 5)), ga.input("y", ("batch",), "int64")
    step = ga.compile([x, y], ga.softmax_cross_entropy(x, y))
    with pytest.raises(IndexRangeError, match=r"y: int64.*indices from .* for an axis of size 5.*test_places\.py"):
        step(np.zeros((3, 5)), [0, label, 1])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64", "int64"])
def test_labels_may_be_integers_of_any_kind(dtype: str) -> None:
    x, y = ga.input("x", (3, 5)), ga.input("y", (3,), dtype)
    labels = np.array([4, 0, 2], dtype)
    found = ga.compile([x, y], ga.take_along_axis(x, y.reshape(3, 1), 1))(np.arange(15.0).reshape(3, 5), labels)
    np.testing.assert_array_equal(found, [[4], [5], [12]])
