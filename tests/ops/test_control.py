import numpy as np
import pytest

import graphad as ga
from graphad.errors import UnreachedError
from graphad.ir.graph import Graph
from graphad.ir.node import apply
from graphad.ir.op import Op
from graphad.ops.control import Checkpointed, Recompute, StopGradient
from tests.autodiff.differences import float32, value, values

X = float32([1, 2, 3])


def test_a_stopped_gradient_changes_no_value() -> None:
    x = ga.input("x", (3,))
    for backend in ("numpy", "reference"):
        np.testing.assert_array_equal(ga.compile([x], ga.stop_gradient(x), backend=backend)(X), X)


def test_no_gradient_and_no_tangent_pass_where_they_are_stopped() -> None:
    x = ga.input("x", (3,))
    product = ga.stop_gradient(x) * x
    np.testing.assert_array_equal(value(ga.grad(ga.sum(product), x), {x: X}), X)
    np.testing.assert_array_equal(value(ga.jvp(product, x, ga.constant([1.0, 1.0, 1.0])), {x: X}), X)


def test_a_loss_that_is_reached_through_a_stop_only_is_not_reached() -> None:
    x = ga.input("x", (3,))
    loss = ga.sum(ga.stop_gradient(x))
    with pytest.raises(UnreachedError, match=r"x: float32\[3\].*test_control\.py:\d+.*stop_gradient"):
        ga.grad(loss, x)
    np.testing.assert_array_equal(value(ga.grad(loss, x, disconnected="zero"), {x: X}), [0, 0, 0])
    np.testing.assert_array_equal(value(ga.jvp(loss, x, x), {x: X}), 0)


def test_the_gradient_by_the_stopped_node_itself_is_not_stopped() -> None:
    x = ga.input("x", (3,))
    stopped = ga.stop_gradient(x)
    gradient = ga.grad(ga.sum(stopped * stopped), stopped)
    np.testing.assert_array_equal(value(gradient, {x: X}), 2 * X)


def test_a_number_may_be_stopped() -> None:
    assert value(ga.stop_gradient(2.5)) == 2.5


def test_the_second_derivative_sees_the_stop_too() -> None:
    x = ga.input("x", (3,))
    slope = ga.grad(ga.sum(ga.stop_gradient(x) * x * x), x)
    np.testing.assert_array_equal(value(ga.grad(ga.sum(slope), x), {x: X}), 2 * X)
    assert any(isinstance(node.op, StopGradient) for node in Graph((x,), (slope,)).nodes)


@pytest.mark.parametrize("op", [Recompute(), Checkpointed(0)])
def test_what_is_computed_again_or_kept_passes_values_cotangents_and_tangents(op: Op) -> None:
    x = ga.input("x", (3,))
    y = apply(op, x)
    found, gradient, tangent = values([y, ga.grad(ga.sum(y * y), x), ga.jvp(y, x, x)], {x: X})
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(gradient, 2 * X)
    np.testing.assert_array_equal(tangent, X)


def test_what_is_computed_again_waits_for_its_second_operand_and_gives_it_nothing() -> None:
    x, late = ga.input("x", (3,)), ga.input("late", (2,))
    y = apply(Recompute(), x, late)
    np.testing.assert_array_equal(value(ga.grad(ga.sum(y), x), {x: X, late: X[:2]}), [1, 1, 1])
    with pytest.raises(UnreachedError, match="<late: "):
        ga.grad(ga.sum(y), late)


def test_a_barrier_costs_nothing_and_a_value_that_is_kept_is_copied_once() -> None:
    x = ga.input("x", (3,))
    assert ga.compile([x], apply(Recompute(), x * 2.0)).report().statements == 1
    assert ga.compile([x], apply(Checkpointed(0), x * 2.0)).report().statements == 2
