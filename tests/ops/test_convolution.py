from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ops.contraction import Matmul
from graphad.schedule.program import schedule
from tests.autodiff.differences import float32, value
from tests.rows.convolution import convolved


def test_weights_are_not_flipped() -> None:
    x, w = float32([1, 10, 100, 1000]).reshape(1, 4, 1), float32([1, 2]).reshape(2, 1, 1)
    np.testing.assert_array_equal(value(ga.conv1d(ga.constant(x), w)).ravel(), [21, 210, 2100])


def test_causal_results_do_not_depend_on_what_comes_later() -> None:
    x, w = ga.input("x", (1, 6, 2), "float64"), ga.constant(np.ones((3, 2, 1)))
    y = ga.conv1d(x, w, padding="causal", dilation=2)
    for t in range(6):
        gradient = value(ga.grad(ga.sum(y[:, t]), x), {x: np.zeros((1, 6, 2))})
        np.testing.assert_array_equal(np.flatnonzero(gradient[0, :, 0]), [s for s in (t - 4, t - 2, t) if s >= 0])


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_the_batch_may_be_named(batch: int, backend: str) -> None:
    generator = np.random.default_rng(0)
    image, weights = generator.standard_normal((batch, 5, 4, 2)), generator.standard_normal((3, 2, 2, 6))
    x, w = ga.input("x", ("batch", 5, 4, 2), "float64"), ga.input("w", (3, 2, 2, 6), "float64")
    y = ga.conv2d(x, w, padding="same")
    f = ga.compile([x, w], [y, *ga.grad(ga.sum(y), [x, w])], backend=backend)
    found, *gradients = f(image, weights)
    np.testing.assert_allclose(found, convolved(image, weights, padding=((1, 1), (0, 1))), rtol=1e-12, atol=1e-12)
    assert [gradient.shape for gradient in gradients] == [image.shape, weights.shape]


def test_height_and_width_may_be_named_where_the_stride_is_one() -> None:
    generator = np.random.default_rng(0)
    image, weights = generator.standard_normal((2, 6, 5, 1)), generator.standard_normal((3, 2, 1, 4))
    x, w = ga.input("x", ("batch", "height", "width", 1), "float64"), ga.input("w", (3, 2, 1, 4), "float64")
    y = ga.conv2d(x, w)
    assert str(y.type) == "float64[batch, height - 2, width - 1, 4]"
    f = ga.compile([x, w], [y, ga.grad(ga.sum(y), x)])
    np.testing.assert_allclose(f(image, weights)[0], convolved(image, weights), rtol=1e-12)
    assert f(image, weights)[1].shape == image.shape


def test_a_group_for_each_channel_filters_the_channels_one_by_one() -> None:
    generator = np.random.default_rng(0)
    x, w = generator.standard_normal((2, 6, 3)), generator.standard_normal((2, 1, 3))
    found = value(ga.conv1d(ga.constant(x), w, groups=3))
    for channel in range(3):
        alone = ga.conv1d(ga.constant(x[..., [channel]]), w[..., [channel]])
        np.testing.assert_allclose(found[..., [channel]], value(alone), rtol=1e-14)


@pytest.mark.parametrize("channels", [1, 8])
def test_a_convolution_is_one_copy_of_its_windows_and_one_product(channels: int) -> None:
    x, w = ga.input("x", (2, 9, 9, channels)), ga.input("w", (3, 3, channels, 4))
    names = [node.op.name for node in schedule(Graph((x, w), (ga.conv2d(x, w),)), ()).statements]
    assert names == ["reshape", "matmul"]


def test_the_copy_of_the_windows_serves_the_gradient_of_the_weights_too() -> None:
    x, w = ga.input("x", (2, 9, 9, 8)), ga.input("w", (3, 3, 8, 4))
    program = schedule(Graph((x, w), (ga.grad(ga.sum(ga.sin(ga.conv2d(x, w))), w),)), ())
    assert [node.op.name for node in program.statements] == ["reshape", "matmul", "cos", "multiply", "matmul"]
    sizes = [node.type.static_shape for node in program.statements if isinstance(node.op, Matmul)]
    assert sizes == [(98, 4), (72, 4)]


def test_every_step_of_a_recurrence_may_convolve() -> None:
    frames, weights = np.random.default_rng(0).standard_normal((3, 4, 5, 1)), np.full((3, 1, 1), 0.5)
    x, w = ga.input("x", (3, 4, 5, 1), "float64"), ga.input("w", (3, 1, 1), "float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(ga.conv1d(h, w, padding="same") + x_t)
        return h, h

    last, _ = ga.unroll(cell, init=ga.constant(np.zeros((3, 5, 1))), xs=x, axis=1)
    loss = ga.sum(last)
    outputs = [loss, ga.grad(loss, w)]
    numpy, reference = (ga.compile([x, w], outputs, backend=name)(frames, weights) for name in ("numpy", "reference"))
    for found, expected in zip(numpy, reference, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_integers_are_numbers_and_beside_floats_float32() -> None:
    n, x = ga.constant(np.arange(4).reshape(1, 4, 1)), ga.constant(float32([1, 2]).reshape(2, 1, 1))
    assert ga.conv1d(n, x).dtype == np.float32
    found = value(ga.conv1d(n, ga.constant([[[1]], [[2]]])))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.ravel(), [2, 5, 8])


def test_an_infinite_element_reaches_only_the_windows_that_hold_it() -> None:
    x = float32([0, 0, np.inf, 0, 0]).reshape(1, 5, 1)
    found = value(ga.conv1d(ga.constant(x), float32([[[1]], [[1]]]))).ravel()
    np.testing.assert_array_equal(found, [0, np.inf, np.inf, 0])


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "keywords", "error", "message"),
    [
        ((5, 3), (3, 3, 4), {}, ShapeError, "both operands have 3 axes, channels last; these have 2 and 3"),
        ((2, 5, 3), (3, 2, 4), {}, ShapeError, "3 channels in 1 groups meet weights for 2 in each"),
        ((2, 5, 4), (3, 2, 5), {"groups": 2}, ShapeError, "5 filters do not fall into 2 groups"),
        ((2, 5, 3), (6, 3, 4), {}, ShapeError, "a window that reaches over 6 elements does not fit into an axis of 5"),
        ((2, 5, 3), (0, 3, 4), {}, ShapeError, "the size of a window is of integers > 0"),
        ((2, 5, 3), ("k", 3, 4), {}, ShapeError, r"the size of a window is of integers > 0; .* \(k,\)"),
        ((2, "time", 3), (3, 3, 4), {"stride": 2}, ShapeError, "integer size: declare time"),
        ((2, 5, 3), (3, 3, 4), {"stride": 0}, ArgumentError, "stride is a positive integer"),
        ((2, 5, 3), (3, 3, 4), {"padding": "full"}, ArgumentError, "padding is 'valid'"),
        ((2, 5, 3), (3, 3, 4), {"groups": 0}, ArgumentError, "groups is a positive integer"),
    ],
)
def test_what_does_not_fit_is_named(
    x_shape: Any, w_shape: Any, keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    x, w = ga.input("x", x_shape), ga.input("w", w_shape)
    with pytest.raises(error, match=rf"conv1d\(x: float32\[.*{message}.*\(at test_convolution\.py:\d+\)"):
        ga.conv1d(x, w, **keywords)


def test_images_that_do_not_fit_are_named() -> None:
    x, w = ga.input("x", ("batch", 28, 28)), ga.input("w", (3, 3, 1, 8))
    with pytest.raises(ShapeError, match=r"conv2d\(x: float32\[batch, 28, 28\].*have 4 axes"):
        ga.conv2d(x, w)


def test_truth_values_are_refused() -> None:
    mask = ga.input("mask", (2, 5, 3), "bool")
    with pytest.raises(DTypeError, match=r"conv1d\(mask: .*cast them to numbers"):
        ga.conv1d(mask, mask)
