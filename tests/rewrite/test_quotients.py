from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.op import Array
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.quotients import CANCEL

X = ga.input("x", shape=(4, 3), dtype="float64")
A = ga.input("a", shape=(4, 3), dtype="float64")
D = ga.input("d", shape=(4, 3), dtype="float64")
I = ga.input("i", shape=(4, 2), dtype="int64")  # noqa: E741 (an integer)
P, S, E = ga.softmax(X), ga.sigmoid(X), ga.exp(X)
PLACES = np.array([[0, 1], [2, 2], [1, 0], [0, 2]])


def arrays() -> list[Array]:
    generator = np.random.default_rng(0)
    return [*(generator.standard_normal((4, 3)) for _ in range(3)), PLACES]


def cancelled(*nodes: Node) -> Graph:
    """The graph after the pass, which has nothing to do a second time and leaves values what they were."""
    graph = MERGE_EQUAL.run(Graph((X, A, D, I), nodes))
    found = CANCEL.run(graph)
    assert CANCEL.run(found) is found
    for before, after in zip(evaluate(graph, arrays()), evaluate(found, arrays()), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-14)
    return found


def picked(x: Node) -> Node:
    return ga.take_along_axis(x, I, axis=1)


def cotangent(pick: Callable[[Node], Node], of: Node, given: Node) -> Node:
    """What pick sends back to its operand, if it is given something."""
    found: Node = ga.vjp(pick(of), of, given)
    return found


@pytest.mark.parametrize(
    "product",
    [
        (A / P) * P,
        P * (A / P),
        -(A / P) * P,
        (A / P * D) * P,
        (A / E / D) * E,
        (A / S) * (S * (1.0 - S)),
        (A / (1.0 - S)) * (S * (1.0 - S)),
        (A / (E / ga.sum(E, axis=1, keepdims=True)) / ga.sum(E, axis=1, keepdims=True)) * E,
        (A / E + D) * E,
        (D + A / E) * E,
        (A.reshape(3, 4) / P.reshape(3, 4)).reshape(4, 3) * P,
        cotangent(picked, P, A[:, :2] / picked(P)) * P,
        cotangent(lambda p: p[1:, ::2], P, A[1:, ::2] / P[1:, ::2]) * P,
        cotangent(lambda p: ga.take(p, np.array([0, 0, 2]), axis=0), P, A[:3] / P[np.array([0, 0, 2])]) * P,
        cotangent(lambda p: p[np.arange(4), I[:, 0]], P, A[:, 0] / P[np.arange(4), I[:, 0]]) * P,
        cotangent(ga.transpose, P, A.T / P.T) * P,
    ],
)
def test_a_product_with_a_positive_divisor_divides_no_more(product: Node) -> None:
    before = {node.op.name for node in Graph((X, A, D, I), (product,)).nodes}
    assert "divide" in before
    after = cancelled(product).outputs[0]
    divisors = [node.operands[1] for node in Graph((X, A, D, I), (after,)).nodes if node.op.name == "divide"]
    assert all(divisor is D for divisor in divisors)


@pytest.mark.parametrize(
    "node",
    [
        (A / D) * D,
        (A / ga.square(D)) * ga.square(D),
        (A / P) * E,
        (A / P) * S,
        A / P / P,
        (A / P - D) * P,
        (P / A) * P,
        (A / (S * D)) * S,
        cotangent(picked, P, A[:, :2] / picked(S)) * P,
        cotangent(lambda p: ga.take_along_axis(p, I[::-1], axis=1), P, A[:, :2] / picked(P)) * P,
        S * (1.0 - S) * A,
    ],
)
def test_what_might_be_divided_by_zero_and_what_is_no_inverse_stays(node: Node) -> None:
    graph = MERGE_EQUAL.run(Graph((X, A, D, I), (node,)))
    assert CANCEL.run(graph) is graph


def test_a_count_of_nothing_is_still_not_a_number() -> None:
    step = ga.compile([A, D], (A / D) * D)
    assert np.isnan(step(np.ones((4, 3)), np.zeros((4, 3)))).all()


def test_a_quotient_by_what_rounds_to_zero_is_the_dividend() -> None:
    step = ga.compile([X, A], (A / ga.exp(X)) * ga.exp(X))
    np.testing.assert_array_equal(step(np.full((4, 3), -1e4), np.full((4, 3), 2.5)), 2.5)
    np.testing.assert_array_equal(step(np.full((4, 3), 1e4), np.full((4, 3), 2.5)), 2.5)


def test_the_gradient_of_a_softmax_divides_its_sums_and_not_their_terms() -> None:
    gradient = ga.grad(ga.sum(A * P), X)
    before, after = MERGE_EQUAL.run(Graph((X, A, D, I), (gradient,))), cancelled(gradient)
    whole, small = [
        [sum(node.op.name == "divide" and node.shape == shape for node in graph.nodes) for graph in (before, after)]
        for shape in ((4, 3), (4,))
    ]
    assert whole[1] < whole[0]
    assert small == [0, 1]


def test_a_sum_of_quotients_over_other_axes_stays() -> None:
    total = ga.sum(E, axis=1, keepdims=True)
    node = ga.sum(A / total, axis=0)
    assert cancelled(node).outputs[0].op == node.op
