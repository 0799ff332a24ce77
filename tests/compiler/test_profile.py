from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.function import Function
from graphad.errors import ArgumentError, DivergenceError, FileSuffixError
from graphad.ir.node import Node
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


def positive() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1.0, (B, T, H)).astype(np.float32)


def test_a_profile_counts_each_statement_as_often_as_it_runs_and_changes_no_parameter() -> None:
    step, W, _ = recurrent()
    before = W.value
    found = step.profile(positive(), runs=3)
    calls = {entry.line.text.strip().partition("(")[0]: entry.calls for entry in found.entries}
    assert calls["np.tanh"] == T
    assert calls["np.log"] == 1
    assert all(len(entry.nanoseconds) == 3 for entry in found.entries)
    assert found.seconds > 0
    np.testing.assert_array_equal(W.value, before)


def test_a_profile_is_a_table_and_a_trace(tmp_path: Path) -> None:
    step, _, _ = recurrent()
    found = step.profile(positive(), runs=2)
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
    assert step.first_non_finite([1.5, 2.0, 3.0]) is None
    found = step.first_non_finite([1.5, 0.0, 3.0])
    assert found is not None
    assert found.node.op.name == "log"
    assert "test_profile.py:" in str(found)
    assert "x in [0, 3]" in str(found)


def test_a_statement_in_a_loop_is_found_with_its_iteration() -> None:
    h, W = ga.input("h", (2,)), ga.parameter(float32([[50.0, 0.0], [0.0, 50.0]]), name="W")
    h_T, _ = ga.unroll(lambda before, _: ((before.reshape(1, 2) @ W).reshape(2), None), init=h, steps=30)
    found = ga.compile([h], h_T).first_non_finite([1.0, 1.0])
    assert found is not None
    assert found.node.op.name == "matmul"
    assert found.execution == 22  # 50 ** 23 > 3.4e38
    assert "iteration 22" in str(found)


def test_the_history_of_a_step_leads_into_the_loop_that_runs_it() -> None:
    step, _, states = recurrent()
    text = str(step.why(states[4]))
    assert text.startswith("<tanh: float32[2, 3]>, declared at step 4 test_profile.py:")
    assert f"distribute over time: in a loop of {T} steps, " in text
    assert text.splitlines()[-1].startswith("emitted: np.tanh(")


def test_the_history_of_what_no_output_needs_says_so() -> None:
    x = ga.input("x", (3,))
    step = ga.compile([x], ga.exp(x))
    assert "no output depends on it" in str(step.why(ga.sin(x)))


def test_training_that_would_diverge_names_the_statement_at_which_it_begins_to() -> None:
    x, w = ga.input("x", (3,)), ga.parameter(float32([1.0, 2.0, 3.0]), name="w")
    step = ga.compile([x], [], updates={w: w - ga.sqrt(ga.log(x))})
    with pytest.raises(DivergenceError, match=r"new value of <w.*first that is not finite: log .*x in \[0, 3\]"):
        step([1.5, 0.0, 3.0])
    np.testing.assert_array_equal(w.value, [1.0, 2.0, 3.0])


def test_a_saved_program_goes_on_alone_where_the_function_is(tmp_path: Path) -> None:
    step, W, _ = recurrent()
    step(positive())
    path = step.save(tmp_path / "step.py")
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), "step.py", "exec"), namespace)  # noqa: S102 (that it runs alone is the fact)
    for _ in range(3):
        (alone,) = namespace["step"](positive())
        np.testing.assert_array_equal(alone, step(positive()))
    np.testing.assert_array_equal(namespace["W"], W.value)
    with pytest.raises(FileSuffixError, match=r"step\.txt"):
        step.save(tmp_path / "step.txt")


def test_the_reference_has_no_program_to_profile_or_save(tmp_path: Path) -> None:
    step = ga.compile([], ga.exp(ga.constant(1.0)), backend="reference")
    for ask in (step.profile, step.first_non_finite, lambda: step.save(tmp_path / "step.py")):
        with pytest.raises(ArgumentError, match="no emitted program"):
            ask()
