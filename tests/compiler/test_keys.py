"""The key of a function: what is counted, what is remembered, and what an emitted program does with it."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.function import BACKENDS
from graphad.compiler.keys import State
from graphad.errors import ArgumentError, DivergenceError, IndexRangeError
from graphad.ops.random import KEY

both_backends = pytest.mark.parametrize("backend", BACKENDS)

DECLARATION = """
import graphad as ga
x = ga.input("x", (5, 2, 3))
def cell(h, x_t):
    h = ga.tanh(ga.dropout(x_t, 0.5) + h * ga.uniform((2, 3)))
    return h, h
_, hs = ga.unroll(cell, ga.normal((2, 3)), x)
step = ga.compile([x], [hs, ga.grad(ga.sum(hs), x)])
print(step.source)
"""

ALONE = """
import sys
import numpy as np
import program
program.key[:] = [2**63 + 1, 4]
found = [program.step()[0] for _ in range(3)]
assert program.key.tolist() == [2**63 + 1, 7]
assert "graphad" not in sys.modules
np.save("found.npy", found)
"""


@both_backends
def test_a_call_is_counted_when_it_has_succeeded(backend: str) -> None:
    i, u = ga.input("i", (1,), "int64"), ga.uniform((4,))
    function = ga.compile([i], [u, ga.take_along_axis(u, i, axis=0)], backend=backend, seed=9)
    first = function([0])[0]
    with pytest.raises(IndexRangeError):
        function([4])
    assert function.state() == State(9, 1)
    second = function([3])[0]
    never_failed = ga.compile([], u, backend=backend, seed=9)
    np.testing.assert_array_equal(never_failed(), first)
    np.testing.assert_array_equal(never_failed(), second)


@both_backends
def test_a_call_that_would_diverge_is_not_counted_and_changes_nothing(backend: str) -> None:
    x, w, noise = ga.input("x", (2,)), ga.parameter([1.0, 1.0], name="w"), ga.normal((2,))
    step = ga.compile([x], noise, updates={w: w + noise * x}, backend=backend)
    with pytest.raises(DivergenceError):
        step([1.0, np.nan])
    assert step.state().calls == 0
    np.testing.assert_array_equal(w.value, [1.0, 1.0])
    drawn = step([1.0, 1.0])
    np.testing.assert_array_equal(w.value, np.float32(1) + drawn)


def test_functions_of_one_graph_have_keys_of_their_own() -> None:
    u = ga.uniform((4,))
    first, second = ga.compile([], u), ga.compile([], u)
    np.testing.assert_array_equal(first(), second())
    first()
    assert (first.state().calls, second.state().calls) == (2, 1)
    assert KEY.value.tolist() == [0, 0]


def test_a_function_counts_its_calls_over_all_shapes() -> None:
    x = ga.input("x", ("batch",))
    function = ga.compile([x], ga.uniform(()) + 0.0 * ga.sum(x))
    found = [float(function(np.ones(batch))) for batch in (2, 3, 2, 3)]
    assert len(set(found)) == 4
    assert function.state() == State(0, 4)


@both_backends
def test_a_restored_function_goes_on_where_the_other_was(backend: str) -> None:
    outputs = [ga.uniform((4,)), ga.normal((3,))]
    whole = ga.compile([], outputs, seed=6)
    whole(), whole()
    resumed = ga.compile([], outputs, backend=backend)
    resumed()
    resumed.restore(whole.state())
    assert resumed.seed == 6
    for one, other in zip(resumed(), whole(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.state() == whole.state() == State(6, 3)


def test_a_function_that_draws_nothing_has_a_seed_and_counts_nothing() -> None:
    function = ga.compile([], ga.constant([1.0]), seed=4)
    function()
    assert function.state() == State(4, 0)
    assert "key" not in function.source


@pytest.mark.parametrize("state", [None, 3, (1, 2), State(-1), State(0, 2**64), State(1.0), State(0, True)])  # type: ignore[arg-type]
def test_what_is_no_state_is_refused_and_changes_nothing(state: object) -> None:
    function = ga.compile([], ga.uniform(()), seed=3)
    function()
    with pytest.raises(
        ArgumentError, match=r"restored from what its state\(\) gave|is an integer from 0 to 2\*\*64 - 1"
    ):
        function.restore(state)  # type: ignore[arg-type]
    assert function.state() == State(3, 1)


def test_calls_from_many_threads_are_all_counted_and_all_differ() -> None:
    function, start = ga.compile([], ga.uniform((), dtype="float64")), threading.Barrier(4)

    def work(_: int) -> list[float]:
        start.wait()
        return [float(function()) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        found = [number for numbers in pool.map(work, range(4)) for number in numbers]
    assert len(set(found)) == function.state().calls == 200


def test_the_emitted_program_runs_alone_and_counts_its_calls(tmp_path: Path) -> None:
    outputs = [ga.normal((3,)) * ga.bernoulli(0.5, (3,)) + ga.permutation(3) + ga.randint(0, 4, (3,))]
    function = ga.compile([], outputs, seed=2**63 + 1)
    (tmp_path / "program.py").write_text(function.source, encoding="utf-8")
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, check=True, env={})
    function.restore(State(2**63 + 1, 4))
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), [function()[0] for _ in range(3)])


def test_the_same_declaration_gives_the_same_bytes_in_every_process() -> None:
    def source(seed: str, before: str = "") -> str:
        command = [sys.executable, "-c", f"{before}\n{DECLARATION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        return done.stdout

    first = source("0")
    assert "uniform_kernel(key, " in first
    assert first == source("1") == source("1", "import graphad; graphad.normal((3,)); graphad.uniform((3,))")


def test_an_input_a_parameter_and_a_node_may_be_called_key_too() -> None:
    x, w = ga.input("key", (3,)), ga.parameter([1.0, 2.0, 3.0], name="key")
    function = ga.compile([x], (x + w).named("key") * ga.uniform((3,), 1.0, 1.0), updates={w: w + 1.0})
    np.testing.assert_array_equal(function([1, 1, 1]), [2, 3, 4])
    np.testing.assert_array_equal(function([1, 1, 1]), [3, 4, 5])


def test_a_function_that_draws_and_learns_nothing_takes_no_data() -> None:
    x, w = ga.input("x", ("batch", 2)), ga.parameter([1.0, 1.0], name="w")
    assert ga.compile([x], ga.dropout(x, 0.5))(np.ones((0, 2))).shape == (0, 2)
    with pytest.raises(ga.errors.ShapeError, match="parameters are not updated from no data"):
        ga.compile([x], [], updates={w: w + ga.sum(ga.dropout(x, 0.5))})(np.ones((0, 2)))


def test_the_graph_of_a_function_has_the_key_of_the_next_call_as_its_last_output() -> None:
    function = ga.compile([], ga.uniform((3,)))
    assert [node.type for node in function.graph.outputs] == [ga.TensorType.of(3), KEY.type]
    assert KEY not in set(function.graph.nodes)
