from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.contraction import Matmul
from graphad.ops.structure import Sum
from graphad.rewrite.products import ROWS_BY_PRODUCTS

X = ga.input("x", (2, 5, 3), "float64")
ARRAY = np.random.default_rng(0).standard_normal((2, 5, 3))


def check(output: Node, x: Node = X) -> Graph:
    graph = Graph((x,), (output,))
    after = ROWS_BY_PRODUCTS.run(graph)
    array = np.resize(ARRAY, x.type.static_shape).astype(x.dtype)
    np.testing.assert_allclose(evaluate(after, [array])[0], evaluate(graph, [array])[0], rtol=1e-12, atol=1e-15)
    return after


def count(graph: Graph, op: type) -> int:
    return sum(isinstance(node.op, op) for node in graph.nodes)


@pytest.mark.parametrize("axes", [(0,), (0, 1), (0, 1, 2), (2,), (1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_over_the_first_axes_or_the_last_are_products(axes: tuple[int, ...], keepdims: bool) -> None:
    after = check(ga.sum(X, axis=axes, keepdims=keepdims))
    assert (count(after, Sum), count(after, Matmul)) == (0, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: ga.sum(x, axis=1),
        lambda x: ga.sum(x, axis=(0, 2)),
        lambda x: ga.sum(x.T, axis=0),
        lambda x: ga.sum(x > 0.0, axis=0),
    ],
    ids=["middle", "around", "a view", "a count"],
)
def test_other_sums_stay(build: Callable[[Node], Node]) -> None:
    after = check(build(X))
    assert (count(after, Sum), count(after, Matmul)) == (1, 0)


def test_a_long_row_is_summed_pairwise_and_long_columns_are_not() -> None:
    for shape, axis, sums in [((2, 5000), 1, 1), ((5000,), 0, 1), ((4000,), 0, 0), ((5000, 2), 0, 0)]:
        x = ga.input("x", shape, "float64")
        assert count(check(ga.sum(x, axis=axis), x), Sum) == sums


def test_a_mean_of_so_many_that_dividing_is_exact_is_one_product() -> None:
    x = ga.input("x", (2, 4, 8), "float64")
    for mean in (ga.mean(x), ga.sum(x) * 0.25, 0.25 * ga.sum(x)):
        assert {node.op.name for node in check(mean, x).nodes} == {"input", "constant", "reshape", "matmul"}


@pytest.mark.parametrize("count", [3, 10, 12, 49, 64])
def test_the_mean_of_ones_is_one(count: int) -> None:
    x = ga.input("x", (count,))
    assert ga.compile([x], ga.mean(x))(np.ones(count, np.float32)) == 1


@pytest.mark.parametrize("factor", [0.0, 0.1, 2.0, np.inf, np.nan])
def test_a_sum_is_scaled_afterwards_if_that_is_not_exact_or_its_terms_would_be_greater(factor: float) -> None:
    found = ga.compile([X], ga.sum(X) * factor)
    assert "np.multiply" in found.source
    np.testing.assert_allclose(found(ARRAY), ARRAY.sum() * factor)


def test_a_mean_of_nothing_is_nan() -> None:
    x = ga.input("x", ("batch",))
    assert np.isnan(ga.compile([x], ga.mean(x))(np.zeros(0, np.float32)))


def test_sums_of_what_is_not_finite_are_what_they_are() -> None:
    step = ga.compile([X], [ga.sum(X, axis=0), ga.sum(X, axis=2)])
    for number in (np.inf, -np.inf, np.nan):
        array = ARRAY.copy()
        array[1, 2, 0] = number
        for found, expected in zip(step(array), (array.sum(0), array.sum(2)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)
