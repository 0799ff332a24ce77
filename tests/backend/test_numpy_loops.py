from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.op import Array

BATCH, HIDDEN, INPUTS = 2, 4, 3

Step = Callable[[Node, Node, Node, dict[str, Node]], Node]
STEPS: list[Step] = [
    lambda h, other, x, w: ga.tanh(x @ w["U"] + h @ w["W"] + w["b"]),
    lambda h, other, x, w: 0.5 * h + ga.sigmoid(x @ w["U"]) * other,
    lambda h, other, x, w: other * 1.0,
    lambda h, other, x, w: h + ga.tanh(other),
    lambda h, other, x, w: ga.where(other > 0.0, h * 0.9, ga.tanh(x @ w["U"]) + w["b"]),
    lambda h, other, x, w: h * 0.9 + ga.mean(other),
    lambda h, other, x, w: ga.tanh(h + ga.sum(other, axis=1, keepdims=True)),
    lambda h, other, x, w: ga.concatenate([h[:, 1:], ga.tanh(other[:, :1] + h[:, :1])], axis=1),
    lambda h, other, x, w: ga.zeros_like(h) + w["b"],
    lambda h, other, x, w: ga.maximum(ga.tanh(h @ w["W"]), x @ w["U"]) - ga.stop_gradient(h) * 0.1,
]
OUTPUTS: list[Callable[[tuple[Node, ...]], Any]] = [
    lambda h: h[0],
    lambda h: None,
    lambda h: (h[0], {"last": h[-1] * 2.0}),
    lambda h: ga.sum(h[0], axis=1),
]


def recurrent(seed: int, length: int) -> tuple[Graph, list[Array]]:
    """A net of one to three random states over ``length`` steps, with all its results and gradients, in float64."""
    random, numbers = Random(seed), np.random.default_rng(seed)
    shapes = {"U": (INPUTS, HIDDEN), "W": (HIDDEN, HIDDEN), "b": (HIDDEN,)}
    w = {name: ga.parameter(numbers.normal(size=shape) * 0.5, name=name) for name, shape in shapes.items()}
    x, lengths = (
        ga.input("x", shape=(BATCH, length, INPUTS), dtype="float64"),
        ga.input("n", shape=(BATCH,), dtype="int8"),
    )
    steps, output = random.choices(STEPS, k=random.randint(1, 3)), random.choice(OUTPUTS)

    def cell(carry: tuple[Node, ...], x_t: Node) -> tuple[tuple[Node, ...], Any]:
        new: list[Node] = []
        for i, step in enumerate(steps):
            other = new[-1] if new and i % 2 else carry[(i + 1) % len(steps)]
            new.append(step(carry[i], other, x_t, w))
        return tuple(new), output(tuple(new))

    starts = [ga.constant(np.zeros((BATCH, HIDDEN))), ga.broadcast_to(w["b"], (BATCH, HIDDEN))]
    last, outputs = ga.unroll(
        cell,
        tuple(random.choices(starts, k=len(steps))),
        x,
        axis=1,
        reverse=random.random() < 0.3,
        truncate=random.choice([None, None, 1, 3]),
        lengths=random.choice([None, None, lengths]),
    )
    ends = [node for node in ga.ir.nest.leaves((last, outputs)) if node is not None]
    loss = sum(
        (ga.mean(ga.square(node)) for node in random.sample(ends, random.randint(1, len(ends)))), ga.sum(last[0])
    )
    gradients = ga.grad(loss, [*w.values(), x], disconnected="zero")
    arguments: list[Array] = [
        numbers.normal(size=(BATCH, length, INPUTS)),
        numbers.integers(0, length + 1, BATCH).astype(np.int8),
    ]
    return Graph((x, lengths), (loss, *gradients, *ends)), arguments


@given(st.integers(0, 2**32 - 1), st.integers(0, 7))
def test_any_recurrent_net_and_its_gradients_are_what_the_reference_says_step_by_step(seed: int, length: int) -> None:
    graph, arguments = recurrent(seed, length)
    step = ga.compile(graph.inputs, graph.outputs)
    for _ in range(2):
        for found, expected in zip(step(*arguments), evaluate(graph, arguments), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
            assert np.shape(found) == expected.shape


@pytest.mark.parametrize(
    "name", ["<lambda>", "a cell", "class", "x", "x_all", 'evil\nraise SystemExit(3)\n"""', "\udcff"]
)
def test_a_cell_may_be_called_anything(name: str) -> None:
    x, w = ga.input("x", shape=(5, 2, 3)), ga.parameter(np.eye(3, dtype=np.float32), name="x_forward_steps")
    last, _ = ga.unroll(lambda h, x_t: (ga.tanh(h @ w + x_t), None), ga.zeros_like(x[0]), x, name=name)
    step = ga.compile([x], [last, ga.grad(ga.sum(last), w)])
    array = np.linspace(-1, 1, 30).reshape(5, 2, 3)
    for found, expected in zip(step(array), ga.compile([x], [last], backend="reference")(array), strict=False):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    compile(step.source, "program.py", "exec")


@pytest.mark.parametrize("reverse", [False, True])
def test_states_may_be_numbers_without_axes(reverse: bool) -> None:
    x, w = ga.input("x", shape=(9,), dtype="float64"), ga.parameter(np.float64(0.5), name="w")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(h * w + x_t)
        return h, h

    last, states = ga.unroll(cell, ga.constant(np.float64(0.25)), x, reverse=reverse)
    loss = ga.sum(states * states)
    graph = Graph((x,), (loss, last, states, *ga.grad(loss, [w, x])))
    array = np.linspace(-1, 1, 9)
    for found, expected in zip(ga.compile([x], graph.outputs)(array), evaluate(graph, [array]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_long_net_is_compiled_and_run_at_the_default_limit_of_recursion() -> None:
    x, w = ga.input("x", shape=(3_000, 2, 3)), ga.parameter(np.eye(3, dtype=np.float32), name="w")
    last, _ = ga.unroll(lambda h, x_t: (ga.tanh(h @ w * 0.5 + x_t), None), ga.zeros_like(x[0]), x)
    loss = ga.sum(last)
    step = ga.compile([x], loss, updates=ga.optim.SGD(0.1).updates(loss, [w]))
    assert np.isfinite(step(np.ones((3_000, 2, 3))))
    assert step.report().statements < 100
