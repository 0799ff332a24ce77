from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ops.contraction import Factor, Matmul, contract
from graphad.ops.structure import Reshape, Transpose
from graphad.schedule.program import schedule
from tests.autodiff.differences import central_gradient_of, value, values

PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((5, 2, 0), (0, 4)),
    ((5, 0, 3), (3, 4)),
]


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_matmul_is_numpys(shapes: tuple[tuple[int, ...], tuple[int, ...]], backend: str) -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.standard_normal(shape) for shape in shapes)
    x, y = ga.input("x", a.shape, "float64"), ga.input("y", b.shape, "float64")
    found = ga.compile([x, y], x @ y, backend=backend)(a, b)
    np.testing.assert_allclose(found, a @ b, rtol=1e-12)
    assert found.shape == (x @ y).shape == (a @ b).shape


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
def test_gradients_agree_with_central_differences(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    generator = np.random.default_rng(1)
    a, b = (generator.standard_normal(shape) for shape in shapes)
    x, y = ga.input("x", a.shape, "float64"), ga.input("y", b.shape, "float64")
    loss = ga.sum(ga.sin(x @ y))
    for node, found in zip([x, y], values(ga.grad(loss, [x, y]), {x: a, y: b}), strict=True):
        np.testing.assert_allclose(found, central_gradient_of(loss, node, {x: a, y: b}), atol=1e-8)


def test_many_matrices_times_one_are_one_product_of_their_rows() -> None:
    x, W = ga.input("x", ("batch", 7, 3), "float64"), ga.parameter(np.ones((3, 4)), "W")
    (product,) = [node for node in Graph((x,), (x @ W,)).nodes if isinstance(node.op, Matmul)]
    assert str(product.type) == "float64[7*batch, 4]"


def test_gradients_multiply_by_transposed_views_and_copy_nothing() -> None:
    x, W = ga.input("x", (5, 3)), ga.input("W", (3, 4))
    graph = Graph((x, W), tuple(ga.grad(ga.sum(ga.sin(x @ W)), [x, W])))
    products = [node for node in schedule(graph, ()).statements if isinstance(node.op, Matmul)]
    transposed = [[isinstance(operand.op, Transpose) for operand in node.operands] for node in products]
    assert sorted(transposed) == [[False, False], [False, True], [True, False]]
    assert not any(isinstance(node.op, Transpose) for node in schedule(graph, ()).statements)


def test_a_labelled_product_leaves_its_operands_where_they_lie() -> None:
    queries, keys = ga.input("q", (2, 5, 3, 4)), ga.input("k", (2, 6, 3, 4))
    scores = contract(Factor(queries, tuple("bihd")), Factor(keys, tuple("bjhd")), "bhij")
    assert scores.labels == tuple("bhij")
    (product,) = schedule(Graph((queries, keys), (scores.node,)), ()).statements
    assert isinstance(product.op, Matmul)


def test_labels_that_lie_in_front_are_gathered_by_a_transposed_view() -> None:
    x, y = ga.input("x", (2, 3, 4)), ga.input("y", (2, 3, 5))
    product = contract(Factor(x, tuple("ijk")), Factor(y, tuple("ijl")), "kl").node
    assert [node.type.static_shape for node in product.operands] == [(4, 6), (6, 5)]
    assert not any(isinstance(node.op, Reshape) for node in schedule(Graph((x, y), (product,)), ()).statements)


def test_a_product_without_a_sum_multiplies_elements() -> None:
    x, y = ga.constant([[1.0, 2.0]]), ga.constant([3.0, 4.0, 5.0])
    found = contract(Factor(x, ("i", "j")), Factor(y, ("k",)), "ijk")
    assert found.labels == ("i", "j", "k")
    np.testing.assert_array_equal(value(found.node), [[[3, 4, 5], [6, 8, 10]]])


def test_an_array_times_a_node_is_a_node() -> None:
    x = ga.input("x", (3,), "float64")
    matrix: Any = np.arange(6.0).reshape(2, 3)
    found, again = values([matrix @ x, np.matmul(matrix, x)], {x: np.array([1.0, 10.0, 100.0])})
    np.testing.assert_array_equal(found, [210, 543])
    np.testing.assert_array_equal(again, found)


def test_products_of_integers_are_integers_and_with_floats_float32() -> None:
    n, x = ga.constant([[1, 2], [3, 4]]), ga.constant([[0.5], [1.0]])
    assert (n @ n).dtype == np.int64
    np.testing.assert_array_equal(value(n @ n), [[7, 10], [15, 22]])
    assert (n @ x).dtype == np.float32
    np.testing.assert_array_equal(value(n @ x), [[2.5], [5.5]])


def test_sizes_that_do_not_meet_are_named_with_their_nodes_and_line() -> None:
    x, W = ga.input("x", ("batch", 5)), ga.parameter(np.zeros((3, 4), np.float32), "W")
    with pytest.raises(
        ShapeError,
        match=r"matmul\(x: float32\[batch, 5\], W: float32\[3, 4\]\).*5 columns meet 3 rows.*"
        r"\(at test_contraction\.py:\d+\)",
    ):
        x @ W


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 3), (5, 4, 6)), ((5, 2, 3), (4, 6)), ((3,), (5, 4, 6))], ids=str)
def test_operands_of_any_rank_are_shown_as_they_were_given(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (ga.input(name, shape) for name, shape in zip("xy", shapes, strict=True))
    with pytest.raises(ShapeError) as error:
        x @ y
    assert str(error.value).startswith(f"matmul(x: {x.type}, y: {y.type}): inner sizes differ: 3 columns meet 4 rows")


def test_leading_sizes_that_do_not_broadcast_are_an_error() -> None:
    with pytest.raises(ShapeError, match=r"matmul\(x: .*5 meets 6"):
        ga.input("x", (5, 2, 3)) @ ga.input("y", (6, 3, 4))


def test_an_operand_without_axes_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ShapeError, match=r"matmul\(x: float32\[3\], s: float32\[\]\).*use \*"):
        ga.input("x", (3,)) @ ga.input("s", ())


def test_a_product_of_truth_values_is_refused() -> None:
    mask = ga.input("mask", (3, 3), "bool")
    with pytest.raises(DTypeError, match=r"matmul\(mask: .*cast"):
        mask @ mask


def test_the_op_itself_takes_operands_of_equal_rank_only() -> None:
    x, y = ga.input("x", (5, 2, 3)), ga.input("y", (3, 4))
    with pytest.raises(ShapeError, match="equal leading axes"):
        Matmul().infer(x.type, y.type)
    with pytest.raises(DTypeError, match="one dtype"):
        Matmul().infer(y.type, ga.input("z", (4, 2), "float64").type)
