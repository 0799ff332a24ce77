from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, IndexRangeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ops.arithmetic import Divide
from tests.autodiff.differences import central_gradient_of, float32, value, values

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
        ShapeError, match=r"softmax_cross_entropy\(logits: .*labels: .*of shape \(4,\).*\(4, 3\).*\(at test_composite\."
    ):
        ga.softmax_cross_entropy(logits, labels)


def test_a_label_that_is_no_class_is_an_error_at_the_call() -> None:
    logits, labels = ga.input("logits", ("batch", 3)), ga.input("labels", ("batch",), "int64")
    function = ga.compile([logits, labels], ga.softmax_cross_entropy(logits, labels))
    for wrong in (-1, 3):
        with pytest.raises(IndexRangeError, match=r"axis of size 3.*\(at test_composite\.py:\d+\)"):
            function(EXTREME, [0, 1, 2, wrong])


@pytest.mark.parametrize("axis", [0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_is_the_logarithm_of_the_sum_of_exponentials(axis: Any, keepdims: bool) -> None:
    x = ga.input("x", (2, 3), "float64")
    given = {x: np.random.default_rng(0).standard_normal((2, 3))}
    exponentials: Any = np.exp(given[x])
    expected = np.log(exponentials.sum(axis, keepdims=keepdims))
    found = ga.logsumexp(x, axis, keepdims)
    assert found.shape == expected.shape
    np.testing.assert_allclose(value(found, given), expected, rtol=1e-13)
    loss = ga.sum(ga.sin(found))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("build", [ga.logsumexp, lambda x: ga.logsumexp(x, keepdims=True)[..., 0]])
def test_logsumexp_of_nothing_but_minus_infinity_is_that_with_zero_gradient(backend: str, build: Any) -> None:
    x = ga.input("x", (3, 2))
    result = build(x)
    rows = float32([[-INF, -INF], [-INF, 5], [1e4, 1e4]])
    found, gradient = ga.compile([x], [result, ga.grad(ga.sum(result), x)], backend=backend)(rows)
    np.testing.assert_allclose(found, [-INF, 5, 1e4 + math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.0, 1.0], [0.5, 0.5]])


def test_logsumexp_with_nan_is_nan_and_with_infinity_infinite() -> None:
    assert np.isnan(value(ga.logsumexp(ga.constant([1.0, NAN, 2.0]))))
    assert value(ga.logsumexp(ga.constant([1.0, INF, 2.0]))) == INF


def test_great_logits_lose_no_digits() -> None:
    logits = ga.constant([1e4, 1e4, -1e4])
    sparse, dense = (ga.softmax_cross_entropy(logits, labels) for labels in (0, ga.constant([1.0, 0.0, 0.0])))
    np.testing.assert_allclose(values([sparse, dense], {}), math.log(2), rtol=1e-6)
    np.testing.assert_allclose(value(ga.softmax(logits)), [0.5, 0.5, 0.0], rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_and_its_logarithm_are_right_in_both_tails(axis: int) -> None:
    x = ga.input("x", (4, 3))
    array = EXTREME
    expected = np.moveaxis(softmax_of(np.moveaxis(array, axis, -1)), -1, axis)
    probabilities, logarithms = values([ga.softmax(x, axis), ga.log_softmax(x, axis)], {x: array})
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    np.testing.assert_allclose(logarithms[expected > 0], np.log(expected[expected > 0]), atol=1e-6)
    assert np.isfinite(logarithms).all()


@pytest.mark.parametrize("build", [ga.softmax, ga.log_softmax])
def test_softmax_is_differentiated_twice(build: Any) -> None:
    x = ga.input("x", (2, 3), "float64")
    given = {x: np.random.default_rng(0).standard_normal((2, 3))}
    loss = ga.sum(ga.square(build(x)) * np.arange(6.0).reshape(2, 3))
    slope = ga.sum(ga.sin(ga.grad(loss, x)))
    np.testing.assert_allclose(value(ga.grad(loss, x), given), central_gradient_of(loss, x, given), atol=1e-9)
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


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


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((6, 20), "[6, 20]"),
        (-1, "[120]"),
        ((4, -1), "[4, 30]"),
        ((-1, 4, 5), "[6, 4, 5]"),
        ([2, 3, 4, 5], "[2, 3, 4, 5]"),
    ],
)
def test_a_reshape_finds_the_size_that_is_left(given: Any, expected: str) -> None:
    x = ga.input("x", (2, 3, 4, 5), "float64")
    array = np.arange(120.0).reshape(2, 3, 4, 5)
    assert str(ga.reshape(x, given).type) == f"float64{expected}"
    np.testing.assert_array_equal(value(ga.reshape(x, given), {x: array}), array.reshape(given))


def test_a_reshape_finds_a_named_size_that_is_left() -> None:
    x = ga.input("x", ("batch", 4, 6))
    assert str(x.reshape(-1, 24).type) == "float32[batch, 24]"
    assert str(x.reshape(-1).type) == "float32[24*batch]"
    assert str(x.reshape("batch", -1).type) == "float32[batch, 24]"
    assert str(x.reshape(-1, 3).type) == "float32[8*batch, 3]"
    assert x.reshape("batch", 4, 6) is x


@pytest.mark.parametrize(
    ("shape", "error"), [((-1, -1), ShapeError), ((-1, 7), ShapeError), ((5, 5), ShapeError), ((2.0, 3), ShapeError)]
)
def test_a_reshape_that_cannot_be_is_an_error_that_says_where(shape: Any, error: type[GraphadError]) -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(error, match=r"reshape\(x: float32\[2, 3\].*\(at test_composite\.py:\d+\)"):
        ga.reshape(x, shape)


def test_axes_are_added_dropped_and_exchanged_as_in_numpy() -> None:
    x = ga.input("x", (2, 1, 3), "float64")
    array = np.arange(6.0).reshape(2, 1, 3)
    pairs: list[tuple[Node, Any]] = [
        (ga.expand_dims(x, -1), np.expand_dims(array, -1)),
        (ga.expand_dims(x, 0), np.expand_dims(array, 0)),
        (ga.squeeze(x, 1), np.squeeze(array, 1)),
        (ga.squeeze(x, -2), np.squeeze(array, -2)),
        (x.T, array.T),
        (ga.transpose(x, (1, -1, 0)), array.transpose(1, -1, 0)),
        (ga.broadcast_to(x, (5, 2, 4, 3)), np.broadcast_to(array, (5, 2, 4, 3))),
    ]
    for found, (node, expected) in zip(values([node for node, _ in pairs], {x: array}), pairs, strict=True):
        assert node.shape == expected.shape
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 2, 3, -4])
def test_only_an_axis_of_size_one_is_squeezed(axis: int) -> None:
    x = ga.input("x", (2, 1, 3))
    with pytest.raises(ShapeError, match=r"squeeze\(x: .*\(at test_composite\.py:\d+\)"):
        ga.squeeze(x, axis)


def test_zeros_like_have_the_type_of_their_model() -> None:
    for x in (ga.input("x", ("batch", 3)), ga.input("n", (2,), "int8"), ga.input("s", (), "float64")):
        assert ga.zeros_like(x).type == x.type
    assert not value(ga.zeros_like(np.ones((2, 3)))).any()


@pytest.mark.parametrize("build", [ga.logsumexp, ga.softmax, ga.log_softmax])
def test_errors_of_what_is_built_from_others_name_the_line(build: Any) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ShapeError, match=r"x: float32\[3\].*axis 1 is out of range.*\(at test_composite\.py:\d+\)"):
        build(x, axis=1)
    with pytest.raises((DTypeError, ArgumentError)):
        build(x, axis="last")
