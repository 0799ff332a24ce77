from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ops.contraction import Matmul
from graphad.schedule.program import schedule
from tests.autodiff.differences import central_gradient_of, value

AS_NUMPYS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("Ba", [(2, 3)]),
    (" i j -> j i ", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("ijij->ji", [(3, 2, 3, 2)]),
    ("iii->", [(3, 3, 3)]),
    ("", [()]),
    (",->", [(), ()]),
    (",ij", [(), (2, 3)]),
    ("...", [(2, 3)]),
    ("...->...", [(2, 3)]),
    ("...ij->...ji", [(5, 2, 3)]),
    ("i...->...", [(3, 2, 4)]),
    ("i...j->ij...", [(3, 2, 4)]),
    ("...,...", [(2, 1, 3), (4, 3)]),
    ("...i,...i", [(2, 3), (3,)]),
    ("...ij,...jk->...ik", [(6, 1, 2, 3), (5, 3, 4)]),
    ("ij->...ij", [(2, 3)]),
    ("i,i->i", [(1,), (3,)]),
    ("ij,jk", [(2, 1), (3, 4)]),
    ("ij,j,jk->", [(2, 3), (3,), (3, 4)]),
    ("ij,jk,kl,lm->im", [(2, 3), (3, 4), (4, 5), (5, 6)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 3), (2, 4), (3, 4, 5, 6), (2, 5), (2, 6)]),
    ("ij,jk", [(2, 0), (0, 4)]),
    ("ij->j", [(0, 3)]),
]


def arrays_of(shapes: list[tuple[int, ...]], dtype: str = "float64") -> list[Any]:
    generator = np.random.default_rng(0)
    return [np.asarray(generator.integers(-4, 5, shape)).astype(dtype) for shape in shapes]


@pytest.mark.parametrize(("subscripts", "shapes"), AS_NUMPYS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8"])
def test_subscripts_mean_what_they_mean_in_numpy(subscripts: str, shapes: list[tuple[int, ...]], dtype: str) -> None:
    arrays = arrays_of(shapes, dtype)
    found, expected = ga.einsum(subscripts, *map(ga.constant, arrays)), np.einsum(subscripts, *arrays)
    np.testing.assert_array_equal(value(found), expected)
    assert (found.shape, found.dtype) == (np.shape(expected), expected.dtype)


@pytest.mark.parametrize("optimize", [True, False, "greedy", "optimal"])
def test_the_order_of_contractions_does_not_change_the_sum(optimize: Any) -> None:
    for subscripts, shapes in AS_NUMPYS:
        arrays = arrays_of(shapes)
        found = value(ga.einsum(subscripts, *map(ga.constant, arrays), optimize=optimize))
        np.testing.assert_array_equal(found, np.einsum(subscripts, *arrays))


@strategies.composite
def sums(draw: strategies.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts for one to four operands, and shapes for them."""
    sizes = dict(zip("ijkl", draw(strategies.permutations([1, 2, 3, 4])), strict=True))
    terms = draw(strategies.lists(strategies.text("ijkl", max_size=3), min_size=1, max_size=4))
    letters = sorted(set("".join(terms)))
    result = draw(strategies.permutations(letters))[: draw(strategies.integers(0, len(letters)))]
    return f"{','.join(terms)}->{''.join(result)}", [tuple(sizes[letter] for letter in term) for term in terms]


@hypothesis.given(sums())
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_sum_is_numpys(case: tuple[str, list[tuple[int, ...]]]) -> None:
    subscripts, shapes = case
    arrays = arrays_of(shapes)
    found = value(ga.einsum(subscripts, *map(ga.constant, arrays)))
    np.testing.assert_array_equal(found, np.einsum(subscripts, *arrays))


@pytest.mark.parametrize(("subscripts", "shapes"), [case for case in AS_NUMPYS if case[1][0] and 0 not in case[1][0]])
def test_gradients_agree_with_central_differences(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    generator = np.random.default_rng(2)
    given = {ga.input(f"x{i}", shape, "float64"): generator.uniform(-1, 1, shape) for i, shape in enumerate(shapes)}
    loss = ga.sum(ga.sin(ga.einsum(subscripts, *given)))
    for x, found in zip(given, ga.grad(loss, list(given)), strict=True):
        np.testing.assert_allclose(value(found, given), central_gradient_of(loss, x, given), atol=1e-8)


def test_numpys_own_function_builds_a_node() -> None:
    x, y = ga.input("x", ("batch", 3)), np.ones((3, 2), np.float32)
    assert str(np.einsum("bi,io->bo", x, y).type) == "float32[batch, 2]"


def test_a_product_of_matrices_is_one_product_without_copies() -> None:
    x, y = ga.input("x", (2, 3, 4)), ga.input("y", (5, 3, 4))
    (product,) = schedule(Graph((x, y), (ga.einsum("bij,cij->bc", x, y),)), ()).statements
    assert isinstance(product.op, Matmul)
    assert [operand.type.static_shape for operand in product.operands] == [(2, 12), (12, 5)]


def test_many_operands_are_contracted_in_the_cheaper_order() -> None:
    x, y, z = ga.input("x", (100, 2)), ga.input("y", (2, 100)), ga.input("z", (100,))
    graph = Graph((x, y, z), (ga.einsum("ij,jk,k->i", x, y, z),))
    products = [node for node in graph.nodes if isinstance(node.op, Matmul)]
    assert sum(node.op.flops(node.type, *(x.type for x in node.operands)) for node in products) == 2 * (200 + 200)


def test_equal_named_sizes_meet_and_others_do_not() -> None:
    x, y = ga.input("x", ("batch", "time", 3)), ga.input("y", ("batch", 3))
    assert str(ga.einsum("bti,bi->tb", x, y).type) == "float32[time, batch]"
    with pytest.raises(ShapeError, match=r"'b' stands for the sizes time and batch"):
        ga.einsum("tbi,bi->tb", x, y)


def test_the_diagonal_of_a_named_size_is_known() -> None:
    x = ga.input("x", ("n", 3, "n"))
    f = ga.compile([x], ga.einsum("nin->in", x))
    array = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    np.testing.assert_array_equal(f(array), [array[range(2), i, range(2)] for i in range(3)])


@pytest.mark.parametrize(
    ("subscripts", "shapes", "error", "message"),
    [
        ("ij,jk", [(2, 3)], ArgumentError, "'ij,jk' is for 2 operands; got 1"),
        ("ij", [(2, 3), (3, 4)], ArgumentError, "is for 1 operands; got 2"),
        ("", [], ArgumentError, "is for 1 operands; got 0"),
        ("i1", [(2, 3)], ArgumentError, "'i1' cannot be read"),
        ("i.j", [(2, 3)], ArgumentError, r"'i\.j' cannot be read"),
        ("i...j...", [(2, 3)], ArgumentError, "'...' at most once"),
        ("i->j->k", [(2,)], ArgumentError, "'j->k' cannot be read"),
        ("é", [(2,)], ArgumentError, "cannot be read"),
        ("ij->k", [(2, 3)], ArgumentError, "no operand has the subscript 'k'"),
        ("ij->ii", [(2, 3)], ArgumentError, "the result has one subscript twice: 'ii'"),
        ("ijk", [(2, 3)], ShapeError, "'ijk' has 3 letters for 2 axes"),
        ("i", [(2, 3)], ShapeError, "'i' has 1 letters for 2 axes: '...' stands for"),
        ("...i->i", [(2, 3)], ShapeError, "'i' has 1 letters for 2 axes"),
        ("ii", [(2, 3)], ShapeError, "'i' stands for the sizes 2 and 3 of one operand"),
        ("ii", [(1, 3)], ShapeError, "'i' stands for the sizes 1 and 3 of one operand"),
        ("ij,jk", [(2, 3), (4, 5)], ShapeError, "'j' stands for the sizes 3 and 4"),
        ("...i,...i", [(2, 3), (4, 3)], ShapeError, "'...' stands for the sizes 2 and 4"),
    ],
)
def test_what_does_not_fit_is_named(
    subscripts: str, shapes: list[tuple[int, ...]], error: type[Exception], message: str
) -> None:
    operands = [ga.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    with pytest.raises(error, match=rf"einsum\('.*{message}.*\(at test_einsum\.py:\d+\)"):
        ga.einsum(subscripts, *operands)


def test_subscripts_that_are_no_text_are_refused() -> None:
    x: Any = ga.input("x", (2, 3))
    with pytest.raises(ArgumentError, match=r"einsum\(x: float32\[2, 3\].*subscripts is a text"):
        ga.einsum(x, [0, 1])


def test_an_order_that_is_not_known_is_refused() -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(ArgumentError, match=r"optimize is one of .*'optimal'.*; got 'fast'"):
        ga.einsum("ij,ij,ij", x, x, x, optimize="fast")


def test_truth_values_are_refused() -> None:
    mask = ga.input("mask", (3, 3), "bool")
    with pytest.raises(DTypeError, match=r"mask: .*cast them to numbers"):
        ga.einsum("ij,jk", mask, mask)


def test_more_axes_than_letters_are_refused() -> None:
    wide = [ga.constant(np.ones((1,) * 60)), ga.constant(np.ones((2,))), ga.constant(np.ones((2,)))]
    with pytest.raises(ArgumentError, match="no more than 52"):
        ga.einsum("...,a,a->...", *wide)
