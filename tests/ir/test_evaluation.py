import numpy as np
import pytest

import graphad as ga
from graphad import Graph
from graphad.errors import ExecutionError, IndexRangeError
from graphad.ir.evaluation import evaluate

X = ga.input("x", shape=(2, 3))
ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)


def test_outputs_may_be_inputs_constants_parameters_and_one_node_twice() -> None:
    w = ga.parameter(np.full(5, 7.0, np.float32))
    outputs = (X, ga.constant(2.0), w, X * 2.0)
    found = evaluate(Graph((X,), (*outputs, outputs[3])), [ARRAY])
    for array, expected in zip(found, (ARRAY, 2.0, [7.0] * 5, 2 * ARRAY, 2 * ARRAY), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("index", "depth"), [(7, 3), (-1, 3), (0, 0)])
def test_an_index_outside_its_axis_names_the_node_and_the_line(index: int, depth: int) -> None:
    i = ga.input("i", shape=(1,), dtype="int64")
    graph = Graph((i,), (ga.one_hot(i, depth),))
    with pytest.raises(IndexRangeError, match=r"one_hot\(i: int64\[1\]\).*test_evaluation.py:\d+"):
        evaluate(graph, [np.array([index])])


def test_what_else_a_kernel_raises_is_an_execution_error() -> None:
    i = ga.input("i", shape=(1,), dtype="int64")
    with pytest.raises(ExecutionError, match=r"power\(i: int64\[1\], .*negative"):
        evaluate(Graph((i,), (i**i,)), [np.array([-1])])


def test_warnings_of_numpy_are_not_the_users_concern() -> None:
    (found,) = evaluate(Graph((X,), (ga.log(X - 1.0),)), [ARRAY])
    assert found[0, 0] == -np.inf
