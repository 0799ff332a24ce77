import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ShapeError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import with_operands
from graphad.ir.tensor_type import Dim, TensorType
from tests.ir.random_graphs import Sample, samples

DECLARATION = """
import graphad as ga
import numpy as np
x, W = ga.input("x", shape=("batch", 4, 3)), ga.parameter(np.ones((3, 5), "float32"), name="W")
h, hs = ga.unroll(lambda h, x: (ga.tanh(x @ W + h),) * 2, ga.constant(np.zeros((1, 5), "float32")), x[:1], axis=1)
print(ga.Graph((x,), (ga.sum(h), ga.grad(ga.sum(h), W))).specialise({"batch": 7}))
"""


def test_a_listing_has_a_line_for_each_node_and_tells_equal_names_apart() -> None:
    x = ga.input("x", shape=("batch", 3))
    h = ga.tanh(x).named("h")
    other = ga.sum(h, axis=0, keepdims=True).named("h")
    assert str(Graph((x,), (other, h))).splitlines() == [
        "x = input() : float32[batch, 3]",
        "h = tanh(x) : float32[batch, 3]",
        "%2 = sum(h; axes=(0,), keepdims=True) : float32[1, 3]",
        "return %2, h",
    ]


def test_the_listing_is_the_same_in_every_process() -> None:
    def listing(seed: str) -> str:
        command = [sys.executable, "-c", DECLARATION]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        return done.stdout

    assert listing("1") == listing("2")
    assert "tanh" in listing("3")


def test_readers_are_listed_in_order_once_for_each_time_they_read() -> None:
    x = ga.input("x", shape=(2, 3))
    double = x + x
    product = double * x
    graph = Graph((x,), (product,))
    assert graph.readers() == {x: [double, double, product], double: [product], product: []}


@given(samples())
def test_specialising_what_has_no_named_sizes_keeps_types_names_and_values(sample: Sample) -> None:
    assert sample.graph.specialise({}) is sample.graph
    found = sample.graph.specialise({"unread": 3})
    assert [node.type for node in found.nodes] == [node.type for node in sample.graph.nodes]
    assert [node.name for node in found.nodes] == [node.name for node in sample.graph.nodes]
    for a, b in zip(evaluate(found, sample.arguments), evaluate(sample.graph, sample.arguments), strict=True):
        np.testing.assert_array_equal(a, b)


def test_specialising_puts_numbers_for_sizes_in_types_and_attributes_and_keeps_names_and_origins() -> None:
    x, y = ga.input("x", shape=("batch", 3)), ga.input("unread", shape=("time",))
    declared = (ga.mean(x.reshape(-1)).named("m"), ga.broadcast_to(x[:1], ("batch", 3)), x[2:])
    graph = Graph((x, y), declared)
    found = graph.specialise({"batch": 7, "time": 5})
    assert [node.type for node in found.inputs] == [TensorType.of((7, 3)), TensorType.of((5,))]
    assert [node.shape for node in found.outputs] == [(), (7, 3), (5, 3)]
    assert [node.name for node in found.outputs] == ["m", None, None]
    assert [node.origin for node in found.outputs] == [node.origin for node in declared]
    values = np.arange(21, dtype=np.float32).reshape(7, 3)
    mean, repeated, rest = evaluate(found, [values, np.zeros(5, np.float32)])
    assert mean == values.mean()
    np.testing.assert_array_equal(repeated, np.broadcast_to(values[:1], (7, 3)))
    np.testing.assert_array_equal(rest, values[2:])
    assert graph.inputs[0].shape == (Dim.named("batch"), 3)


def test_sizes_can_be_given_one_at_a_time() -> None:
    x = ga.input("x", shape=("batch", "time"))
    graph = Graph((x,), (x.reshape(-1),)).specialise({"time": 5})
    assert graph.outputs[0].shape == (5 * Dim.named("batch"),)
    assert graph.specialise({"batch": 3}).outputs[0].shape == (15,)


@pytest.mark.parametrize(
    ("start", "stop", "message"), [(0, 5, "index 0 to 4 is outside axis 0 of size 2"), (3, None, "would be negative")]
)
def test_sizes_that_an_operation_cannot_take_name_it_and_the_line(start: int, stop: int | None, message: str) -> None:
    x = ga.input("x", shape=("batch", 3))
    with pytest.raises(ShapeError, match=rf"slice\(x: .*{message}.*\(at test_graph.py:\d+\)"):
        Graph((x,), (x[start:stop],)).specialise({"batch": 2})


def test_substitution_puts_a_node_in_the_place_of_another_for_all_its_readers() -> None:
    x, y = ga.input("x", shape=(2, 3)), ga.input("y", shape=(2, 3))
    square = (x * x).named("square")
    graph = Graph((x, y), (square + x, ga.exp(square).named("e")))
    found = graph.substitute({square: y})
    a, b = np.full((2, 3), 2.0, np.float32), np.full((2, 3), 5.0, np.float32)
    first, second = evaluate(found, [a, b])
    np.testing.assert_array_equal(first, a + b)
    np.testing.assert_array_equal(second, np.exp(b))
    assert [node.name for node in found.outputs] == [None, "e"]
    assert square not in set(found.nodes)


def test_substituting_what_is_declared_later_moves_its_readers_behind_it() -> None:
    x = ga.input("x", shape=(2, 3))
    early = ga.tanh(x)
    reader = ga.exp(early)
    late = ga.square(x)
    found = Graph((x,), (reader,)).substitute({early: late})
    assert [node.op.name for node in found.nodes] == ["input", "square", "exp"]


def test_a_graph_in_which_nothing_changes_is_the_same_object() -> None:
    x = ga.input("x", shape=(2, 3))
    graph = Graph((x,), (ga.tanh(x), x))
    assert graph.transform(with_operands) is graph
    assert graph.substitute({ga.exp(x): x}) is graph
    assert graph.mapped({}) is graph


def test_deep_graphs_are_walked_without_recursion() -> None:
    x: Node = ga.input("x", shape=("batch",))
    deep = x
    for _ in range(20_000):
        deep = ga.tanh(deep)
    graph = Graph((x,), (deep,))
    assert len(graph.nodes) == 20_001
    assert graph.specialise({"batch": 3}).outputs[0].shape == (3,)
    assert len(str(graph).splitlines()) == 20_002
    assert len(graph.readers()) == 20_001
