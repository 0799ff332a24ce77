import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.node import same
from graphad.rewrite.cse import MERGE_EQUAL
from tests.ir.random_graphs import Sample, samples

X, Y = ga.input("x", shape=(2, 3)), ga.input("y", shape=(2, 3))


def merged(*outputs: Node) -> tuple[Node, ...]:
    return MERGE_EQUAL.run(Graph((X, Y), outputs)).outputs


def test_equal_computations_become_the_first_of_them() -> None:
    first, second, third = ga.tanh(X * Y), ga.tanh(X * Y), ga.tanh(X * Y)
    assert merged(first, second, third) == (first, first, first)


def test_equality_goes_up_through_whole_expressions() -> None:
    def expression() -> Node:
        return ga.sum(ga.exp(X @ Y.T) / 3.0, axis=0, keepdims=True)

    first, second = expression(), expression()
    found = merged(first, second, second + 1.0)
    assert found[0] is found[1] is first
    assert found[2].operands[0] is first


@pytest.mark.parametrize("function", [ga.add, ga.multiply, ga.maximum, ga.minimum, ga.equal, ga.not_equal])
def test_operands_of_commutative_operations_merge_in_either_order(function: object) -> None:
    assert callable(function)
    first = function(X, Y)
    assert merged(first, function(Y, X)) == (first, first)


@pytest.mark.parametrize("function", [ga.subtract, ga.divide, ga.power, ga.less, ga.greater])
def test_operands_of_other_operations_do_not(function: object) -> None:
    assert callable(function)
    first, second = function(X, Y), function(Y, X)
    assert merged(first, second) == (first, second)


def test_attributes_and_types_tell_operations_apart() -> None:
    outputs = (
        ga.sum(X, axis=0),
        ga.sum(X, axis=1),
        ga.sum(X, axis=1, keepdims=True),
        X[0],
        X[1],
        X.reshape(3, 2),
        ga.transpose(X),
        X.astype("float64"),
        X.astype("int8"),
    )
    assert same(merged(*outputs), outputs)


def test_neither_inputs_nor_parameters_merge_however_alike() -> None:
    v, w = ga.parameter(np.zeros((2, 3), np.float32)), ga.parameter(np.zeros((2, 3), np.float32))
    outputs = (v, w, ga.tanh(v), ga.tanh(w), ga.tanh(X), ga.tanh(Y))
    assert same(merged(*outputs), outputs)


def test_constants_merge_by_their_bits() -> None:
    zero, again, minus, nan, wide = (
        ga.constant(value) for value in (0.0, 0.0, -0.0, np.float32(np.nan), np.float64(0.0))
    )
    nan_again = ga.constant(np.float32(np.nan))
    assert merged(zero, again, minus, nan, nan_again, wide) == (zero, zero, minus, nan, nan, wide)


def test_two_names_of_one_computation_merge() -> None:
    w = ga.parameter(np.zeros((2, 3), np.float32), name="w")
    alias = w.named("v")
    first, second = ga.tanh(w), ga.tanh(alias)
    assert merged(first, second, alias) == (first, first, w)


def test_a_graph_without_repetitions_is_the_same_object() -> None:
    graph = Graph((X, Y), (ga.tanh(X) + Y, X))
    assert MERGE_EQUAL.run(graph) is graph


@given(samples(rounding=True))
def test_no_two_nodes_of_the_result_compute_the_same_and_values_stay(sample: Sample) -> None:
    found = MERGE_EQUAL.run(sample.graph)
    kinds = [(node.op, node.operands) for node in found.nodes]
    assert len(set(kinds)) == len(kinds)
    assert MERGE_EQUAL.run(found) is found
    for a, b in zip(evaluate(found, sample.arguments), evaluate(sample.graph, sample.arguments), strict=True):
        np.testing.assert_array_equal(a, b)
