from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.function import BACKENDS
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.node import Node


@pytest.mark.parametrize("backend", BACKENDS)
def test_forward_and_backward_share_one_mask(backend: str) -> None:
    x = ga.input("x", (40, 3))
    y = ga.dropout(x, 0.25)
    step = ga.compile([x], [y, ga.grad(ga.sum(y * y), x)], backend=backend)
    for _ in range(2):
        array = np.random.default_rng(0).uniform(1, 2, (40, 3)).astype(np.float32)
        dropped, gradient = step(array)
        kept = dropped != 0
        assert 0 < kept.sum() < kept.size
        np.testing.assert_allclose(dropped[kept], array[kept] / 0.75, rtol=1e-6)
        np.testing.assert_allclose(gradient, np.where(kept, 2 * array / 0.75**2, 0), rtol=1e-5)


def test_the_mean_stays_what_it_was() -> None:
    dropped = ga.compile([], ga.dropout(ga.constant(np.ones(200_000, np.float32)), 0.3))()
    assert dropped.mean() == pytest.approx(1.0, abs=0.006)
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.004)
    assert len(np.unique(dropped)) == 2


def test_each_dropout_and_each_call_has_a_mask_of_its_own() -> None:
    x = ga.constant(np.ones(100, np.float32))
    step = ga.compile([], [ga.dropout(x, 0.5), ga.dropout(x, 0.5)])
    masks = [mask for _ in range(2) for mask in step()]
    assert len({mask.tobytes() for mask in masks}) == 4


def test_nan_in_what_is_dropped_does_not_leak() -> None:
    x = ga.input("x", (50,))
    y = ga.dropout(x, 0.5)
    step = ga.compile([x], [y, ga.grad(ga.sum(ga.square(y)), x)])
    kept = step(np.ones(50))[0] != 0
    step.restore(ga.compile([x], y).state())  # draw the same again
    dropped, gradient = step(np.where(kept, 1.0, np.nan))
    np.testing.assert_array_equal(dropped, np.where(kept, np.float32(2), 0))
    np.testing.assert_array_equal(gradient, np.where(kept, np.float32(8), 0))


def test_without_training_nothing_is_drawn() -> None:
    x = ga.input("x", ("batch", 3))
    assert ga.dropout(x, 0.5, training=False) is x
    flag = ga.input("training", (), "bool")
    step = ga.compile([x, flag], ga.dropout(x, 0.999, flag))
    np.testing.assert_array_equal(step(np.ones((20, 3)), False), np.ones((20, 3)))
    assert (step(np.ones((20, 3)), True) == 0).any()


def test_of_everything_nothing_is_left_and_of_nothing_everything() -> None:
    x = ga.input("x", (3,))
    step = ga.compile([x], [ga.dropout(x, 1), ga.dropout(x, 0)])
    nothing, everything = step([1, np.inf, np.nan])
    np.testing.assert_array_equal(nothing, [0, 0, 0])
    np.testing.assert_array_equal(everything, [1, np.inf, np.nan])


def test_integers_become_float32_and_dtypes_stay() -> None:
    assert ga.dropout(ga.input("n", (3,), "int64"), 0.5).dtype == np.float32
    assert ga.dropout(ga.input("d", (3,), "float64"), 0.5).dtype == np.float64


def recurrent(x: Node, W: Node) -> Node:
    """The loss of a net with dropout at each step."""

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        return ga.tanh(ga.dropout(x_t, 0.3) + ga.dropout(h, 0.4) @ W), None

    h, _ = ga.unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    return ga.sum(h * h)


def test_gradients_with_dropout_at_each_step_agree_with_differences() -> None:
    W = ga.parameter(np.random.default_rng(0).normal(size=(3, 3)), name="W", dtype="float64")
    x = ga.input("x", (2, 5, 3), "float64")
    ga.check_gradients(recurrent(x, W), [x, W], order=2)


def test_a_net_with_dropout_at_each_step_is_the_same_folded_and_unfolded() -> None:
    W = ga.parameter(np.random.default_rng(0).normal(size=(3, 3)), name="W", dtype="float64")
    x = ga.input("x", ("batch", 9, 3), "float64")
    loss = recurrent(x, W)
    outputs = [loss, *ga.grad(loss, [x, W])]
    array = np.random.default_rng(1).normal(size=(2, 9, 3))
    folded, plain = ga.compile([x], outputs, verify=True), ga.compile([x], outputs, passes=())
    reference = ga.compile([x], outputs, backend="reference")
    assert len(folded(array)) == 3
    plain(array), reference(array)
    for one, two, three in zip(folded(array), plain(array), reference(array), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(two, three)
    assert folded.source.count("uniform_kernel(key") == 3  # the definition, and one call for each dropout of the cell


def test_what_is_no_rate_or_no_flag_is_an_error_that_says_where() -> None:
    x = ga.input("x", (3,))
    for rate in (-0.1, 1.1, float("nan"), "half", True, None):
        with pytest.raises(ArgumentError, match=r"dropout\(x: float32\[3\], .*rate is a number.*\(at test_"):
            ga.dropout(x, rate)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="training is True, False or a node; got 1"):
        ga.dropout(x, 0.5, training=1)
    with pytest.raises(DTypeError, match="training is bool"):
        ga.dropout(x, 0.5, training=x[0])
    with pytest.raises(ShapeError, match="training is one truth value"):
        ga.dropout(x, 0.5, training=x > 0)
