from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DivergenceError, DTypeError
from graphad.ir.node import Node
from tests.autodiff.differences import central_gradient_of, float32, value, values

NAN, INF = math.nan, math.inf


def vector(name: str = "x", size: int = 4) -> Node:
    return ga.input(name, (size,), "float64")


def test_a_clipped_gradient_changes_no_value_and_costs_nothing() -> None:
    x = ga.input("x", (3,))
    for backend in ("numpy", "reference"):
        np.testing.assert_array_equal(
            ga.compile([x], ga.clip_gradient(x, -1, 1), backend=backend)([1, 2, 3]), [1, 2, 3]
        )
    assert ga.compile([x], ga.clip_gradient(x * 2.0, -1, 1)).report().statements == 1


def test_the_cotangent_is_clipped_where_it_passes_the_node() -> None:
    x = vector(size=7)
    slopes = np.array([-3.0, -0.5, 0.0, 0.25, 9.0, INF, NAN])
    loss = ga.sum(ga.clip_gradient(3.0 * x, -0.5, 1.0) * slopes)
    found = value(ga.grad(loss, x), {x: np.zeros(7)})
    np.testing.assert_array_equal(found, [-1.5, -1.5, 0.0, 0.75, 3.0, 3.0, NAN])


def test_other_paths_are_not_clipped() -> None:
    x = vector()
    gradient = ga.grad(ga.sum(10.0 * ga.clip_gradient(x, -1, 1) + 100.0 * x), x)
    np.testing.assert_array_equal(value(gradient, {x: np.zeros(4)}), np.full(4, 101.0))


def test_the_second_derivative_is_that_of_the_clipped_gradient() -> None:
    x = vector()
    given = {x: np.array([-2.0, -0.1, 0.3, 1.5])}
    slope = ga.sum(ga.square(ga.grad(ga.sum(ga.clip_gradient(x, -1, 1) ** 3), x)))
    np.testing.assert_allclose(value(ga.grad(slope, x), given), central_gradient_of(slope, x, given), atol=1e-8)


def test_tangents_pass_unclipped() -> None:
    x = vector()
    np.testing.assert_array_equal(value(ga.jvp(ga.clip_gradient(x, -1, 1), x, np.full(4, 5.0))), np.full(4, 5.0))


def test_exploding_gradients_through_time_stay_in_bounds() -> None:
    x = ga.input("x", (), "float64")

    def cell(h: Node, _: None) -> tuple[Node, None]:
        return ga.clip_gradient(h * 3.0, -1.0, 1.0), None

    h, _ = ga.unroll(cell, x, steps=50)
    gradient = ga.grad(h, x)
    for passes in (None, ()):
        assert ga.compile([x], gradient, passes=passes)(1.0) == 3.0


def test_elements_are_clipped_to_bounds_and_nan_stays() -> None:
    x = vector(size=5)
    (found,) = ga.clip_by_value([x], -1, 0.5)
    np.testing.assert_array_equal(value(found, {x: np.array([-INF, -0.5, 0.5, 3.0, NAN])}), [-1, -0.5, 0.5, 0.5, NAN])


def test_structures_and_dtypes_stay_what_they_were() -> None:
    x, y = ga.input("x", (3,)), ga.input("y", (2,), "float64")
    for clipped in (ga.clip_by_value({"y": y, "x": (x,)}, -1, 1), ga.clip_by_global_norm({"y": y, "x": (x,)}, 1.0)[0]):
        assert list(clipped) == ["y", "x"]
        assert clipped["y"].type == y.type
        assert clipped["x"][0].type == x.type
    assert ga.clip_by_global_norm([x], 1.0)[1].dtype == np.float32


@pytest.mark.parametrize("limit", [1.0, 13.0, 20.0])
def test_gradients_that_are_too_long_together_are_scaled_and_others_stay(limit: float) -> None:
    x, y = vector("x", 2), vector("y", 1)
    given = {x: np.array([3.0, 4.0]), y: np.array([12.0])}
    (for_x, for_y), length = ga.clip_by_global_norm([x, y], limit)
    assert value(length, given) == 13.0
    factor = min(1.0, limit / 13.0)
    np.testing.assert_allclose(value(for_x, given), factor * given[x], rtol=1e-15)
    np.testing.assert_allclose(value(for_y, given), factor * given[y], rtol=1e-15)


def test_gradients_of_norm_zero_stay_zero_and_so_do_their_derivatives() -> None:
    x = vector()
    clipped, length = ga.clip_by_global_norm(x, 2.0)
    given = {x: np.zeros(4)}
    assert value(length, given) == 0
    np.testing.assert_array_equal(value(clipped, given), np.zeros(4))
    by_clipped, by_length = values([ga.grad(ga.sum(clipped), x), ga.grad(length, x)], given)
    np.testing.assert_array_equal(by_clipped, np.ones(4))
    np.testing.assert_array_equal(by_length, np.zeros(4))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_if_the_norm_is_not_finite_all_gradients_become_nan(bad: float) -> None:
    x, y = vector("x", 2), vector("y", 3)
    found, length = ga.clip_by_global_norm([x, y], 1.0)
    given = {x: np.array([1.0, bad]), y: np.ones(3)}
    assert not np.isfinite(value(length, given))
    assert all(np.isnan(array).all() for array in values(found, given))


def test_a_norm_whose_squares_would_overflow_is_finite() -> None:
    x = ga.input("x", (2,))
    clipped, length = ga.clip_by_global_norm(x, 1.0)
    found, before = ga.compile([x], [clipped, length])(float32([3e30, 4e30]))
    np.testing.assert_allclose(found, [0.6, 0.8], rtol=1e-6)
    assert before == pytest.approx(5e30)


def test_a_step_whose_clipped_gradients_are_nan_refuses_and_changes_nothing() -> None:
    x, w = ga.input("x", (2,)), ga.parameter([1.0, 2.0], name="w")
    loss = ga.sum(w * x)
    clipped, _ = ga.clip_by_global_norm(ga.grad(loss, w), 1.0)
    step = ga.compile([x], loss, updates={w: w - 0.1 * clipped})
    with pytest.raises(DivergenceError):
        step([1.0, INF])
    np.testing.assert_array_equal(w.value, float32([1, 2]))
    step([3.0, 4.0])
    np.testing.assert_allclose(w.value, float32([0.94, 1.92]))


def test_of_no_gradients_the_norm_is_zero() -> None:
    clipped, length = ga.clip_by_global_norm([], 1.0)
    assert clipped == []
    assert value(length) == 0


@pytest.mark.parametrize("bounds", [(1, -1), (NAN, 1), (None, 1), (-1, "1"), (False, True)])
def test_bounds_that_are_none_are_refused_and_said_where(bounds: tuple[Any, Any]) -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ArgumentError, match=r"clip_gradient\(x: float32\[3\], .*number.*\(at test_clipping\.py:"):
        ga.clip_gradient(x, *bounds)
    with pytest.raises(ArgumentError, match=r"clip_by_value\(.*number.*test_clipping\.py:"):
        ga.clip_by_value([x], *bounds)


@pytest.mark.parametrize("limit", [0, -1.0, INF, NAN, True, None])
def test_a_longest_norm_that_is_none_is_refused_and_said_where(limit: Any) -> None:
    with pytest.raises(ArgumentError, match=r"clip_by_global_norm\(.*max_norm is a number.*test_clipping\.py:"):
        ga.clip_by_global_norm([ga.input("x", (3,))], limit)


def test_what_is_no_gradient_is_refused() -> None:
    labels = ga.input("labels", (3,), "int64")
    with pytest.raises(DTypeError, match=r"clip_gradient\(labels: int64\[3\]\).*no float"):
        ga.clip_gradient(labels, -1, 1)
    with pytest.raises(DTypeError, match=r"gradients are floats; got <labels: int64\[3\]>"):
        ga.clip_by_value({"labels": labels}, -1, 1)
    with pytest.raises(DTypeError, match="gradients are floats"):
        ga.clip_by_global_norm(labels, 1.0)
