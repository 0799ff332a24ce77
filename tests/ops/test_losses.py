from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, IndexRangeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.op import Array
from graphad.ops.arithmetic import Divide
from tests.autodiff.differences import float32, value, values

INF, NAN = math.inf, math.nan
EXTREME = float32([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [0.0, 1e-4, 1e4], [3.0, 3.0, 3.0]])
LABELS = np.array([1, 2, 0, 0])


def softmax_of(x: Array) -> Array:
    powers = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_the_cotangent_of_cross_entropy_is_p_minus_y_whatever_the_logits(backend: str) -> None:
    logits, labels = ga.input("logits", (4, 3)), ga.input("labels", (4,), "int64")
    losses = ga.softmax_cross_entropy(logits, labels)
    function = ga.compile([logits, labels], [losses, ga.grad(ga.sum(losses), logits)], backend=backend)
    found, gradient = function(EXTREME, LABELS)
    np.testing.assert_allclose(found, [2e4, 0, 1e4, math.log(3)], rtol=1e-6)
    np.testing.assert_allclose(gradient, softmax_of(EXTREME) - np.eye(3)[LABELS], rtol=1e-6, atol=1e-12)
    assert found.dtype == gradient.dtype == np.float32


def test_the_cotangent_of_cross_entropy_with_a_distribution_is_p_minus_y_too() -> None:
    logits = ga.input("logits", (4, 3), "float64")
    distribution = np.array([[0.2, 0.3, 0.5], [0, 0, 1], [1, 0, 0], [0.5, 0.5, 0]])
    losses = ga.softmax_cross_entropy(logits, distribution)
    given = {logits: EXTREME.astype(np.float64)}
    expected = softmax_of(EXTREME) - distribution
    np.testing.assert_allclose(value(ga.grad(ga.sum(losses), logits), given), expected, atol=1e-12)


def test_nothing_is_divided_by_a_probability() -> None:
    logits, labels = ga.input("logits", (4, 3)), ga.input("labels", (4,), "int64")
    gradient = ga.grad(ga.sum(ga.softmax_cross_entropy(logits, labels)), logits)
    divisors = [node.operands[1] for node in Graph((logits, labels), (gradient,)).nodes if isinstance(node.op, Divide)]
    smallest = values(divisors, {logits: EXTREME, labels: LABELS})
    assert smallest
    assert all(array.min() >= 1 for array in smallest)


def test_dense_and_sparse_labels_give_the_same_losses() -> None:
    logits = ga.input("logits", (4, 3), "float64")
    sparse = ga.softmax_cross_entropy(logits, LABELS)
    dense = ga.softmax_cross_entropy(logits, np.eye(3)[LABELS])
    given = {logits: np.random.default_rng(0).standard_normal((4, 3))}
    np.testing.assert_allclose(value(sparse, given), value(dense, given), rtol=1e-12)
    expected = -np.log(softmax_of(given[logits])[range(4), LABELS])
    np.testing.assert_allclose(value(sparse, given), expected, rtol=1e-12)


def test_cross_entropy_takes_one_example_and_sequences_of_them() -> None:
    for shape in ((), (4,), (5, 4)):
        logits, labels = ga.input("logits", (*shape, 3), "float64"), ga.input("labels", shape, "uint8")
        losses = ga.softmax_cross_entropy(logits, labels)
        assert losses.shape == shape
        given = {logits: np.zeros((*shape, 3)), labels: np.ones(shape, np.uint8)}
        np.testing.assert_allclose(value(losses, given), np.full(shape, math.log(3)))


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3,), "int64"), ((4, 3), "int64"), ((4,), "float32"), ((4, 1), "float32"), ((), "int64")]
)
def test_labels_that_do_not_fit_the_logits_are_refused_by_name(shape: tuple[int, ...], dtype: str) -> None:
    logits, labels = ga.input("logits", (4, 3)), ga.input("labels", shape, dtype)
    with pytest.raises(
        ShapeError, match=r"softmax_cross_entropy\(logits: .*labels: .*of shape \(4,\).*\(4, 3\).*\(at test_losses\."
    ):
        ga.softmax_cross_entropy(logits, labels)


def test_a_label_that_is_no_class_is_an_error_at_the_call() -> None:
    logits, labels = ga.input("logits", ("batch", 3)), ga.input("labels", ("batch",), "int64")
    function = ga.compile([logits, labels], ga.softmax_cross_entropy(logits, labels))
    for wrong in (-1, 3):
        with pytest.raises(IndexRangeError, match=r"axis of size 3.*\(at test_losses\.py:\d+\)"):
            function(EXTREME, [0, 1, 2, wrong])


def test_great_logits_lose_no_digits() -> None:
    logits = ga.constant([1e4, 1e4, -1e4])
    sparse, dense = (ga.softmax_cross_entropy(logits, labels) for labels in (0, ga.constant([1.0, 0.0, 0.0])))
    np.testing.assert_allclose(values([sparse, dense], {}), math.log(2), rtol=1e-6)
    np.testing.assert_allclose(value(ga.softmax(logits)), [0.5, 0.5, 0.0], rtol=1e-6)


def test_the_hessian_of_cross_entropy_is_that_of_the_softmax() -> None:
    logits = ga.input("logits", (3,), "float64")
    gradient = ga.grad(ga.softmax_cross_entropy(logits, 1), logits)
    given = {logits: np.array([0.3, -1.0, 2.0])}
    p = softmax_of(given[logits])
    rows = values([ga.grad(gradient[i], logits) for i in range(3)], given)
    np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), rtol=1e-12)


def test_mse_is_the_mean_of_squares_and_its_gradient_agrees() -> None:
    x, y = ga.input("x", (2, 3), "float64"), ga.input("y", (2, 3), "float64")
    generator = np.random.default_rng(0)
    given = {x: generator.standard_normal((2, 3)), y: generator.standard_normal((2, 3))}
    assert value(ga.mse(x, y), given) == pytest.approx(np.mean((given[x] - given[y]) ** 2))
    np.testing.assert_allclose(value(ga.grad(ga.mse(x, y), x), given), (given[x] - given[y]) / 3)
    assert ga.mse(ga.constant([1, 2]), 0).dtype == np.float32


def test_accuracy_is_the_fraction_that_is_right() -> None:
    logits, labels = ga.input("logits", ("batch", 3)), ga.input("labels", ("batch",), "uint8")
    found = ga.compile([logits, labels], ga.accuracy(logits, labels))(EXTREME, LABELS.astype(np.uint8))
    assert found == 0.5
    assert found.dtype == np.float32


@pytest.mark.parametrize(("k", "expected"), [(1, 0.5), (2, 0.5), (3, 1.0)])
def test_a_label_is_among_the_k_greatest_logits_and_of_ties_the_first_are(k: int, expected: float) -> None:
    logits, labels = ga.input("logits", ("batch", 3)), ga.input("labels", ("batch",), "uint8")
    found = ga.compile([logits, labels], ga.top_k_accuracy(logits, labels, k=k))(EXTREME, LABELS.astype(np.uint8))
    assert found == expected
    assert found.dtype == np.float32


def test_the_best_one_of_all_is_the_accuracy() -> None:
    generator = np.random.default_rng(0)
    logits, labels = generator.integers(0, 3, (50, 4)).astype("float32"), generator.integers(0, 4, 50)
    first, second = values([ga.top_k_accuracy(logits, labels, k=1), ga.accuracy(logits, labels)], {})
    assert 0 < first == second < 1


def test_binary_accuracy_asks_on_which_side_of_zero_a_logit_is() -> None:
    logits = ga.constant([[-1e4, -1e-3, 0.0], [1e-3, 1e4, NAN]])
    assert value(ga.binary_accuracy(logits, [[0, 0, 0], [1, 1, 0]])) == 1
    assert value(ga.binary_accuracy(logits, [[True, True, True], [False, False, True]])) == 0
    assert value(ga.binary_accuracy(logits, [[0.1, 0.4, 0.5], [0.6, 0.9, 1.0]])) == pytest.approx(5 / 6)


# Smoothing.


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_smoothed_labels_are_labels_mixed_with_the_uniform_distribution(smoothing: float) -> None:
    logits = ga.input("logits", (4, 3), "float64")
    given = {logits: np.random.default_rng(0).standard_normal((4, 3))}
    mixed = (1 - smoothing) * np.eye(3)[LABELS] + smoothing / 3
    expected = value(ga.softmax_cross_entropy(logits, mixed), given)
    for labels in (LABELS, np.eye(3)[LABELS]):
        losses = ga.softmax_cross_entropy(logits, labels, label_smoothing=smoothing)
        np.testing.assert_allclose(value(losses, given), expected, rtol=1e-12)
        gradient = value(ga.grad(ga.sum(losses), logits), given)
        np.testing.assert_allclose(gradient, softmax_of(given[logits]) - mixed, atol=1e-12)


def test_the_cotangent_of_smoothed_cross_entropy_is_p_minus_y_whatever_the_logits() -> None:
    logits, labels = ga.input("logits", (4, 3)), ga.input("labels", (4,), "int64")
    losses = ga.softmax_cross_entropy(logits, labels, label_smoothing=0.3)
    found, gradient = ga.compile([logits, labels], [losses, ga.grad(ga.sum(losses), logits)])(EXTREME, LABELS)
    mixed = 0.7 * np.eye(3)[LABELS] + 0.1
    np.testing.assert_allclose(gradient, softmax_of(EXTREME) - mixed, rtol=1e-5, atol=1e-7)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, NAN])
def test_a_smoothing_that_is_no_share_is_refused(smoothing: float) -> None:
    with pytest.raises(ArgumentError, match=r"label_smoothing is a share from 0 to 1.*\(at test_losses\.py"):
        ga.softmax_cross_entropy(EXTREME, LABELS, label_smoothing=smoothing)


# Labels that are true or not.


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_sigmoid_cross_entropy_is_exact_in_both_tails(backend: str) -> None:
    logits, labels = ga.input("logits", (8,)), ga.input("labels", (8,))
    losses = ga.sigmoid_cross_entropy(logits, labels)
    x, y = float32([1e4, 1e4, -1e4, -1e4, 30, -30, 0, 0]), float32([1, 0, 1, 0, 1, 0, 1, 0.5])
    function = ga.compile([logits, labels], [losses, ga.grad(ga.sum(losses), logits)], backend=backend)
    found, gradient = function(x, y)
    small, half = math.exp(-30), math.log(2)
    np.testing.assert_allclose(found, [0, 1e4, 1e4, 0, small, small, half, half], rtol=1e-6)
    np.testing.assert_allclose(gradient, [0, 1, -1, 0, -small, small, -0.5, 0], rtol=1e-6, atol=1e-30)
    assert found.dtype == gradient.dtype == np.float32


def test_the_cotangent_of_sigmoid_cross_entropy_is_p_minus_y_and_its_derivative_p_times_1_minus_p() -> None:
    x = ga.input("x", (5,), "float64")
    given = {x: np.array([-3.0, -0.5, 0.0, 0.5, 3.0])}
    y = np.array([0, 0.25, 0, 1, 1])
    slope = ga.grad(ga.sum(ga.sigmoid_cross_entropy(x, y)), x)
    p = 1 / (1 + np.exp(-given[x]))
    np.testing.assert_allclose(value(slope, given), p - y, rtol=1e-12)
    np.testing.assert_allclose(value(ga.grad(ga.sum(slope), x), given), p * (1 - p), rtol=1e-12)


def test_labels_may_be_truth_values_integers_or_floats_of_any_width() -> None:
    x, y = ga.input("x", (4,)), np.array([0, 1, 1, 0])
    expected = value(ga.sigmoid_cross_entropy(x, y.astype("float32")), {x: EXTREME[:, 0]})
    for dtype in ("bool", "uint8", "int64", "float64"):
        losses = ga.sigmoid_cross_entropy(x, y.astype(dtype))
        assert losses.dtype == np.float32
        np.testing.assert_array_equal(value(losses, {x: EXTREME[:, 0]}), expected)


def test_a_weight_of_the_positive_labels_scales_their_losses_alone() -> None:
    x, y = ga.input("x", (2, 3), "float64"), np.array([[0, 1, 1], [1, 0, 0]])
    given = {x: EXTREME[2:].astype(np.float64) / 1e4}
    plain, weighted = (
        value(ga.sigmoid_cross_entropy(x, y, pos_weight=w), given) for w in (None, np.array([2.0, 3, 4]))
    )
    np.testing.assert_allclose(weighted, plain * np.where(y, [2, 3, 4], 1), rtol=1e-12)
    assert ga.sigmoid_cross_entropy(ga.input("x", (3,)), [0, 1, 1], np.ones(3)).dtype == np.float32
    with pytest.raises(ShapeError, match=r"\[5, 1, 3\] does not broadcast to the shape \(2, 3\) \(at test_losses\.py"):
        ga.sigmoid_cross_entropy(x, y, pos_weight=np.ones((5, 1, 3)))


# Distributions.


def test_a_divergence_is_0_between_equals_and_never_negative() -> None:
    logits = ga.input("logits", (4, 3), "float64")
    given = {logits: np.random.default_rng(0).standard_normal((4, 3))}
    p = softmax_of(given[logits])
    np.testing.assert_allclose(value(ga.kl_divergence(logits, p), given), 0, atol=1e-15)
    assert (value(ga.kl_divergence(logits, p[::-1].copy()), given) > 0.01).all()


def test_a_probability_of_0_adds_nothing_to_a_divergence_or_to_its_gradient() -> None:
    logits = ga.input("logits", (4, 3), "float64")
    given = {logits: np.random.default_rng(0).standard_normal((4, 3))}
    divergence = ga.kl_divergence(logits, np.eye(3)[LABELS])
    p = softmax_of(given[logits])
    np.testing.assert_allclose(value(divergence, given), -np.log(p[range(4), LABELS]), rtol=1e-12)
    gradient = ga.grad(ga.sum(divergence), logits)
    np.testing.assert_allclose(value(gradient, given), p - np.eye(3)[LABELS], rtol=1e-12)


def test_the_gradient_by_a_target_of_a_divergence_is_finite_where_it_is_0() -> None:
    q = ga.input("q", (3,), "float64")
    slope = value(ga.grad(ga.kl_divergence(np.zeros(3), q), q), {q: np.array([0.0, 0.5, 0.5])})
    np.testing.assert_allclose(slope, [math.log(3), math.log(1.5) + 1, math.log(1.5) + 1])


def test_cosines_are_those_of_the_angle_and_0_beside_a_vector_of_zeros() -> None:
    x, y = ga.constant([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), ga.constant([[0.0, 2.0], [-3.0, -3.0], [1.0, 0.0]])
    np.testing.assert_allclose(value(ga.cosine_similarity(x, y)), [0, -1, 0], atol=1e-7)


# Numbers.


def gradient_at(loss: Any, numbers: list[float]) -> Array:
    x = ga.input("x", (len(numbers),), "float64")
    return value(ga.grad(loss(x), x), {x: np.array(numbers)}) * len(numbers)


def test_at_their_kinks_losses_have_these_derivatives() -> None:
    np.testing.assert_array_equal(gradient_at(lambda x: ga.mae(x, 1.0), [0.0, 1.0, 2.0]), [-1, 0, 1])
    huber = gradient_at(lambda x: ga.huber(x, 0.0, delta=2.0), [-9.0, -2.0, -1.0, 0.0, 1.0, 2.0, 9.0])
    np.testing.assert_allclose(huber, [-2, -2, -1, 0, 1, 2, 2])
    np.testing.assert_array_equal(gradient_at(lambda x: ga.hinge(x, 1.0), [0.0, 1.0, 2.0]), [-1, 0, 0])


def test_a_huber_loss_bends_at_0_like_a_square() -> None:
    x = ga.input("x", (), "float64")
    assert value(ga.grad(ga.grad(ga.huber(x, 0.0), x), x), {x: np.array(0.0)}) == 1


def test_a_huber_loss_of_great_differences_stays_finite() -> None:
    x = ga.input("x", (2,))
    loss = ga.huber(x, 0.0)
    found, gradient = ga.compile([x], [loss, ga.grad(loss, x)])([1e30, -1e30])
    assert found == pytest.approx(1e30)
    np.testing.assert_array_equal(gradient, [0.5, -0.5])


@pytest.mark.parametrize("delta", [0.0, -1.0, NAN])
def test_a_huber_loss_needs_a_place_where_the_square_ends(delta: float) -> None:
    with pytest.raises(ArgumentError, match=r"delta is where the square ends.*\(at test_losses\.py"):
        ga.huber(EXTREME, 0.0, delta=delta)


def test_a_penalty_takes_any_structure_and_its_gradient_is_twice_the_parameter() -> None:
    W, b = ga.parameter([[1.0, -2.0]], "W"), ga.parameter([3.0], "b")
    penalty = ga.l2_penalty({"dense": [W, b]})
    assert value(penalty) == 14
    np.testing.assert_array_equal(value(ga.grad(penalty, W)), [[2, -4]])
    with pytest.raises(ArgumentError, match=r"nothing to penalise.*\(at test_losses\.py"):
        ga.l2_penalty([])


MEASURES = (ga.mse, ga.mae, ga.huber, ga.hinge, ga.cosine_similarity, ga.sigmoid_cross_entropy, ga.binary_accuracy)


@pytest.mark.parametrize("measure", [*MEASURES, ga.kl_divergence], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(4,), (1, 3), (4, 1), (1, 4, 3), ("batch", 3)])
def test_shapes_that_differ_are_refused_and_not_broadcast(measure: Any, shape: tuple[Any, ...]) -> None:
    """(4, 1) beside (4,) would compare each of 4 with each of 4."""
    x, y = ga.input("x", (4, 3)), ga.input("y", shape)
    types = re.escape(f"{x.type} and {y.type} differ in shape and are not broadcast: reshape or squeeze")
    with pytest.raises(ShapeError, match=rf"{measure.__name__}\(x: .*y: .*{types}.*\(at test_losses\.py:\d+\)"):
        measure(x, y)


@pytest.mark.parametrize("measure", MEASURES[:4], ids=lambda f: f.__name__)
def test_a_scalar_fits_any_shape(measure: Any) -> None:
    x = ga.input("x", ("batch", 3))
    for result in (measure(x, 1.0), measure(1.0, x), measure(x, np.float32(1.0)), measure(x, 1)):
        assert str(result.type) == "float32[]"


@pytest.mark.parametrize("measure", [ga.accuracy, ga.top_k_accuracy], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (6,), (4, 6), ("batch",)])
def test_labels_of_another_shape_than_the_examples_are_refused(measure: Any, shape: tuple[Any, ...]) -> None:
    logits, labels = ga.input("logits", (4, 6)), ga.input("labels", shape, "int64")
    types = re.escape(f"logits {logits.type} need labels of shape (4,)") + ".*" + re.escape(f"got {labels.type}")
    with pytest.raises(ShapeError, match=rf"{measure.__name__}\(logits: .*{types}.*argmax.*\(at test_losses\.py:\d+\)"):
        measure(logits, labels)
    with pytest.raises(ShapeError, match="logits have an axis of classes"):
        measure(ga.input("logits", ()), labels)


def test_one_label_may_stand_for_all_examples() -> None:
    assert value(ga.accuracy(EXTREME, 0)) == 0.5
    assert value(ga.top_k_accuracy(EXTREME, 0, k=2)) == 0.75


@pytest.mark.parametrize("measure", MEASURES[:4], ids=lambda f: f.__name__)
def test_whole_numbers_give_float32(measure: Any) -> None:
    assert measure(ga.constant([1, 2]), ga.constant([3, 4])).dtype == np.float32
    assert measure(ga.input("x", (2,)), ga.constant([3, 4])).dtype == np.float32
