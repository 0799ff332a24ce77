from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import graphad as ga
from graphad.errors import DTypeError, GraphadError, IndexRangeError, ShapeError
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.gather import Take
from graphad.ops.slicing import Slice
from tests.autodiff.differences import central_gradient_of, value

SHAPE = (5, 4, 3)
CUBE = np.arange(60.0).reshape(SHAPE)
INDICES = hnp.basic_indices(SHAPE, allow_newaxis=True, max_dims=6)


@given(INDICES)
def test_an_index_means_what_it_means_in_numpy(index: Any) -> None:
    x = ga.input("x", SHAPE, "float64")
    for backend in ("numpy", "reference"):
        found = ga.compile([x], x[index], backend=backend)(CUBE)
        np.testing.assert_array_equal(found, CUBE[index])
        assert found.shape == x[index].shape


@given(INDICES)
def test_the_gradient_of_an_index_is_one_where_it_takes_and_zero_elsewhere(index: Any) -> None:
    x = ga.input("x", SHAPE, "float64")
    taken = np.zeros(SHAPE)
    taken[index] = 1
    gradient = ga.grad(ga.sum(x[index]), x)
    for backend in ("numpy", "reference"):
        np.testing.assert_array_equal(ga.compile([x], gradient, backend=backend)(CUBE), taken)


@given(INDICES, INDICES)
def test_an_index_of_an_index_is_differentiated_twice(first: Any, second: Any) -> None:
    x = ga.input("x", SHAPE, "float64")
    loss = ga.sum(x[first] ** 3) + ga.sum(x[second] ** 2) * ga.sum(x[first])
    slope = ga.sum(ga.sin(ga.grad(loss, x) / 9))
    point = np.random.default_rng(0).standard_normal(SHAPE)
    found = value(ga.grad(slope, x, disconnected="zero"), {x: point})
    direction = np.random.default_rng(1).standard_normal(SHAPE)
    ahead, behind = (value(slope, {x: point + step * direction}) for step in (1e-6, -1e-6))
    assert np.sum(found * direction) == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("stop", [0, 3])
def test_a_span_of_at_most_one_element_runs_forward_from_the_first_place(stop: int) -> None:
    x = ga.input("x", (5,), "float64")
    for index in (slice(0, None, -1), slice(stop, stop, -1), slice(0, -9, -3)):
        np.testing.assert_array_equal(ga.compile([x], x[index])(np.arange(5.0)), np.arange(5.0)[index])


def test_equal_places_are_equal_indices() -> None:
    x = ga.input("x", (5, 4))
    assert x[2:3].op == x[2 : 3 : -1 + 2].op == x[2:1:-1].op == x[2:4:7].op
    assert x[-1].op == x[4].op == x[4, ...].op == x[np.int64(4)].op
    assert isinstance(x[1:3].op, Slice)


def test_a_named_axis_is_cut_from_the_front_and_the_back() -> None:
    x = ga.input("x", ("batch", 2), "float64")
    built = [x[1:], x[:-1], x[0], x[:2], x[1:-1], x[None, :, 0], x[2:1]]
    array = np.arange(10.0).reshape(5, 2)
    expected = [array[1:], array[:-1], array[0], array[:2], array[1:-1], array[None, :, 0], array[2:1]]
    for found, wanted in zip(ga.compile([x], built)(array), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert x[2:1].shape == (0, 2)


def test_the_gradient_of_a_cut_of_a_named_axis_fits_the_size_of_the_call() -> None:
    x = ga.input("x", ("batch",), "float64")
    function = ga.compile([x], ga.grad(ga.sum(x[1:] * x[:-1]), x))
    for n in (2, 3, 6):
        array = np.arange(1.0, n + 1)
        expected = np.append(array[1:], 0) + np.append(0, array[:-1])
        np.testing.assert_array_equal(function(array), expected)


@pytest.mark.parametrize("n", [0, 1])
def test_a_named_axis_that_is_too_short_is_an_error_at_the_call(n: int) -> None:
    x = ga.input("x", ("batch", 2))
    for taken in (x[1], x[:2], x[2:]):
        with pytest.raises(ShapeError):
            ga.compile([x], taken)(np.zeros((n, 2)))


def test_numpys_integers_may_cut_a_named_axis() -> None:
    x = ga.input("x", ("batch", 2))
    part = x[np.int64(1) : np.int64(3)]
    assert part.type.static_shape == (2, 2)


class Known(list[Any]):
    """An array that the index holds as a list; others become inputs."""


@st.composite
def advanced_indices(draw: st.DrawFn) -> tuple[Any, ...]:
    """Indices of `SHAPE` that hold arrays, all of which broadcast to (3, 2)."""
    items: list[Any] = []
    axis = 0
    while axis < len(SHAPE):
        kind = draw(st.sampled_from(["slice", "place", "new", "array", "known", "mask", "matrix of truth"]))
        size = SHAPE[axis]
        if kind == "new":
            items.append(None)
            continue
        if kind == "matrix of truth" and axis + 1 < len(SHAPE):
            items.append(_mask(draw, SHAPE[axis : axis + 2]))
            axis += 2
            continue
        items.append(_item(draw, kind, size))
        axis += 1
    if draw(st.booleans()):
        start = end = draw(st.integers(0, len(items)))
        while end < len(items) and isinstance(items[end], slice):
            end += 1
        items[start:end] = [Ellipsis]
    return tuple(items)


def _item(draw: st.DrawFn, kind: str, size: int) -> Any:
    if kind == "slice":
        return draw(st.slices(size))
    if kind == "place":
        return draw(st.integers(-size, size - 1))
    if kind == "mask" and size >= 2:
        return _mask(draw, (size,))
    shape = draw(st.sampled_from([(), (2,), (1,), (3, 1), (1, 2), (3, 2)]))
    least = -size if kind == "known" else 0
    places = draw(hnp.arrays(np.int64, shape, elements=st.integers(least, size - 1)))
    return Known([places]) if kind == "known" else places


def _mask(draw: st.DrawFn, shape: tuple[int, ...]) -> Array:
    """Two places are true."""
    count = int(np.prod(shape))
    mask = np.zeros(count, bool)
    mask[draw(st.permutations(range(count)))[:2]] = True
    return mask.reshape(shape)


def read(x: Node, index: tuple[Any, ...]) -> tuple[Node, dict[Node, Array], tuple[Any, ...]]:
    """The node of the index, its arrays as inputs; what these are given; and the index as numpy takes it."""
    given: dict[Node, Array] = {}
    mine: list[Any] = []
    for item in index:
        if isinstance(item, np.ndarray) and item.dtype.kind == "i":
            mine.append(ga.input(f"i{len(given)}", item.shape, item.dtype))
            given[mine[-1]] = item
        else:
            mine.append(item[0].tolist() if isinstance(item, Known) else item)
    plain = tuple(item[0] if isinstance(item, Known) else item for item in index)
    return x[tuple(mine)], given, plain


@given(advanced_indices())
def test_an_index_of_arrays_and_nodes_means_what_it_means_in_numpy(index: tuple[Any, ...]) -> None:
    x = ga.input("x", SHAPE, "float64")
    node, places, plain = read(x, index)
    for backend in ("numpy", "reference"):
        found = ga.compile([x, *places], node, backend=backend)(CUBE, *places.values())
        np.testing.assert_array_equal(found, CUBE[plain])
        assert node.shape == CUBE[plain].shape


@given(advanced_indices())
def test_the_gradient_of_an_index_of_arrays_counts_how_often_each_element_is_taken(index: tuple[Any, ...]) -> None:
    x = ga.input("x", SHAPE, "float64")
    node, places, plain = read(x, index)
    taken = np.zeros(SHAPE)
    np.add.at(taken, plain, 1)
    gradient = ga.grad(ga.sum(node), x)
    np.testing.assert_array_equal(ga.compile([x, *places], gradient)(CUBE, *places.values()), taken)


def test_what_is_known_is_one_view_and_what_is_not_is_one_take() -> None:
    x, i = ga.input("x", SHAPE), ga.input("i", (), "int64")
    assert isinstance(x[1, ::-1, ...].op, Slice)
    for taken in (x[i], x[:, i], x[:, [0, 1]], x[i, i], x[[0, 1], :, [1, 2]]):
        assert isinstance(taken.op, Take)


def test_one_place_that_is_a_node_drops_its_axis() -> None:
    x, i = ga.input("x", ("batch", 4, 3)), ga.input("i", (), "int32")
    assert x[i].shape == (4, 3)
    assert str(x[:, i].type) == "float32[batch, 3]"
    assert str(x[..., i, None].type) == "float32[batch, 4, 1]"
    array = np.arange(24.0).reshape(2, 4, 3)
    np.testing.assert_array_equal(value(x[:, i], {x: array, i: np.array(2)}), array[:, 2])


def test_the_second_derivative_through_an_index_of_nodes_agrees_with_central_differences() -> None:
    x, i, j = ga.input("x", (3, 4), "float64"), ga.input("i", (5,), "int64"), ga.input("j", (5,), "int64")
    given = {x: np.linspace(-1, 2, 12).reshape(3, 4), i: np.array([0, 2, 2, 1, 0]), j: np.array([1, 3, 3, 0, 1])}
    slope = ga.sum(ga.cos(ga.grad(ga.sum(ga.sin(x[i, j]) ** 2) * ga.sum(x[i]), x)))
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), rtol=1e-6)


def test_a_last_place_and_the_reverse_of_a_named_axis_are_found_at_the_call() -> None:
    x = ga.input("x", ("batch", 3), "float64")
    built = [x[-1], x[-2:], x[-3:-1], x[::-1], x[None, -1, ::-1], x[-1, [0, 2]]]
    function = ga.compile([x], [*built, ga.grad(ga.sum(x[-1]) + 10.0 * ga.sum(x[::-1][0]), x)])
    for n in (3, 5):
        a = np.arange(3.0 * n).reshape(n, 3)
        *found, gradient = function(a)
        expected = [a[-1], a[-2:], a[-3:-1], a[::-1], a[None, -1, ::-1], a[-1, [0, 2]]]
        for mine, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mine, wanted)
        np.testing.assert_array_equal(gradient, 11.0 * np.eye(n)[-1:].T * np.ones(3))


@pytest.mark.parametrize("n", [0, 1])
def test_the_reverse_of_a_named_axis_may_be_short_or_empty(n: int) -> None:
    x = ga.input("x", ("batch", 3))
    assert ga.compile([x], x[::-1])(np.ones((n, 3))).shape == (n, 3)
    assert ga.compile([x], ga.grad(ga.sum(x[::-1] ** 2), x))(np.ones((n, 3))).shape == (n, 3)


def test_an_empty_list_takes_nothing() -> None:
    x = ga.input("x", SHAPE, "float64")
    assert x[[]].shape == (0, 4, 3)
    assert x[:, np.zeros(4, bool)].shape == (5, 0, 3)
    np.testing.assert_array_equal(value(ga.grad(ga.sum(x[[]]), x), {x: CUBE}), np.zeros(SHAPE))


def test_a_size_may_be_an_index() -> None:
    x = ga.input("x", ("n", 3), "float64")
    last = x[x.shape[0] - 1]
    np.testing.assert_array_equal(ga.compile([x], last)(CUBE[:, 0]), CUBE[4, 0])


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize(("place", "text"), [(-1, "indices from -1 to -1 for an axis of size 4"), (4, "size 4")])
def test_an_index_of_nodes_out_of_range_is_an_error_at_the_call(place: int, text: str, backend: str) -> None:
    x, i = ga.input("x", SHAPE), ga.input("i", (2,), "int64")
    for node in (x[:, i], x[[0, 1], i], x[i - i, i]):
        function = ga.compile([x, i], node, backend=backend)
        with pytest.raises(IndexRangeError, match=rf"{text}.*\(at test_getitem\.py:\d+\)"):
            function(CUBE, [place, place])


@pytest.mark.parametrize("index", [slice(None, None, 2), slice(4, 0, -1), [0, -1], np.array([True, False])])
def test_what_needs_to_know_a_named_size_is_an_error(index: Any) -> None:
    x = ga.input("x", ("batch", 2))
    with pytest.raises(ShapeError, match=r"getitem\(x: float32\[batch, 2\].*batch.*\(at test_getitem\.py:\d+\)"):
        x[index]


@pytest.mark.parametrize("index", [5, -6, (0, 4), (Ellipsis, 3), [0, 5], np.array([[-6]]), ([0], [1, -5]), (0, [0, 4])])
def test_a_place_out_of_range_is_an_error_that_says_where(index: Any) -> None:
    x = ga.input("x", SHAPE)
    with pytest.raises(IndexRangeError, match=r"getitem\(x: float32\[5, 4, 3\].*out of range.*\(at test_getitem"):
        x[index]


@pytest.mark.parametrize(
    "index",
    [
        (0, 0, 0, 0),
        (Ellipsis, Ellipsis),
        slice(0, 3, 0),
        np.ones(4, bool),
        np.ones((4, 5), bool),
        (slice(None), np.ones((4, 3), bool), 0),
        ([0, 1], [0, 1, 2]),
    ],
)
def test_an_index_that_does_not_fit_is_an_error_that_says_where(index: Any) -> None:
    x = ga.input("x", SHAPE)
    with pytest.raises(ShapeError, match=r"getitem\(x: float32\[5, 4, 3\].*\(at test_getitem\.py:\d+\)"):
        x[index]


@pytest.mark.parametrize(
    "index",
    [1.0, True, "batch", [0.5], np.array([0.0]), np.array(True), slice(1.5, None), slice(None, "2"), {}, [[0], [1, 2]]],
)
def test_an_index_that_is_no_integer_is_an_error_that_says_where(index: Any) -> None:
    for x in (ga.input("x", SHAPE), ga.input("x", ("batch", 2))):
        with pytest.raises((DTypeError, ShapeError), match=r"getitem\(x: float32.*\(at test_getitem\.py:\d+\)"):
            x[index]


def test_what_only_the_call_can_tell_is_refused_with_what_to_use_instead() -> None:
    x, mask, i = ga.input("x", SHAPE), ga.input("mask", SHAPE, "bool"), ga.input("i", (), "int64")
    with pytest.raises(DTypeError, match=r"not bool: .*ga\.where.*\(at test_getitem"):
        x[mask]
    with pytest.raises(DTypeError, match=r"ga\.dynamic_slice.*\(at test_getitem"):
        x[i : i + 2]
    with pytest.raises(DTypeError, match=r"must be integers, not float32.*\(at test_getitem"):
        x[ga.input("weights", (2,))]
    with pytest.raises(GraphadError, match="symbolic"):
        x[[i, i]]
