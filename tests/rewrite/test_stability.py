from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.op import Array
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.stability import STABILISE, STABILITY

Function = Callable[[Node], Node]
Oracle = Callable[[Array], Array]
ROWS, CLASSES = 4, 3
EXTREME = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, 9e3], [3.0, 1e4, 1e4], [-50.0, 60.0, 100.0]], np.float32)
ORDINARY = np.random.default_rng(0).standard_normal((ROWS, CLASSES))
TINY = np.array([[1e-9, -2e-9, 1e-5], [3e-8, 2e-12, -1e-7], [4e-9, 1e-8, 1e-3], [-5e-6, 6e-8, 7e-9]], np.float32)


def shared(x: Node) -> Node:
    """A softmax as it is in the book."""
    terms = ga.exp(x)
    return terms / ga.sum(terms, axis=1, keepdims=True)


def log_softmax(x: Array) -> Array:
    below = x - x.max(axis=1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=1, keepdims=True)))


def logsumexp(x: Array) -> Array:
    greatest = x.max(axis=1)
    return np.asarray(greatest + np.log(np.exp(x - greatest[:, None]).sum(axis=1)))


def softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def sigmoid(x: Array) -> Array:
    return np.exp(-softplus(-x))


def cotangent(build: Function, x: Node) -> Node:
    found: Node = ga.grad(ga.sum(build(x)), x)
    return found


RULES: list[tuple[str, Function, Oracle, Array]] = [
    ("log_of_exp", lambda x: ga.log(ga.exp(x)), lambda x: x, EXTREME),
    ("log_of_softmax", lambda x: ga.log(ga.softmax(x)), log_softmax, EXTREME),
    ("log_of_softmax", lambda x: ga.log(shared(x)), log_softmax, EXTREME),
    ("log_of_softmax", lambda x: ga.log(ga.softmax(x.T, axis=0)), lambda x: log_softmax(x).T, EXTREME),
    ("log_of_sum_of_exp", lambda x: ga.log(ga.sum(ga.exp(x), axis=1)), logsumexp, EXTREME),
    ("log_of_sum_of_exp", lambda x: ga.log(ga.sum(ga.exp(x.T), axis=0)), logsumexp, EXTREME),
    ("log_of_sigmoid", lambda x: ga.log(ga.sigmoid(x)), lambda x: -softplus(-x), EXTREME),
    ("log_of_sigmoid", lambda x: ga.log(1.0 - ga.sigmoid(x)), lambda x: -softplus(x), EXTREME),
    ("log_of_part", lambda x: ga.log(ga.softmax(x)[:, 1]), lambda x: log_softmax(x)[:, 1], EXTREME),
    ("log_of_part", lambda x: ga.log(shared(x).reshape(12)), lambda x: log_softmax(x).reshape(12), EXTREME),
    (
        "log_of_part",
        lambda x: ga.log(ga.take_along_axis(ga.softmax(x), [[0], [2], [0], [1]], axis=1)),
        lambda x: np.take_along_axis(log_softmax(x), np.array([[0], [2], [0], [1]]), axis=1),
        EXTREME,
    ),
    ("log_of_one_plus_exp", lambda x: ga.log(1.0 + ga.exp(x)), softplus, EXTREME),
    ("log_of_one_plus_exp", lambda x: ga.log1p(ga.exp(x)), softplus, EXTREME),
    ("log_of_one_plus", lambda x: ga.log(1.0 + x), np.log1p, TINY),
    ("log_of_one_plus", lambda x: ga.log(x + 1.0), np.log1p, TINY),
    ("log_of_one_minus", lambda x: ga.log(1.0 - x), lambda x: np.log1p(-x), TINY),
    ("exp_less_one", lambda x: ga.exp(x) - 1.0, np.expm1, TINY),
    ("exp_less_one", lambda x: -1.0 + ga.exp(x), np.expm1, TINY),
    ("sigmoid_by_hand", lambda x: ga.log(1.0 / (1.0 + ga.exp(-x))), lambda x: -softplus(-x), EXTREME),
    ("share_of_exp", shared, lambda x: np.exp(log_softmax(x)), EXTREME),
    ("share_of_exp", lambda x: ga.exp(x) / (ga.exp(x) + 1.0), sigmoid, EXTREME),
    (
        "multiply_share",
        lambda x: cotangent(lambda y: ga.log(ga.sum(ga.exp(y), axis=1)), x),
        lambda x: np.exp(log_softmax(x)),
        EXTREME,
    ),
    ("multiply_share", lambda x: cotangent(lambda y: ga.log(1.0 + ga.exp(y)), x), sigmoid, EXTREME),
]


def stabilised(build: Function, dtype: str) -> tuple[Graph, Graph]:
    x = ga.input("x", shape=(ROWS, CLASSES), dtype=dtype)
    graph = MERGE_EQUAL.run(Graph((x,), (build(x),)))
    after = STABILISE.run(graph)
    assert STABILISE.run(after) is after
    return graph, after


@pytest.mark.parametrize(("name", "build", "oracle", "array"), RULES)
def test_a_form_that_is_stable_is_right_where_the_other_is_not(
    name: str, build: Function, oracle: Oracle, array: Array
) -> None:
    graph, after = stabilised(build, "float32")
    with np.errstate(all="ignore"):
        (before,), (found,) = evaluate(graph, [array]), evaluate(after, [array])
    expected = oracle(array.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-30)
    assert not np.allclose(before, expected, rtol=1e-4, atol=0.0)


@pytest.mark.parametrize(("name", "build", "oracle", "array"), RULES)
def test_where_both_forms_are_right_they_agree_and_a_rule_of_this_name_does_it(
    name: str, build: Function, oracle: Oracle, array: Array
) -> None:
    positive = np.abs(ORDINARY) / 4
    graph, after = stabilised(build, "float64")
    np.testing.assert_allclose(evaluate(after, [positive])[0], evaluate(graph, [positive])[0], rtol=1e-12)
    np.testing.assert_allclose(evaluate(after, [positive])[0], oracle(positive), rtol=1e-12)
    rules = {rule.__name__: rule for rule in STABILITY}
    assert any(rules[name](node) is not None for node in graph.nodes)


def test_every_rule_is_tried_and_says_what_it_does() -> None:
    assert {rule.__name__ for rule in STABILITY} == {name for name, *_ in RULES}
    assert all("->" in (rule.__doc__ or "") for rule in STABILITY)


@pytest.mark.parametrize(
    "build",
    [
        ga.softmax,
        ga.log_softmax,
        lambda x: ga.logsumexp(x, axis=1),
        lambda x: cotangent(lambda y: ga.logsumexp(y, axis=1), x),
        lambda x: cotangent(lambda y: ga.square(ga.softmax(y)), x),
        lambda x: ga.log(ga.sum(ga.exp(x - ga.max(x, axis=1, keepdims=True)), axis=1)),
        lambda x: ga.log(2.0 + x),
        lambda x: ga.exp(x) - 2.0,
        lambda x: 1.0 - ga.exp(x),
        lambda x: 1.0 - ga.sigmoid(x),
        lambda x: ga.sigmoid(x) * (1.0 - ga.sigmoid(x)),
        ga.log,
        lambda x: ga.log(ga.square(x)[:, 0]),
        lambda x: 2.0 / (1.0 + ga.exp(x)),
        lambda x: ga.exp(x) / ga.sum(ga.exp(-x), axis=1, keepdims=True),
        lambda x: ga.log(ga.sum(ga.exp(x[:, :0]), axis=1)),
        lambda x: ga.exp(x[:, :0]) / ga.sum(ga.exp(x[:, :0]), axis=1, keepdims=True),
    ],
)
def test_what_is_stable_as_it_is_and_what_has_no_better_form_stays(build: Function) -> None:
    graph, after = stabilised(build, "float32")
    assert after is graph


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e4])
@pytest.mark.parametrize(("name", "build", "oracle", "array"), RULES)
def test_numbers_stay_numbers_and_what_nan_reaches_stays_nan(
    name: str, build: Function, oracle: Oracle, array: Array, value: float
) -> None:
    array = np.array(ORDINARY, np.float32)
    array[1, 2] = value
    graph, after = stabilised(build, "float32")
    with np.errstate(all="ignore"):
        (before,), (found,) = evaluate(graph, [array]), evaluate(after, [array])
    assert np.isfinite(found[np.isfinite(before)]).all()
    np.testing.assert_allclose(found[np.isfinite(before)], before[np.isfinite(before)], rtol=2e-5, atol=2e-7)
    if np.isnan(value):
        assert np.isnan(found[np.isnan(before)]).all()


FORMS: dict[str, Callable[[Node, Node], Node]] = {
    "one-hot": lambda z, y: -ga.mean(ga.sum(ga.one_hot(y, CLASSES) * ga.log(ga.softmax(z)), axis=1)),
    "one-hot, by hand": lambda z, y: -ga.mean(ga.sum(ga.one_hot(y, CLASSES) * ga.log(shared(z)), axis=1)),
    "one-hot, shifted by hand": lambda z, y: (
        -ga.mean(ga.sum(ga.one_hot(y, CLASSES) * ga.log(shared(z - ga.max(z, axis=1, keepdims=True))), axis=1))
    ),
    "pick of log": lambda z, y: -ga.mean(ga.take_along_axis(ga.log(shared(z)), ga.expand_dims(y, 1), axis=1)),
    "log of pick": lambda z, y: -ga.mean(ga.log(ga.take_along_axis(shared(z), ga.expand_dims(y, 1), axis=1))),
    "log of squeezed pick": lambda z, y: (
        -ga.mean(ga.log(ga.squeeze(ga.take_along_axis(ga.softmax(z), ga.expand_dims(y, 1), axis=1), 1)))
    ),
    "p[range, y]": lambda z, y: -ga.mean(ga.log(ga.softmax(z)[np.arange(ROWS), y])),
    "log(p)[range, y]": lambda z, y: -ga.mean(ga.log(shared(z))[np.arange(ROWS), y]),
    "log of total less chosen": lambda z, y: ga.mean(
        ga.log(ga.sum(ga.exp(z), axis=1)) - ga.squeeze(ga.take_along_axis(z, ga.expand_dims(y, 1), axis=1), 1)
    ),
    "-1 times sum over rows": lambda z, y: (
        -1.0 * ga.sum(ga.sum(ga.one_hot(y, CLASSES) * ga.log(shared(z)), axis=-1)) / ROWS
    ),
}
LABELS = np.array([1, 0, 2, 1])


@pytest.mark.parametrize("array", [EXTREME, ORDINARY.astype(np.float32)])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_naive_cross_entropy_and_its_gradient_are_right_for_extreme_logits(form: str, array: Array) -> None:
    z, y = ga.input("z", shape=(ROWS, CLASSES)), ga.input("y", shape=(ROWS,), dtype="int64")
    loss = FORMS[form](z, y)
    found, gradient = ga.compile([z, y], [loss, ga.grad(loss, z)], verify=True)(array, LABELS)
    logs = log_softmax(array.astype(np.float64))
    np.testing.assert_allclose(found, -logs[np.arange(ROWS), LABELS].mean(), rtol=1e-6)
    np.testing.assert_allclose(gradient, (np.exp(logs) - np.eye(CLASSES)[LABELS]) / ROWS, rtol=1e-5, atol=1e-7)
    stable = ga.mean(ga.softmax_cross_entropy(z, y))
    same = ga.compile([z, y], [stable, ga.grad(stable, z)])(array, LABELS)
    for one, other in zip((found, gradient), same, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


BINARY: dict[str, Function] = {
    "the function": ga.sigmoid,
    "by hand": lambda x: 1.0 / (1.0 + ga.exp(-x)),
    "by hand, of exp(x)": lambda x: ga.exp(x) / (1.0 + ga.exp(x)),
}


@pytest.mark.parametrize("array", [EXTREME, ORDINARY.astype(np.float32)])
@pytest.mark.parametrize("build", [BINARY["the function"], BINARY["by hand"]])
def test_a_naive_binary_cross_entropy_and_its_gradient_are_right_for_extreme_logits(
    build: Function, array: Array
) -> None:
    x, y = ga.input("x", shape=(ROWS, CLASSES)), ga.input("y", shape=(ROWS, CLASSES))
    labels = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 0, 1]], np.float32)
    p = build(x)
    loss = -ga.mean(y * ga.log(p) + (1.0 - y) * ga.log(1.0 - p))
    found, gradient = ga.compile([x, y], [loss, ga.grad(loss, x)], verify=True)(array, labels)
    wide = array.astype(np.float64)
    expected = labels * softplus(-wide) + (1 - labels) * softplus(wide)
    np.testing.assert_allclose(found, expected.mean(), rtol=1e-6)
    np.testing.assert_allclose(gradient, (sigmoid(wide) - labels) / array.size, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("build", BINARY.values(), ids=BINARY)
def test_a_sigmoid_by_hand_has_a_finite_gradient(build: Function) -> None:
    x = ga.input("x", shape=(ROWS, CLASSES))
    found, gradient = ga.compile([x], [build(x), ga.grad(ga.sum(build(x)), x)])(EXTREME)
    wide = EXTREME.astype(np.float64)
    np.testing.assert_allclose(found, sigmoid(wide), rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(gradient, sigmoid(wide) * sigmoid(-wide), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("steps", [5, 1])
def test_a_naive_loss_at_every_step_is_stable_after_time_is_folded(steps: int) -> None:
    x, y = ga.input("x", shape=(ROWS, steps, CLASSES)), ga.input("y", shape=(ROWS, steps), dtype="int64")
    w = ga.parameter(np.eye(CLASSES, dtype=np.float32) * 0.5, name="w")
    v = ga.parameter(np.linspace(-4e4, 4e4, 9, dtype=np.float32).reshape(CLASSES, CLASSES), name="v")

    def cell(carry: tuple[Node, Node], step: tuple[Node, Node]) -> tuple[tuple[Node, Node], None]:
        (h, loss), (x_t, y_t) = carry, step
        h = ga.tanh(x_t + h @ w)
        return (h, loss - ga.mean(ga.sum(ga.one_hot(y_t, CLASSES) * ga.log(shared(h @ v)), axis=1))), None

    def stable(carry: tuple[Node, Node], step: tuple[Node, Node]) -> tuple[tuple[Node, Node], None]:
        (h, loss), (x_t, y_t) = carry, step
        h = ga.tanh(x_t + h @ w)
        return (h, loss + ga.mean(ga.softmax_cross_entropy(h @ v, y_t))), None

    start = ga.broadcast_to(0.0, (ROWS, CLASSES)), ga.constant(0.0)
    generator = np.random.default_rng(1)
    arrays = generator.standard_normal((ROWS, steps, CLASSES)), generator.integers(0, CLASSES, (ROWS, steps))
    results = []
    for step in (cell, stable):
        (_, loss), _ = ga.unroll(step, start, (x, y), axis=1)
        results.append(ga.compile([x, y], [loss, *ga.grad(loss, [w, v])])(*arrays))
    for found, expected in zip(*results, strict=True):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
