from collections.abc import Callable, Iterator

import numpy as np
import pytest

import graphad as ga
from graphad import Node
from graphad.errors import ArgumentError, GradientError, UnreachedError
from graphad.ir.leaves import Parameter
from graphad.ir.op import Array
from graphad.optim.rules import Updates

DATA = np.random.default_rng(3).normal(size=(7, 3))
TARGET = np.random.default_rng(4).normal(size=(7, 2))
START = np.random.default_rng(5).normal(size=(3, 2))

Trajectory = Iterator[Array]


def gradient(w: Array, scale: float = 1.0) -> Array:
    """That of the mean squared error, by hand."""
    return scale * 2.0 * DATA.T @ (DATA @ w - TARGET) / TARGET.size


def sgd(w: Array, rate: float) -> Trajectory:
    while True:
        w = w - rate * gradient(w)
        yield w


def with_momentum(w: Array, rate: float, momentum: float, nesterov: bool) -> Trajectory:
    v = np.zeros_like(w)
    while True:
        g = gradient(w)
        v = momentum * v - rate * g
        w = w + momentum * v - rate * g if nesterov else w + v
        yield w


def adam(w: Array, rate: float, beta_1: float, beta_2: float, epsilon: float, scale: float = 1.0) -> Trajectory:
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g, t = gradient(w, scale), t + 1
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        corrected = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w = w - corrected * m / (np.sqrt(v) + epsilon)
        yield w


def problem(start: Array = START, name: str | None = "w", scale: float = 1.0) -> tuple[Node, Node]:
    """The loss and its parameter."""
    w = ga.parameter(start, name=name)
    return ga.mse(ga.constant(DATA.astype(start.dtype)) @ w, TARGET.astype(start.dtype)) * scale, w


def follows(rule: ga.optim.SGD | ga.optim.Adam, expected: Trajectory, loss: Node, w: Node, rtol: float) -> None:
    step = ga.compile([], loss, updates=rule.updates(loss, [w]))
    losses = []
    for _ in range(40):
        losses.append(step())
        np.testing.assert_allclose(w.value, next(expected), rtol=rtol, atol=rtol)
    assert losses[-1] < losses[0]


RULES: list[tuple[ga.optim.SGD | ga.optim.Adam, Callable[[], Trajectory]]] = [
    (ga.optim.SGD(0.1), lambda: sgd(START, 0.1)),
    (ga.optim.SGD(0.1, momentum=0.9), lambda: with_momentum(START, 0.1, 0.9, nesterov=False)),
    (ga.optim.SGD(0.1, momentum=0.9, nesterov=True), lambda: with_momentum(START, 0.1, 0.9, nesterov=True)),
    (ga.optim.Adam(0.05), lambda: adam(START, 0.05, 0.9, 0.999, 1e-7)),
    (ga.optim.Adam(0.05, 0.8, 0.9, 1e-3), lambda: adam(START, 0.05, 0.8, 0.9, 1e-3)),
]


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_in_float64_a_rule_follows_the_loop_written_by_hand(
    rule: ga.optim.SGD | ga.optim.Adam, expected: Callable[[], Trajectory]
) -> None:
    follows(rule, expected(), *problem(), rtol=1e-10)


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_in_float32_it_does_to_the_digits_of_float32(
    rule: ga.optim.SGD | ga.optim.Adam, expected: Callable[[], Trajectory]
) -> None:
    loss, w = problem(START.astype(np.float32))
    follows(rule, expected(), loss, w, rtol=3e-5)
    assert w.value.dtype == np.float32


def test_adams_epsilon_is_added_to_the_root_of_the_uncorrected_moment() -> None:
    """Of gradients as small as epsilon, this makes another step than algorithm 1 of the paper would."""
    loss, w = problem(scale=1e-6)
    follows(ga.optim.Adam(0.05), adam(START, 0.05, 0.9, 0.999, 1e-7, scale=1e-6), loss, w, rtol=1e-9)


def test_the_first_step_of_adam_is_as_long_as_the_learning_rate_whatever_the_gradient() -> None:
    for scale in (1e-2, 1.0, 1e6):
        loss, w = problem(scale=scale)
        ga.compile([], loss, updates=ga.optim.Adam(0.01).updates(loss, [w]))()
        np.testing.assert_allclose(abs(w.value - START), 0.01, rtol=1e-2)


def state(updates: Updates, but: Node) -> list[Node]:
    return [node for node in updates if node is not but]


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (ga.optim.SGD(), []),
        (ga.optim.SGD(momentum=0.5), ["w_velocity"]),
        (ga.optim.Adam(), ["w_steps", "w_moment_1", "w_moment_2"]),
    ],
)
def test_what_a_rule_remembers_are_parameters_of_their_own_that_are_not_trained(
    rule: ga.optim.SGD | ga.optim.Adam, names: list[str]
) -> None:
    loss, w = problem()
    updates = rule.updates(loss, [w])
    assert w in updates
    assert [node.name for node in state(updates, w)] == names
    for node in state(updates, w):
        assert isinstance(node.op, Parameter)
        assert not node.op.trainable
        assert not node.value.any()
        assert node.shape in (w.shape, ())


def test_two_uses_of_a_rule_share_nothing() -> None:
    rule = ga.optim.Adam(0.05)
    loss, w = problem()
    first, second = (ga.compile([], loss, updates=rule.updates(loss, [w])) for _ in range(2))
    first()
    w.value = START
    expected = adam(START, 0.05, 0.9, 0.999, 1e-7)
    second()
    np.testing.assert_allclose(w.value, next(expected), rtol=1e-10)


@pytest.mark.parametrize("name", ["v", None])
def test_two_rules_may_update_different_parameters_of_one_function(name: str | None) -> None:
    loss, w = problem()
    other, v = problem(START[::-1].copy(), name=name)
    rule = ga.optim.Adam(0.05)
    step = ga.compile([], [loss, other], updates={**rule.updates(loss, [w]), **rule.updates(other, [v])})
    step()
    np.testing.assert_allclose(w.value, next(adam(START, 0.05, 0.9, 0.999, 1e-7)), rtol=1e-10)
    np.testing.assert_allclose(v.value, next(adam(START[::-1], 0.05, 0.9, 0.999, 1e-7)), rtol=1e-10)


def test_parameters_of_several_shapes_and_dtypes_are_updated_together() -> None:
    a, b, c = ga.parameter(np.ones(3)), ga.parameter(np.ones((2, 5), np.float32)), ga.parameter(2.0)
    loss = ga.sum(a * a) + ga.sum(b * b).astype("float64") + (c * c).astype("float64")
    step = ga.compile([], loss, updates=ga.optim.Adam(0.1).updates(loss, [a, b, c]))
    step()
    assert [node.dtype.name for node in (a, b, c)] == ["float64", "float32", "float32"]
    for node, start in ((a, 1.0), (b, 1.0), (c, 2.0)):
        np.testing.assert_allclose(node.value, start - 0.1, rtol=1e-5)


def test_the_learning_rate_may_be_a_parameter_that_changes() -> None:
    loss, w = problem()
    rate = ga.parameter(np.float64(0.1), name="rate", trainable=False)
    step = ga.compile([], loss, updates=ga.optim.SGD(rate).updates(loss, [w]))  # type: ignore[arg-type]
    step()
    np.testing.assert_allclose(w.value, START - 0.1 * gradient(START), rtol=1e-12)
    rate.value, before = 0.0, w.value
    step()
    np.testing.assert_array_equal(w.value, before)


@pytest.mark.parametrize("rule", [ga.optim.SGD(), ga.optim.SGD(momentum=0.9), ga.optim.Adam()])
def test_only_parameters_that_the_loss_depends_on_can_be_updated(rule: ga.optim.SGD | ga.optim.Adam) -> None:
    loss, w = problem()
    with pytest.raises(ArgumentError, match="updates parameters; <x: "):
        rule.updates(loss, [w, ga.input("x")])
    with pytest.raises(UnreachedError, match="<other: "):
        rule.updates(loss, [w, ga.parameter(1.0, name="other")])
    with pytest.raises(GradientError, match="float scalar"):
        rule.updates(w, [w])
