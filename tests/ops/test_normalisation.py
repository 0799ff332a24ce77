from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, GraphadError, ShapeError
from tests.autodiff.differences import central_gradient_of, float32, value, values

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.standard_normal((4, 3))
every_norm = pytest.mark.parametrize(
    "norm", [ga.layer_norm, ga.rms_norm, ga.l2_normalize, lambda x: ga.batch_norm_training(x, 0.0 * x[0], x[0]).output]
)


def test_a_layer_norm_has_mean_0_and_variance_1_before_scale_and_offset() -> None:
    found = value(ga.layer_norm(ROWS, epsilon=1e-12))
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(found.var(axis=1), 1)
    scaled = value(ga.layer_norm(ROWS, scale=[1.0, 2.0, 3.0], offset=[0.5, 0.0, -1.0], epsilon=1e-12))
    np.testing.assert_allclose(scaled, found * [1, 2, 3] + [0.5, 0, -1])


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), (-1, 0), None])
def test_layers_are_normalised_along_whichever_axes(axis: Any) -> None:
    axes = (0, 1) if axis is None else tuple(sorted(i % 2 for i in np.atleast_1d(axis)))
    kept: dict[str, Any] = {"axis": axes, "keepdims": True}
    expected = (ROWS - ROWS.mean(**kept)) / np.sqrt(ROWS.var(**kept) + 1e-5)
    scale = GENERATOR.standard_normal([ROWS.shape[i] for i in axes])
    np.testing.assert_allclose(value(ga.layer_norm(ROWS, axis=axis)), expected, rtol=1e-12)
    aligned = np.expand_dims(scale, tuple(i for i in (0, 1) if i not in axes))
    np.testing.assert_allclose(value(ga.layer_norm(ROWS, scale, axis=axis)), expected * aligned, rtol=1e-12)


def test_scale_and_offset_may_be_scalars() -> None:
    found, plain = values([ga.layer_norm(ROWS, 2.0, 1.0), ga.layer_norm(ROWS)], {})
    np.testing.assert_allclose(found, 2 * plain + 1)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_the_gradient_of_constant_rows_is_finite_and_right(backend: str) -> None:
    """The variance is 0: the result is 0, and a step d of one element moves it by (d - mean d) / sqrt(epsilon)."""
    x = ga.input("x", (2, 3), "float64")
    weight = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 1.0]])
    norm = ga.layer_norm(x, epsilon=0.01)
    found, gradient = ga.compile([x], [norm, ga.grad(ga.sum(norm * weight), x)], backend=backend)(np.full((2, 3), 7.0))
    np.testing.assert_array_equal(found, 0)
    np.testing.assert_allclose(gradient, 10 * (weight - weight.mean(axis=1, keepdims=True)), rtol=1e-12)


@every_norm
def test_zeros_stay_zeros_and_their_gradients_are_finite(norm: Any) -> None:
    x = ga.input("x", (4, 3))
    result = norm(x)
    gradient = ga.grad(ga.sum(result * ROWS.astype("float32")), x)
    second = ga.grad(ga.sum(gradient * gradient), x, disconnected="zero")
    found, *derivatives = ga.compile([x], [result, gradient, second])(np.zeros((4, 3)))
    np.testing.assert_array_equal(found, 0)
    assert all(np.isfinite(array).all() for array in derivatives)


@pytest.mark.parametrize("mean", [1e3, 1e5, -1e6])
def test_a_great_mean_costs_no_digits_of_the_variance(mean: float) -> None:
    """In float32 the mean of squares less the square of the mean would be noise here."""
    x = float32([[mean - 3, mean - 1, mean + 1, mean + 3], [mean, mean, mean, mean]])
    expected = np.array([[-3, -1, 1, 3], [0, 0, 0, 0]]) / math.sqrt(5 + 1e-5)
    expected[1] = 0
    np.testing.assert_allclose(value(ga.layer_norm(x)), expected, rtol=1e-5)
    norm = ga.batch_norm_training(x.T, np.zeros(2, "float32"), np.ones(2, "float32"))
    np.testing.assert_allclose(value(norm.variance), [5, 0], rtol=1e-6)


@every_norm
def test_results_are_float32_for_float32_and_for_integers(norm: Any) -> None:
    assert norm(ga.input("x", (4, 3))).dtype == np.float32
    assert norm(ga.input("x", (4, 3), "int64")).dtype == np.float32
    assert str(norm(ga.input("x", ("batch", 3), "float64")).type) == "float64[batch, 3]"


def test_a_layer_norm_does_not_see_the_scale_of_its_operand() -> None:
    x, k = ga.input("x", (4, 3), "float64"), ga.input("k", (), "float64")
    loss = ga.sum(ga.sin(ga.layer_norm(k * x, epsilon=1e-14)))
    assert value(ga.grad(loss, k), {x: ROWS, k: np.array(2.0)}) == pytest.approx(0, abs=1e-10)


def test_an_rms_norm_has_mean_square_1_and_keeps_directions() -> None:
    found = value(ga.rms_norm(ROWS, epsilon=1e-12))
    np.testing.assert_allclose((found**2).mean(axis=1), 1)
    np.testing.assert_allclose(found / ROWS, (found / ROWS)[:, :1] * np.ones(3))


def test_vectors_of_length_1_are_those_of_l2_normalize() -> None:
    np.testing.assert_allclose(value(ga.l2_normalize([3.0, 4.0])), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(value(ga.l2_normalize(ROWS, axis=None))), 1)


# Over the batch.


def declare(shape: tuple[Any, ...], axis: int = -1, **options: Any) -> tuple[ga.Node, ga.Node, ga.Node, ga.BatchNorm]:
    """The input, the running mean and variance, and what normalises them."""
    x = ga.input("x", shape, "float64")
    mean, variance = (
        ga.parameter(np.full(3, v), name, trainable=False) for v, name in ((0.0, "mean"), (1.0, "variance"))
    )
    return x, mean, variance, ga.batch_norm_training(x, mean, variance, axis=axis, **options)


def test_training_updates_the_running_statistics_towards_those_of_the_batch() -> None:
    x, mean, variance, norm = declare(("batch", 3), momentum=0.75)
    step = ga.compile([x], norm.output, updates={mean: norm.running_mean, variance: norm.running_variance})
    found = step(ROWS)
    np.testing.assert_allclose(found, (ROWS - ROWS.mean(axis=0)) / np.sqrt(ROWS.var(axis=0) + 1e-3))
    np.testing.assert_allclose(mean.value, 0.25 * ROWS.mean(axis=0))
    np.testing.assert_allclose(variance.value, 0.75 + 0.25 * ROWS.var(axis=0))
    for _ in range(200):
        step(ROWS)
    np.testing.assert_allclose(mean.value, ROWS.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variance.value, ROWS.var(axis=0), rtol=1e-12)


def test_with_the_statistics_of_the_batch_both_forms_agree() -> None:
    x, *_, norm = declare((4, 3), scale=[1.0, 2.0, 3.0], offset=1.0)
    given = ga.batch_norm(x, norm.mean, norm.variance, [1.0, 2.0, 3.0], 1.0)
    found, expected = values([norm.output, given], {x: ROWS})
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, (0, 2)])
def test_features_may_lie_along_any_axes(axis: Any) -> None:
    features = tuple(sorted(i % 3 for i in np.atleast_1d(axis)))
    x = GENERATOR.standard_normal((2, 3, 4))
    others = tuple(i for i in range(3) if i not in features)
    sizes = [x.shape[i] for i in features]
    norm = ga.batch_norm_training(x, np.zeros(sizes), np.ones(sizes), axis=axis)
    output, mean, variance = values([norm.output, norm.mean, norm.variance], {})
    np.testing.assert_allclose(output.mean(axis=others), 0, atol=1e-12)
    np.testing.assert_allclose(mean, x.mean(axis=others), rtol=1e-12)
    np.testing.assert_allclose(variance, x.var(axis=others), rtol=1e-12)


def test_the_gradient_passes_through_the_statistics_of_the_batch_and_not_through_the_running_ones() -> None:
    x, mean, variance, norm = declare((4, 3))
    loss = ga.sum(ga.sin(norm.output))
    found = value(ga.grad(loss, x), {x: ROWS})
    np.testing.assert_allclose(found, central_gradient_of(loss, x, {x: ROWS}), atol=1e-8)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-12)
    fixed = ga.sum(ga.sin(ga.batch_norm(x, ga.stop_gradient(norm.mean), ga.stop_gradient(norm.variance))))
    assert np.abs(value(ga.grad(fixed, x), {x: ROWS}) - found).max() > 0.1
    zeros = ga.grad(ga.sum(norm.running_mean + norm.running_variance), [x, mean, variance], disconnected="zero")
    assert not any(array.any() for array in values(zeros, {x: ROWS}))


def test_a_batch_of_one_is_normalised_to_its_offset() -> None:
    x, *_, norm = declare(("batch", 3), offset=[1.0, 2.0, 3.0])
    found, gradient = ga.compile([x], [norm.output, ga.grad(ga.sum(norm.output), x)])(ROWS[:1])
    np.testing.assert_array_equal(found, [[1, 2, 3]])
    np.testing.assert_array_equal(gradient, np.zeros((1, 3)))


def test_running_statistics_keep_their_dtype() -> None:
    x = ga.input("x", ("batch", 3), "float64")
    mean = ga.parameter(np.zeros(3, np.float32), "mean", trainable=False)
    norm = ga.batch_norm_training(x, mean, mean)
    assert [node.dtype for node in norm] == [np.float64, np.float64, np.float64, np.float32, np.float32]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: ga.layer_norm(x, scale=np.ones(4)),
            ShapeError,
            r"layer_norm\(x: .*value of shape \(3,\) or a scalar",
        ),
        (lambda x: ga.layer_norm(x, offset=np.ones((4, 3))), ShapeError, r"layer_norm\(x: .*float64\[4, 3\].*reshape"),
        (lambda x: ga.layer_norm(x, axis=2), ShapeError, r"layer_norm\(x: .*axis 2 is out of range"),
        (lambda x: ga.layer_norm(x, axis=()), ShapeError, r"no axis of float32\[4, 3\] left to take the mean over"),
        (lambda x: ga.layer_norm(x, epsilon=0.0), ArgumentError, "epsilon.*must be positive; got 0.0"),
        (lambda x: ga.rms_norm(x, np.ones(2)), ShapeError, r"rms_norm\(x: .*shape \(3,\)"),
        (lambda x: ga.rms_norm(x, epsilon=-1.0), ArgumentError, "epsilon"),
        (lambda x: ga.l2_normalize(x, epsilon=math.nan), ArgumentError, "epsilon"),
        (lambda x: ga.batch_norm(x, np.ones(4), np.ones(3)), ShapeError, r"batch_norm\(x: .*shape \(3,\)"),
        (lambda x: ga.batch_norm(x, np.ones(3), np.ones((1, 3))), ShapeError, r"float64\[1, 3\]"),
        (lambda x: ga.batch_norm_training(x, np.ones(4), np.ones(3)), ShapeError, r"running.*\(3,\); got float64\[4\]"),
        (lambda x: ga.batch_norm_training(x, 0.0, 1.0), ShapeError, r"running.*\(3,\); got float32\[\]"),
        (lambda x: ga.batch_norm_training(x[0], np.ones(3), np.ones(3)), ShapeError, "no axis.*left"),
        (lambda x: ga.batch_norm_training(x, np.ones(3), np.ones(3), momentum=1.5), ArgumentError, "momentum.*got 1.5"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_users_line(call: Any, error: type[GraphadError], message: str) -> None:
    with pytest.raises(error, match=rf"(?s){message}.*\(at .*test_normalisation\.py:\d+\)"):
        call(ga.input("x", (4, 3)))
