from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ops.contraction import Matmul
from tests.autodiff.differences import value

SHAPES = [
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((6, 2, 3), (5, 3, 4)),
    ((2, 0), (0, 4)),
]


def numbers(*shapes: tuple[int, ...], dtype: str = "float64") -> list[Any]:
    generator = np.random.default_rng(0)
    return [np.asarray(generator.integers(-5, 6, shape)).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8"])
def test_dot_is_numpys(shapes: tuple[tuple[int, ...], tuple[int, ...]], dtype: str) -> None:
    a, b = numbers(*shapes, dtype=dtype)
    found = ga.dot(ga.constant(a), ga.constant(b))
    np.testing.assert_array_equal(value(found), np.dot(a, b))
    assert found.dtype == np.dot(a, b).dtype


@pytest.mark.parametrize("shapes", [((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((5, 2, 3), (4, 3))])
def test_inner_is_numpys(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = numbers(*shapes)
    np.testing.assert_array_equal(value(ga.inner(ga.constant(a), b)), np.inner(a, b))


@pytest.mark.parametrize("axes", [0, 1, 2, (-1, 0), ([1, 2], [0, 1]), ((2, 1), (1, 0)), ([], [])], ids=str)
def test_the_axes_of_tensordot_are_numpys(axes: Any) -> None:
    a, b = numbers((2, 3, 3), (3, 3, 4))
    np.testing.assert_array_equal(value(ga.tensordot(ga.constant(a), b, axes)), np.tensordot(a, b, axes))


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("dot", [(2, 3), (3, 4)]),
        ("inner", [(2, 3), (4, 3)]),
        ("vdot", [(2, 3), (2, 3)]),
        ("vecdot", [(5, 3), (5, 3)]),
        ("outer", [(2, 3), (4,)]),
        ("tensordot", [(2, 3, 4), (3, 4, 5)]),
        ("kron", [(3,), (4, 2)]),
        ("cross", [(5, 3), (3,)]),
    ],
)
def test_numpys_own_function_builds_a_node(name: str, shapes: list[tuple[int, ...]]) -> None:
    a, b = numbers(*shapes)
    function = getattr(np, name)
    found = function(ga.constant(a), b)
    assert isinstance(found, ga.Node)
    np.testing.assert_array_equal(value(found), function(a, b))


def test_a_chain_of_numpys_builds_a_node() -> None:
    a, b, c = numbers((2, 3), (3, 4), (4, 5))
    chain: Any = np.linalg.multi_dot([ga.constant(a), b, c])
    np.testing.assert_array_equal(value(chain), a @ b @ c)


def test_what_is_written_into_is_refused() -> None:
    a, b = numbers((3,), (3,))
    with pytest.raises(ArgumentError, match=r"dot.*out=.*use the result"):
        np.dot(ga.constant(a), b, out=np.empty(()))


@pytest.mark.parametrize("ends", [((2, 3), (5, 4)), ((3,), (5, 4)), ((2, 3), (5,)), ((3,), (5,))], ids=str)
def test_the_ends_of_a_chain_may_be_vectors(ends: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    chain = numbers(ends[0], (3, 6), (6, 5), ends[1])
    found = value(ga.multi_dot([ga.constant(factor) for factor in chain]))
    np.testing.assert_array_equal(found, np.linalg.multi_dot(chain))
    assert found.shape == np.linalg.multi_dot(chain).shape


def test_a_chain_is_multiplied_in_the_cheapest_order() -> None:
    sizes = [30, 35, 15, 5, 10, 20, 25]
    chain = [ga.input(f"a{i}", (m, n)) for i, (m, n) in enumerate(pairwise(sizes))]
    graph = Graph(tuple(chain), (ga.multi_dot(chain),))
    products = [node for node in graph.nodes if isinstance(node.op, Matmul)]
    flops = [node.op.flops(node.type, *(x.type for x in node.operands)) for node in products]
    assert sum(flops) == 2 * 15_125  # the textbook's example: Cormen et al., Introduction to Algorithms, 15.2


def test_a_chain_knows_named_sizes() -> None:
    x, y, z = ga.input("x", ("batch", 3)), ga.input("y", (3, 100)), ga.input("z", (100,))
    product = ga.multi_dot([x, y, z])
    assert str(product.type) == "float32[batch]"
    assert str(product.operands[0].operands[0].type) == "float32[batch, 3]"


def test_kron_pads_the_shorter_shape_in_front() -> None:
    a, b = numbers((2,), (3, 4, 5))
    for x, y in [(a, b), (b, a), (a, np.float64(2)), (np.float64(3), a)]:
        np.testing.assert_array_equal(value(ga.kron(ga.constant(x), y)), np.kron(x, y))


@pytest.mark.parametrize(
    "axes", [{"axisa": 0}, {"axisa": 0, "axisc": 0}, {"axisb": -2, "axisa": 0, "axisc": 1}], ids=str
)
def test_the_axes_of_cross_are_numpys(axes: dict[str, int]) -> None:
    a, b = numbers((3, 4), (3, 4) if "axisb" in axes else (4, 3))
    np.testing.assert_array_equal(value(ga.cross(ga.constant(a), b, **axes)), np.cross(a, b, **axes))
    a, b = numbers((4, 3, 2), (4, 3, 2))
    np.testing.assert_array_equal(value(ga.cross(ga.constant(a), b, axis=1)), np.cross(a, b, axis=1))


def test_integers_beside_floats_are_float32() -> None:
    for function in (ga.dot, ga.inner, ga.vdot, ga.vecdot, ga.outer, ga.tensordot, ga.kron, ga.cross):
        shape = (3, 3) if function is ga.tensordot else (3,)
        n, x = ga.constant(np.ones(shape, np.int64)), ga.constant(np.ones(shape, np.float32))
        assert function(n, x).dtype == np.float32
        assert function(n, n).dtype == np.int64


BAD: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (ga.dot, ((2, 3), (2, 3)), r"dot\(x: .*3 columns meet 2 rows"),
    (ga.inner, ((2, 3), (3, 2)), r"inner\(x: .*axis 1 of size 3 cannot meet axis 1 of size 2"),
    (ga.vdot, ((2, 3), (5,)), r"vdot\(x: .*size 6 cannot meet axis 0 of size 5"),
    (ga.vecdot, ((2, 3), (4,)), r"vecdot\(x: .*3 columns meet 4"),
    (ga.vecdot, ((), (4,)), r"vecdot\(x: .*axis -1 is out of range"),
    (ga.tensordot, ((2, 3), (4, 3)), r"tensordot\(x: .*axis 0 of size 2 cannot meet axis 0 of size 4"),
    (ga.cross, ((3,), (2,)), r"cross\(x: .*vectors of 3 numbers"),
    (ga.cross, ((2, 3), (4, 3)), r"cross\(x: .*2 meets 4"),
]


@pytest.mark.parametrize(("function", "shapes", "message"), BAD)
def test_shapes_that_do_not_fit_are_named(function: Callable[..., Any], shapes: Any, message: str) -> None:
    x, y = (ga.input(name, shape) for name, shape in zip("xy", shapes, strict=True))
    with pytest.raises(ShapeError, match=message + r".*\(at test_products\.py:\d+\)"):
        function(x, y)


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        (3, ShapeError, "3 axes cannot meet"),
        (-1, ShapeError, "-1 axes cannot meet"),
        (((0, 1), (0,)), ShapeError, "2 axes of a cannot meet 1 of b"),
        (((0, 0), (0, 1)), ShapeError, "twice"),
        (((5,), (0,)), ShapeError, "axis 5 is out of range"),
        (("i", "j"), DTypeError, "an axis is an integer"),
        (1.5, ArgumentError, "axes is an integer"),
    ],
)
def test_axes_that_cannot_meet_are_refused(axes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"tensordot\(x: .*{message}"):
        ga.tensordot(ga.input("x", (2, 3)), ga.input("y", (2, 3)), axes)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], "two factors or more"),
        ([(2, 3), (3, 4, 5), (5, 2)], "all matrices"),
        ([(2, 2, 3), (3, 4)], "matrices or vectors"),
        ([(2, 3), (4, 5), (5, 2)], "3 columns meet 4 rows"),
    ],
)
def test_what_is_no_chain_is_refused(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ShapeError, match=rf"multi_dot\(.*{message}"):
        ga.multi_dot([ga.input(f"x{i}", shape) for i, shape in enumerate(shapes)])


@pytest.mark.parametrize("function", [ga.dot, ga.inner, ga.vdot, ga.vecdot, ga.outer, ga.kron, ga.cross])
def test_truth_values_are_refused(function: Callable[..., Any]) -> None:
    mask = ga.input("mask", (3,), "bool")
    with pytest.raises(DTypeError, match=r"\(mask: .*cast them to numbers"):
        function(mask, mask)
