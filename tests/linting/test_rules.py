"""Each rule warns of what it is for, in the user's line, and is silent about the safe form beside it."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import graphad as ga
from graphad.ir.node import Node
from graphad.linting.rules import RULES

x, y = ga.input("x", shape=("batch", 5)), ga.input("y", shape=("batch",), dtype="int64")
other = ga.input("other", shape=("batch", 5))
mask = ga.input("mask", shape=("batch", 5), dtype="bool")
W = ga.parameter(np.ones((5, 3), "float32"), name="W")
wide = ga.parameter(np.ones((5, 3)), name="wide")
z = x @ W
top = ga.max(z, axis=1, keepdims=True)
length = ga.absolute(x)


def kinds(node: object) -> list[str]:
    return list(dict.fromkeys(warning.kind for warning in ga.lint(node)))


BAD = [
    ("where_over_singular_branch", ga.where(x > 0, ga.log(x), 0.0)),
    ("where_over_singular_branch", ga.where(x > 0, ga.sqrt(2.0 * x), 0.0)),
    ("where_over_singular_branch", ga.where(ga.logical_not(x == 0), 1.0 / x, 0.0)),
    ("where_over_singular_branch", ga.where(length < 1e-3, 0.0, ga.tanh(3.0 + x**-2.0))),
    ("where_over_singular_branch", ga.where(x > 0, x**0.5, 0.0)),
    ("where_over_singular_branch", ga.where(x > 0, x, ga.expm1(x))),
    ("where_over_singular_branch", ga.where(ga.logical_and(mask, x > -1), ga.log1p(x), 0.0)),
    ("root_at_zero", ga.sqrt(ga.sum(x * x, axis=1))),
    ("root_at_zero", ga.sqrt(ga.mean(ga.square(x - 1.0)))),
    ("root_at_zero", ga.relu(x) ** 0.5),
    ("root_at_zero", ga.rsqrt(length)),
    ("unbounded_exp", ga.exp(z)),
    ("unbounded_exp", ga.exp2(-z)),
    ("unbounded_exp", ga.exp(ga.minimum(z, 89.0))),
    ("log_of_softmax", ga.log(ga.softmax(z))),
    ("log_of_softmax", ga.log(ga.softmax(z)[:, 0] + 1e-9)),
    ("log_of_softmax", -ga.log(ga.take_along_axis(ga.softmax(z), ga.expand_dims(y, 1), axis=1))),
    ("log_of_softmax", ga.log(ga.clip(ga.softmax(z), 1e-7, 1.0))),
    ("log_of_softmax", ga.log(ga.sigmoid(z))),
    ("log_of_sum_of_exp", ga.log(ga.sum(ga.exp(z), axis=1))),
    ("log_of_one_plus", ga.log(1.0 + x * x)),
    ("log_of_one_plus", ga.log(ga.exp(z) + 1.0)),
    ("log_at_zero", ga.log(ga.relu(x))),
    ("creeping_float64", x @ wide),
    ("creeping_float64", x * np.linspace(0, 1, 5)),
    ("floor_division", ga.sum(z) // 32),
    ("mean_by_number", ga.sum(ga.softmax_cross_entropy(z, y)) / 32),
    ("mean_by_number", ga.sum(z, axis=0) / 100.0),
    ("division_by_zero", ga.sum(ga.where(mask, x, 0.0)) / ga.sum(mask)),
    ("division_by_zero", x / ga.norm(x, axis=1, keepdims=True)),
    ("division_by_zero", ga.reciprocal(ga.relu(x))),
    ("softmax_of_one", ga.softmax(z[:, :1])),
    ("softmax_of_one", ga.softmax_cross_entropy(z[:, :1], y)),
    ("probabilities_as_logits", ga.softmax_cross_entropy(ga.softmax(z), y)),
    ("probabilities_as_logits", ga.softmax(ga.softmax(z))),
    ("probabilities_as_logits", ga.sigmoid_cross_entropy(ga.sigmoid(x), mask)),
    ("unused", ga.Graph((x, y), (z,))),
    ("unreached_parameter", ga.sum(ga.stop_gradient(z)) * ga.parameter(1.0, name="s")),
    ("unreached_parameter", ga.sum(ga.round(z)) * ga.parameter(1.0, name="s")),
    ("unreached_parameter", ga.sum(ga.where(z > 0, ga.parameter(1.0, name="s"), 0.0))),
    ("argmax_in_loss", ga.mean(ga.softmax_cross_entropy(z, y)) - ga.accuracy(z, y)),
    ("argmax_in_loss", ga.sum(ga.one_hot(ga.argmax(z, axis=1), 3) * z)),
    ("equality_of_floats", ga.tanh(x) == ga.tanh(other)),
    ("equality_of_floats", x + other != other),
]

GOOD = [
    ga.where(x > 0, ga.log(ga.where(x > 0, x, 1.0)), 0.0),
    ga.where(x > 0, ga.sqrt(ga.maximum(x, 1e-6)), 0.0),
    ga.where(x > 0, x, ga.expm1(ga.minimum(x, 0.0))),
    ga.where(x > 0, x, 0.1 * x),
    ga.where(mask, ga.log(1e-3 + length), 0.0),
    ga.where(length > 1e-3, x / (1.0 + length), 0.0),
    ga.sqrt(ga.sum(x * x, axis=1) + 1e-6),
    ga.sqrt(ga.maximum(ga.sum(x * x, axis=1), 1e-12)),
    ga.norm(x, axis=1),
    ga.std(x, axis=0, ddof=1),
    ga.square(x) ** 1.5,
    ga.exp(z - top),
    ga.exp(-length),
    ga.exp(-x * x / 2.0),
    ga.exp(ga.clip(z, -10.0, 10.0)),
    ga.exp(3.0 * ga.tanh(z)),
    ga.log(ga.sum(ga.exp(z - top), axis=1)),
    ga.logsumexp(z, axis=1),
    ga.log_softmax(z),
    ga.log1p(x * x),
    ga.softplus(z),
    ga.log(2.0 + x * x),
    ga.log(length + 1e-3),
    x * np.float64(2.0),
    x @ ga.cast(wide, "float32"),
    ga.cast(x, "float64") @ ga.cast(W, "float64"),
    y // 2,
    ga.mean(ga.softmax_cross_entropy(z, y)),
    ga.sum(z * z) / 2,
    ga.sum(z, axis=1) / 3,
    ga.sum(ga.where(mask, x, 0.0)) / ga.maximum(ga.sum(mask), 1),
    ga.nanmean(x, axis=0),
    x / ga.maximum(ga.norm(x, axis=1, keepdims=True), 1e-6),
    ga.l2_normalize(x),
    z / other[:, :3],
    ga.softmax(z),
    ga.sigmoid_cross_entropy(x, mask),
    ga.Graph((x,), (z,)),
    [ga.mean(ga.softmax_cross_entropy(z, y)), ga.accuracy(z, y)],
    ga.argmax(z, axis=1),
    ga.accuracy(x, y),
    x == 0.0,
    z == top,
    ga.floor_divide(x, 0.5),
    ga.stop_gradient(ga.where(x > 0, ga.sqrt(x), 0.0)),
    ga.custom_gradient(lambda v: ga.sqrt(v * v), lambda c, result, v: c * ga.sign(v))(x),
    ga.checkpoint(lambda v: ga.log(ga.sum(ga.exp(v - ga.max(v, axis=1, keepdims=True)), axis=1)))(x),
    y == ga.argmax(z, axis=1),
]


@pytest.mark.parametrize(("kind", "node"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_warns_of_what_it_is_for(kind: str, node: object) -> None:
    assert kind in kinds(node)


@pytest.mark.parametrize("node", GOOD, ids=range(len(GOOD)))
def test_the_safe_form_is_not_warned_of(node: object) -> None:
    assert kinds(node) == []


def test_every_rule_is_tried_says_what_it_is_for_and_names_its_warnings() -> None:
    assert {rule.__name__ for rule in RULES} == {kind for kind, _ in BAD}
    assert all(inspect.getdoc(rule) for rule in RULES)


def test_a_warning_names_the_operands_that_are_meant() -> None:
    def message(node: object) -> str:
        return " ".join(str(warning) for warning in ga.lint(node))

    assert "which is not finite for every x" in message(ga.where(x > 0, ga.log(x), 0.0))
    assert re.search(r"wide \(at test_rules.py:\d+\) is float64, and so becomes matmul with .* x:", message(x @ wide))
    assert "a sum over 5*batch elements is divided by 32" in message(ga.sum(x) / 32)
    assert "sum, by which is divided, can be 0" in message(ga.sum(x) / ga.sum(mask))
    assert "y is an unused input" in message(ga.Graph((x, y), (z,)))
    assert "no gradient reaches the parameter W" in message(ga.sum(ga.round(z)) * ga.parameter(1.0, name="s"))


def test_float64_is_blamed_where_it_comes_in_and_not_wherever_it_goes() -> None:
    hidden: Node = ga.tanh(x @ wide)
    V, b = (ga.parameter(np.ones(shape, "float32"), name) for shape, name in [((3, 2), "V"), (2, "b")])
    (warning,) = ga.lint(hidden @ V + b)
    assert warning.kind == "creeping_float64"
    assert "wide" in warning.message


def test_an_accuracy_is_a_measure_unless_it_should_train_something() -> None:
    assert ga.lint(ga.accuracy(z, y)) == []
    assert [warning.kind for warning in ga.lint(1.0 - ga.accuracy(z, y), [W])] == [
        "unreached_parameter",
        "argmax_in_loss",
    ]


def test_a_guard_far_away_from_the_singular_operand_is_no_guard_of_it() -> None:
    assert kinds(ga.where(other > 0, ga.log(x), 0.0)) == []
