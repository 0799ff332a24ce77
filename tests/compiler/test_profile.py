from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import graphad as ga
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.finite import first_non_finite
from graphad.compiler.function import Function
from graphad.compiler.history import history, marked
from graphad.compiler.profile import profile
from graphad.errors import FileSuffixError
from graphad.ir.node import Node
from graphad.rewrite.pipeline import PIPELINE
from tests.autodiff.differences import float32

T, B, H = 6, 2, 3


def recurrent() -> tuple[Function, Node, list[Node]]:
    x, W = ga.input("x", (B, T, H)), ga.parameter(np.eye(H, dtype=np.float32), name="W")
    states: list[Node] = []

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        states.append(ga.tanh(x_t + h @ W))
        return states[-1], None

    h_T, _ = ga.unroll(cell, init=ga.broadcast_to(0.0, (B, H)), xs=x, axis=1)
    loss = ga.sum(ga.log(h_T))
    return ga.compile([x], loss, updates=ga.optim.SGD(0.1).updates(loss, [W])), W, states


def executable(step: Function) -> NumpyExecutable:
    found = step.specialise().executable
    assert isinstance(found, NumpyExecutable)
    return found


def positive() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1.0, (B, T, H)).astype(np.float32)


def test_a_profile_counts_each_statement_as_often_as_it_runs_and_changes_no_parameter() -> None:
    step, W, _ = recurrent()
    before = W.value
    found = profile(executable(step), [positive()], runs=3)
    calls = {entry.line.text.strip().partition("(")[0]: entry.calls for entry in found.entries}
    assert calls["np.tanh"] == T
    assert calls["np.log"] == 1
    assert all(len(entry.nanoseconds) == 3 for entry in found.entries)
    assert found.seconds > 0
    np.testing.assert_array_equal(W.value, before)


def test_a_profile_is_a_table_and_a_trace(tmp_path: Path) -> None:
    step, _, _ = recurrent()
    found = profile(executable(step), [positive()], runs=2)
    rows = str(found).splitlines()
    assert "GF/s" in rows[0]
    assert len(rows) == 2 + len(found.entries)
    assert any("np.tanh(" in row and "# test_profile.py:" in row for row in rows)
    events = json.loads(found.save(tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == sum(entry.calls for entry in found.entries)
    assert all(event["ph"] == "X" and event["dur"] >= 0 for event in events)
    with pytest.raises(FileSuffixError, match=r"trace\.txt"):
        found.save(tmp_path / "trace.txt")


def test_the_first_statement_that_is_not_finite_is_found_with_its_line_and_ranges() -> None:
    x = ga.input("x", (3,))
    step = ga.compile([x], ga.sum(ga.sqrt(ga.log(x) * 2.0)))
    assert first_non_finite(executable(step), [float32([1.5, 2.0, 3.0])]) is None
    found = first_non_finite(executable(step), [float32([1.5, 0.0, 3.0])])
    assert found is not None
    assert found.node.op.name == "log"
    assert "test_profile.py:" in str(found)
    assert "x in [0, 3]" in str(found)


def test_a_statement_in_a_loop_is_found_with_its_iteration() -> None:
    h, W = ga.input("h", (2,)), ga.parameter(float32([[50.0, 0.0], [0.0, 50.0]]), name="W")
    h_T, _ = ga.unroll(lambda before, _: ((before.reshape(1, 2) @ W).reshape(2), None), init=h, steps=30)
    found = first_non_finite(executable(ga.compile([h], h_T)), [float32([1.0, 1.0])])
    assert found is not None
    assert found.node.op.name == "matmul"
    assert found.execution == 22  # 50 ** 23 > 3.4e38
    assert "iteration 22" in str(found)


def test_the_history_of_a_step_leads_into_the_loop_that_runs_it() -> None:
    step, _, states = recurrent()
    written = [line for section in executable(step).module.sections for line in section.lines]
    lines = {line.node: line.text.strip() for line in written if line.node is not None}
    text = str(history(states[4], step.graph, PIPELINE, [lines[node] for node in marked(lines, states[4])]))
    assert text.startswith("<tanh: float32[2, 3]>, declared at step 4 test_profile.py:")
    assert f"distribute over time: in a loop of {T} steps, " in text
    assert text.splitlines()[-1].startswith("emitted: np.tanh(")


def test_the_history_of_what_no_output_needs_says_so() -> None:
    x = ga.input("x", (3,))
    step = ga.compile([x], ga.exp(x))
    assert "no output depends on it" in str(history(ga.sin(x), step.graph, PIPELINE, []))
