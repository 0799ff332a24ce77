"""lint is silent about graphad's own functions, nets and gradients, and says where in the user's code to look."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError
from graphad.ir.node import Node
from graphad.train.recipes import RECIPES, Recipe
from tests.rows.sample import FunctionSample, inputs_for
from tests.samples import FUNCTIONS

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def as_loss(node: Any) -> Any:
    return ga.sum(node) if node.type.is_float else node


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.label)
def test_no_public_function_is_warned_of_nor_its_gradient(row: FunctionSample) -> None:
    inputs = inputs_for(row.arrays())
    loss = as_loss(row.build(*inputs))
    floats = [node for node in inputs if node.type.is_float]
    gradient = ga.grad(loss, floats, disconnected="zero") if floats and loss.type.is_float else []
    assert [str(warning) for warning in ga.lint([loss, gradient])] == []


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_no_recipe_is_warned_of_nor_its_training_step(recipe: Recipe) -> None:
    net = recipe.declare(np.random.default_rng(0))
    updates = recipe.optimizer(0.1).updates(net.loss, list(net.parameters))
    assert ga.lint([net.loss, net.accuracy, *updates.values()], net.parameters) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_example_is_warned_of(path: Path) -> None:
    names = runpy.run_path(str(path))
    functions = [value for value in names.values() if isinstance(value, ga.Function)]
    assert functions
    for function in functions:
        assert [str(warning) for warning in ga.lint(function.graph)] == []


def test_a_warning_says_where_and_prints_as_a_line() -> None:
    x = ga.input("x", shape=("batch", 3))
    (warning,) = ga.lint(ga.log(ga.softmax(x)))
    assert warning.node.op.name == "log"
    assert str(warning).startswith("test_linter.py:")
    assert str(warning).endswith("[log_of_softmax]")
    assert warning.message in str(warning)
    with pytest.raises(AttributeError):
        warning.kind = "other"  # type: ignore[misc]


def test_copies_at_other_steps_are_counted_and_not_repeated() -> None:
    x = ga.input("x", shape=("batch", 6, 3))

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.sqrt(ga.square(h + x_t))
        return h, h

    _, states = ga.unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    (warning,) = ga.lint(states)
    assert (warning.kind, warning.count) == ("root_at_zero", 6)
    assert str(warning).startswith("step 0 test_linter.py:")
    assert "(and 5 more times)" in str(warning)


def test_what_should_be_used_can_be_named() -> None:
    W, b = ga.parameter([1.0, 2.0], name="W"), ga.parameter([3.0], name="b")
    (warning,) = ga.lint(ga.sum(W), {"W": W, "b": b})
    assert (warning.kind, warning.node) == ("unused", b)
    assert ga.lint(ga.sum(W) + ga.sum(b), [W, b]) == []


def test_nothing_is_run_so_any_parameter_will_do() -> None:
    huge = ga.broadcast_to(ga.input("x"), (10**9, 10**9))
    assert [warning.kind for warning in ga.lint(ga.sum(ga.exp(huge)))] == ["unbounded_exp"]


def test_structures_of_nodes_are_looked_at_together_and_anything_else_is_refused() -> None:
    x = ga.input("x", shape=("batch", 3))
    assert [warning.kind for warning in ga.lint({"a": ga.exp(x), "b": (x == 2.0 * x,)})] == [
        "unbounded_exp",
        "equality_of_floats",
    ]
    with pytest.raises(ArgumentError, match="lint looks at graphs and nodes; got 3"):
        ga.lint([x, 3])


def test_long_unrolled_nets_take_no_recursion_and_little_time() -> None:
    x, W = ga.input("x", shape=("batch", 1500, 3)), ga.parameter(np.ones((3, 3), "float32"), name="W")

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        kept = ga.sigmoid(x_t)
        return ga.where(x_t > 0, kept * h + (1.0 - kept) * ga.tanh(h @ W), h), None

    h, _ = ga.unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    start = time.perf_counter()
    assert ga.lint(ga.sum(h)) == []
    assert time.perf_counter() - start < 10
