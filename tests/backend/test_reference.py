import numpy as np

import graphad as ga
from graphad import Graph
from graphad.backend.reference import ReferenceExecutable

X = ga.input("x", shape=(2, 3))
ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)


def test_what_the_caller_gets_is_its_own() -> None:
    w = ga.parameter(np.full((2, 3), 7.0, np.float32))
    executable = ReferenceExecutable(Graph((X,), (X, w, X, w + X)), [w])
    given = ARRAY.copy()
    executable.compute([given])
    results = executable.results()
    for result in results:
        result[:] = -1.0
    np.testing.assert_array_equal(given, ARRAY)
    assert (w.value == 7.0).all()
    executable.commit()
    np.testing.assert_array_equal(w.value, 7.0 + ARRAY)


def test_a_result_without_axes_is_a_number() -> None:
    executable = ReferenceExecutable(Graph((X,), (ga.sum(X), X[0, 1], X[0])), [])
    executable.compute([ARRAY])
    total, one, row = executable.results()
    assert isinstance(total, np.float32)
    assert isinstance(one, np.float32)
    assert isinstance(row, np.ndarray)
    assert [total.item(), one.item()] == [21.0, 2.0]


def test_the_source_is_the_listing_of_the_graph() -> None:
    graph = Graph((X,), (ga.tanh(X),))
    assert ReferenceExecutable(graph, []).source == f"{graph}\n"
