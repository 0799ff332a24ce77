import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.budget import bytes_of
from graphad.compiler.function import Function
from graphad.compiler.recomputation import recomputed
from graphad.errors import ArgumentError, MemoryBudgetError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.schedule.program import Program, schedule
from tests.ir.random_graphs import Sample, samples
from tests.schedule.lifetimes import lost_values

X = ga.input("x", shape=(50, 3))


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (1, 1),
        ("7", 7),
        ("512B", 512),
        ("64kB", 64_000),
        ("64 KiB", 65_536),
        ("64MB", 64_000_000),
        (" 64 mib ", 67_108_864),
        ("1.5GB", 1_500_000_000),
        ("0.5 TiB", 2**39),
    ],
)
def test_a_budget_is_bytes_or_text_with_a_unit(memory: Any, expected: int) -> None:
    assert bytes_of(memory) == expected


@pytest.mark.parametrize("memory", [0, -1, 1.5, True, "", "MB", "64 XB", "-3MB", "1e6", "0MB", "64 MB 3", b"64MB"])
def test_what_is_no_budget_is_refused(memory: Any) -> None:
    with pytest.raises(ArgumentError, match="memory is a number of bytes above 0"):
        ga.compile(X, X * 2.0, memory=memory)


def test_the_reference_plans_no_memory() -> None:
    with pytest.raises(ArgumentError, match="'reference' plans no memory"):
        ga.compile(X, X * 2.0, backend="reference", memory="1MB")


def mlp(layers: int, width: int) -> tuple[list[Node], Node, list[Node]]:
    """Layers whose products are followed by much elementwise work: normalised, activated by GELU, dropped out."""
    numbers = np.random.default_rng(0)
    x, y = ga.input("x", shape=("batch", width)), ga.input("y", shape=("batch",), dtype="int64")
    h, parameters = x, []
    for i in range(layers):
        w = ga.parameter(numbers.normal(0, width**-0.5, (width, width)).astype(np.float32), name=f"W{i}")
        b = ga.parameter(numbers.normal(0, 0.1, width).astype(np.float32), name=f"b{i}")
        parameters += [w, b]
        h = ga.dropout(ga.gelu(ga.layer_norm(h @ w + b)), 0.1)
    return [x, y], ga.mean(ga.softmax_cross_entropy(h, y)), parameters


def convolutions() -> tuple[list[Node], Node, list[Node]]:
    numbers = np.random.default_rng(0)
    x, y = ga.input("x", shape=("batch", 14, 14, 1)), ga.input("y", shape=("batch",), dtype="int64")
    h, parameters = x, []
    for before, channels in ((1, 6), (6, 8), (8, 10)):
        kernel = ga.parameter(numbers.normal(0, 0.3, (3, 3, before, channels)).astype(np.float32))
        bias = ga.parameter(np.zeros(channels, np.float32))
        parameters += [kernel, bias]
        h = ga.relu(ga.conv2d(h, kernel, padding="same") + bias)
        h = ga.max_pool2d(h, 2) if channels == 6 else h
    return [x, y], ga.mean(ga.softmax_cross_entropy(ga.mean(h, axis=(1, 2)), y)), parameters


Net = Callable[[], tuple[list[Node], Node, list[Node]]]


def stepped(net: Net, memory: int | None, batch: int) -> tuple[Function, Program]:
    inputs, loss, parameters = net()
    step = ga.compile(inputs, loss, updates=ga.optim.Adam(0.01).updates(loss, parameters), memory=memory, verify=True)
    return step, program_of(step, batch=batch)


def program_of(step: Function, **sizes: int) -> Program:
    executable = step.specialise(**sizes).executable
    assert isinstance(executable, NumpyExecutable)
    return executable.program


@pytest.mark.parametrize(
    ("net", "shape", "share", "work"),
    [
        (lambda: mlp(8, 24), (24,), 0.5, 0.1),
        (convolutions, (14, 14, 1), 0.5, 0.25),
    ],
)
def test_training_fits_into_half_the_memory_and_learns_the_same_bit_for_bit(
    net: Net, shape: tuple[int, ...], share: float, work: float
) -> None:
    batch, numbers = 100, np.random.default_rng(1)
    free, whole = stepped(net, None, batch)
    budget = int(share * whole.memory.arena_bytes)
    tight, less = stepped(net, budget, batch)
    assert less.memory.arena_bytes <= budget
    assert whole.flops < less.flops <= (1 + work) * whole.flops
    assert lost_values(less) == []
    for _ in range(3):
        x = numbers.normal(size=(batch, *shape)).astype(np.float32)
        y = numbers.integers(0, 10, batch)
        np.testing.assert_array_equal(tight(x, y), free(x, y))


def test_a_program_within_its_budget_is_left_as_it_is() -> None:
    free, whole = stepped(lambda: mlp(2, 5), None, 3)
    tight, same = stepped(lambda: mlp(2, 5), whole.memory.arena_bytes, 3)
    assert tight.source == free.source
    assert f"within the budget of {whole.memory.arena_bytes:,} bytes as it is" in str(tight.report())
    assert "budget" not in str(free.report())
    assert same.memory.arena_bytes == whole.memory.arena_bytes


def test_the_report_tells_what_is_computed_again_and_what_that_costs() -> None:
    _, whole = stepped(lambda: mlp(3, 5), None, 40)
    tight, less = stepped(lambda: mlp(3, 5), int(0.7 * whole.memory.arena_bytes), 40)
    text = str(tight.report())
    assert f"smaller by {whole.memory.arena_bytes - less.memory.arena_bytes:,} bytes" in text
    assert f"{less.flops - whole.flops:,} floating-point operations more" in text
    assert "computed again instead of kept: " in text


def test_the_history_of_a_node_tells_that_it_is_computed_again() -> None:
    a = ga.sin(X)
    b = X * ga.sum(a)
    outputs = ga.sum(a * ga.sum(ga.exp(b) + ga.cos(b)))
    free = ga.compile(X, outputs)
    assert str(free.why(a)).count("np.sin(") == 1
    tight = ga.compile(X, outputs, memory=free.report().arena_bytes - a.type.nbytes)
    assert str(tight.why(a)).count("np.sin(") == 2
    assert "np.sin(" not in str(tight.why(outputs))


def test_a_budget_that_cannot_be_met_is_refused_with_what_is_large() -> None:
    step = ga.compile(*mlp(3, 5)[:2], memory=2_000)
    x, y = np.zeros((40, 5), np.float32), np.zeros(40, np.int64)
    with pytest.raises(MemoryBudgetError) as caught:
        step(x, y)
    message = str(caught.value)
    assert "the budget is 2,000" in message
    assert "float32[40, 5]>, 800 bytes at test_budget.py:" in message
    assert "batch smaller" in message
    assert "ga.checkpoint" in message


def least_arena(program: Program) -> int:
    plan = partial(schedule, parameters=tuple(node for node, _ in program.updates))
    return min(one.memory.arena_bytes for one in (program, *recomputed(program, plan, 1)))


def with_gradients(sample: Sample) -> Graph:
    """The sample with the gradients of a sum of its outputs by its inputs and parameters."""
    floats = [node for node in sample.graph.outputs if node.type.is_float]
    leaves = [node for node in sample.graph.nodes if node.op.traits.leaf and node.name and node.type.is_float]
    loss = sum((ga.sum(ga.minimum(node, 3.0) * node) for node in floats), start=ga.constant(0.0))
    return Graph(sample.graph.inputs, (*sample.graph.outputs, *ga.grad(loss, leaves, disconnected="zero")))


@given(samples(), st.floats(0, 1))
def test_any_program_computes_the_same_within_any_budget_that_can_be_met(sample: Sample, share: float) -> None:
    graph = with_gradients(sample)
    free = ga.compile(graph.inputs, graph.outputs)
    arena = free.report().arena_bytes
    least = least_arena(program_of(free))
    assume(arena > 0)
    budget = max(1, round(least + share * (arena - least)))
    tight = ga.compile(graph.inputs, graph.outputs, memory=budget, verify=True)
    assert tight.report().arena_bytes <= budget
    assert lost_values(program_of(tight)) == []
    expected = evaluate(graph, sample.arguments)
    for found, wanted, same in zip(tight(*sample.arguments), expected, free(*sample.arguments), strict=True):
        np.testing.assert_array_equal(found, same)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


DECLARATION = """
from tests.compiler.test_budget import mlp, stepped
net = lambda: mlp(4, 5)
_, whole = stepped(net, None, 40)
step, _ = stepped(net, int(0.6 * whole.memory.arena_bytes), 40)
print(step.source)
"""


def test_the_same_declaration_gives_the_same_program_whatever_the_seed_of_hashes() -> None:
    def source(seed: str) -> str:
        command = [sys.executable, "-c", DECLARATION]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    first = source("1")
    assert "np.multiply" in first
    assert source("2") == first
