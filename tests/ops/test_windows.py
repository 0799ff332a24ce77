from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import apply
from graphad.ir.tensor_type import Dim, Dimension, TensorType
from graphad.ops.windows import FoldWindows, Geometry, Windows, window_count
from graphad.schedule.program import schedule
from tests.autodiff.differences import value


def margins(length: Dimension, size: int, stride: int, padding: Any, dilation: int = 1) -> tuple[int, int]:
    return Geometry.of((length,), (size,), stride, padding, dilation).margins[0]


def test_windows_are_a_view() -> None:
    x = np.arange(10.0)
    windows = Windows((0,), (3,), (2,), (2,)).kernel(x)
    assert np.shares_memory(windows, x)
    np.testing.assert_array_equal(windows, [[0, 2, 4], [2, 4, 6], [4, 6, 8]])


def test_folding_counts_how_many_windows_hold_an_element() -> None:
    x = ga.constant(np.ones(8))
    windows = Windows((0,), (3,), (2,), (1,))
    count = apply(FoldWindows((8,), (0,), (2,), (1,)), apply(windows, x))
    np.testing.assert_array_equal(value(count), [1, 1, 2, 1, 2, 1, 1, 0])


def test_a_stride_beyond_the_window_leaves_gaps_that_get_nothing() -> None:
    x = ga.input("x", (8,), "float64")
    gradient = ga.grad(ga.sum(apply(Windows((0,), (2,), (3,), (1,)), x)), x)
    np.testing.assert_array_equal(value(gradient, {x: np.zeros(8)}), [1, 1, 0, 1, 1, 0, 1, 1])


def test_windows_in_an_order_of_axes_are_a_view_of_the_operand_unless_there_are_margins() -> None:
    x = ga.input("x", (2, 6, 5, 3))
    plain = Geometry.of((6, 5), (3, 2), 1, "valid").windows(x)
    added = Geometry.of((6, 5), (3, 2), 1, "same").windows(x)
    assert (str(plain.type), str(added.type)) == ("float32[2, 4, 4, 3, 2, 3]", "float32[2, 6, 5, 3, 2, 3]")
    assert [node.op.name for node in schedule(Graph((x,), (plain,)), ()).statements] == []
    assert [node.op.name for node in schedule(Graph((x,), (added,)), ()).statements] == ["pad"]


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_means_one_window_for_each_stride_begun(length: int, size: int, stride: int, dilation: int) -> None:
    before, after = margins(length, size, stride, "same", dilation)
    reach = (size - 1) * dilation + 1
    count = window_count(length + before + after, reach, stride)
    assert count == -(-length // stride)
    assert before in (after, after - 1)
    if before + after:  # no more than is needed: with one element less there would be a window less
        assert (length + before + after - 1 - reach) // stride + 1 < count


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("valid", (0, 0)),
        ("same", (1, 1)),
        ("causal", (2, 0)),
        (0, (0, 0)),
        (2, (2, 2)),
        ((3, 1), (3, 1)),
        ([[0, 4]], (0, 4)),
    ],
)
def test_the_ways_to_say_padding(padding: Any, expected: tuple[int, int]) -> None:
    assert margins(8, 3, 1, padding) == expected


def test_a_stride_of_one_takes_named_sizes() -> None:
    width = Dim.named("width")
    assert margins(width, 4, 1, "same") == (1, 2)
    assert window_count(width, 3, 1) == width - 2
    x = ga.input("x", ("batch", "width"), "float64")
    total = ga.sum(apply(Windows((1,), (3,), (1,), (1,)), x) ** 2, axis=2)
    f = ga.compile([x], [total, ga.grad(ga.sum(total), x)])
    found, gradient = f(np.array([[1.0, 2, 3, 4]]))
    np.testing.assert_array_equal(found, [[14, 29]])
    np.testing.assert_array_equal(gradient, [[2, 8, 12, 8]])


def test_a_named_size_that_is_too_short_is_found_when_it_is_known() -> None:
    x = ga.input("x", ("batch", "width"))
    f = ga.compile([x], ga.sum(apply(Windows((1,), (3,), (1,), (1,)), x)))
    with pytest.raises(
        ShapeError, match=r"windows\(x: float32\[1, 2\]\): a window that reaches over 3 .* an axis of 2"
    ):
        f(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_stride_needs_a_size_that_is_known(padding: str) -> None:
    with pytest.raises(ShapeError, match="a stride of 2 needs an axis of integer size: declare width"):
        margins(Dim.named("width"), 3, 2, padding)


def test_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="reaches over 5 elements does not fit into an axis of 4"):
        Windows((0,), (3,), (1,), (2,)).infer(TensorType.of((4,)))


def test_what_are_no_windows_are_not_folded() -> None:
    fold = FoldWindows((8,), (0,), (2,), (1,))
    with pytest.raises(ShapeError, match=r"float32\[4, 3\] are not the windows of float32\[8\]"):
        fold.infer(TensorType.of((4, 3)))


@pytest.mark.parametrize("padding", ["full", None, -1, True, (1, 2, 3), (-1, 0), ((1, 2), (3, 4)), 1.5])
def test_what_is_no_padding_is_refused(padding: Any) -> None:
    with pytest.raises(ArgumentError, match=r"padding is 'valid', 'same', 'causal', an integer >= 0, or a pair"):
        margins(8, 3, 1, padding)


@pytest.mark.parametrize("padding", ["causal", (1, 2), ((1, 2),), ((1, 2), 3)])
def test_images_take_padding_in_pairs(padding: Any) -> None:
    with pytest.raises(ArgumentError, match=r"padding is 'valid', 'same', an integer >= 0, or 2 pairs"):
        Geometry.of((8, 9), (3, 3), 1, padding)


@pytest.mark.parametrize("stride", [0, -1, 1.5, True, None, (1, 2), "2"])
def test_a_stride_is_a_positive_integer(stride: Any) -> None:
    with pytest.raises(ArgumentError, match="stride is a positive integer; got"):
        margins(8, 3, stride, "valid")


@pytest.mark.parametrize("dilation", [0, (1,), (1, 2, 3), (1, 0)])
def test_images_take_one_dilation_or_two(dilation: Any) -> None:
    with pytest.raises(ArgumentError, match="dilation is a positive integer, or 2 of them; got"):
        Geometry.of((8, 9), (3, 3), 1, "valid", dilation)
