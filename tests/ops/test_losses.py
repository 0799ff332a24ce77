from __future__ import annotations

import math

import numpy as np
import pytest

import graphad as ga
from graphad.errors import IndexRangeError, ShapeError
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
