"""The command line: results on stdout, one line and the right exit code for every mistake."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from graphad.cli import main
from graphad.data.mnist import SAMPLE

NET = """
import numpy as np, graphad as ga
x = ga.input("x", shape=("batch", 3))
W = ga.parameter(np.ones((3, 2), "float32"), name="W")
loss = ga.sum(ga.tanh(x @ W)).named("loss")
both = {"out": loss, "double": 2 * loss}
step = ga.compile([x], loss)
number = 7
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def train(*arguments: object) -> Result:
    return run("train", "mnist-rnn", "--data", SAMPLE, "--epochs", 1, *arguments)


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    file = tmp_path / "net.py"
    file.write_text(NET)
    return file


def test_list_names_every_recipe_with_its_defaults() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["mnist-rnn", "mnist-mlp"]
    assert "5 epochs, batches of 100, learning rate 0.015" in lines[0]


def test_training_says_which_data_it_used_and_what_it_came_to() -> None:
    result = train()
    assert result.exit_code == 0, result.output
    assert "data: full" not in result.stdout
    assert str(SAMPLE) in result.stdout
    assert "test accuracy" in result.stdout.splitlines()[-1]


def test_json_is_one_object_per_event_and_the_last_is_the_result() -> None:
    found = events(train("--json"))
    assert [event["event"] for event in found] == ["start", "compiled", "epoch", "result"]
    assert {"test_accuracy", "epoch_seconds", "compile_seconds"} <= found[-1].keys()
    assert found[0]["data_kind"] == "folder"
    assert 0 < found[-1]["test_accuracy"] <= 1


def test_out_gets_picture_program_history_and_checkpoint_and_resume_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    assert train("--out", out).exit_code == 0
    assert {path.name for path in out.iterdir()} == {"graph.svg", "program.py", "history.json", "checkpoint.npz"}
    resumed = train("--out", out, "--resume", "--epochs", 2, "--json")
    assert [event["number"] for event in events(resumed) if event["event"] == "epoch"] == [2]
    done = train("--out", out, "--resume", "--epochs", 2, "--json")
    assert "epoch" not in [event["event"] for event in events(done)]
    assert events(done)[-1]["test_accuracy"] == events(resumed)[-1]["test_accuracy"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "mnist-xyz"], "mnist-rnn"),
        (["train"], "Missing argument"),
        (["train", "mnist-rnn", "--epochs", "0"], "--epochs"),
        (["train", "mnist-rnn", "--lr", "-1"], "--lr"),
        (["train", "mnist-rnn", "--resume"], "--out"),
        (["draw", "nothing.py", "-o", "g.svg"], "net.py:loss"),
        (["draw", "nothing.py:loss", "-o", "g.svg"], "no file"),
        (["fly"], "No such command"),
    ],
)
def test_misuse_is_exit_2_with_the_remedy(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_a_folder_without_data_is_exit_1_and_one_line(tmp_path: Path) -> None:
    result = run("train", "mnist-rnn", "--data", tmp_path)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path) in result.stderr


def test_an_out_folder_that_cannot_be_written_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = train("--out", tmp_path / "file")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert "epoch 1" not in result.stdout


@pytest.mark.parametrize("name", ["loss", "both", "step"])
def test_draw_draws_nodes_structures_and_functions(net: Path, name: str) -> None:
    result = run("draw", f"{net}:{name}", "-o", net.parent / "g.dot")
    assert result.exit_code == 0, result.output
    assert "digraph" in (net.parent / "g.dot").read_text()


def test_draw_can_show_the_gradient(net: Path) -> None:
    result = run("draw", f"{net}:loss", "--gradient", "W,x", "-o", net.parent / "g.dot")
    assert result.exit_code == 0, result.output
    assert "d_W" in (net.parent / "g.dot").read_text()


@pytest.mark.parametrize("name", ["number", "nothing"])
def test_drawing_what_is_no_graph_is_misuse(net: Path, name: str) -> None:
    result = run("draw", f"{net}:{name}", "-o", net.parent / "g.dot")
    assert result.exit_code == 2
    assert name in result.stderr


LOSSES = """
import numpy as np, graphad as ga
from dataclasses import dataclass
from graphad.ir.node import apply
from graphad.ops.transcendental import Tanh

@dataclass(frozen=True)
class Wrong(Tanh):
    name = "wrong"

    def partials(self, result, *operands):
        return (lambda d: d * (1.0 - result),)

@dataclass(frozen=True)
class Slightly(Tanh):
    name = "slightly"

    def partials(self, result, *operands):
        return (lambda d: d * (1.000001 - result * result),)

x = ga.input("x", shape=("batch", 3))
W = ga.parameter(np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2), name="W")
b = ga.parameter(np.array([0.5, -0.5], "float32"), name="b")
fixed = ga.parameter(np.ones(2, "float32"), name="fixed", trainable=False)
loss = ga.sum(ga.tanh(x @ W + b) * fixed)
slightly = ga.sum(apply(Slightly(), 0.1 * W))
spoilt = ga.sum(b) + ga.sum(apply(Wrong(), x @ W))
warned = ga.sum(ga.sqrt(ga.sum(ga.square(x @ W), axis=1)))
pair = loss, {"x": x}
kinked = ga.sum(ga.relu(ga.parameter([0.0, 2.0], name="k")))
untrained = ga.sum(x)
nothing = None
matrix = x @ W
step = ga.compile([x], loss)

def returns_a_loss():
    return loss

def returns_a_pair():
    return pair

def fails():
    return 1 / 0
"""


@pytest.fixture
def losses(tmp_path: Path) -> Path:
    file = tmp_path / "losses.py"
    file.write_text(LOSSES)
    return file


@pytest.mark.parametrize(
    ("name", "rows"),
    [("loss", ["W", "b"]), ("returns_a_loss", ["W", "b"]), ("pair", ["x"]), ("returns_a_pair", ["x"])],
)
def test_check_prints_a_row_for_each_parameter_and_the_worst_difference(
    losses: Path, name: str, rows: list[str]
) -> None:
    result = run("check", f"{losses}:{name}")
    assert result.exit_code == 0, result.output
    title, *lines, summary = result.stdout.splitlines()
    assert title.split() == ["parameter", "order", "shape", "entries", "directions", "worst"]
    assert [line.split()[0] for line in lines] == rows
    assert all(line.endswith("ok") for line in lines)
    assert summary.startswith("the gradient is right:")
    assert result.stderr == ""


def test_check_of_a_wrong_gradient_is_exit_1_with_the_blame_in_one_line(losses: Path) -> None:
    result = run("check", f"{losses}:spoilt")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "gradient of W at [" in result.stderr
    line = 1 + LOSSES.splitlines().index("spoilt = ga.sum(b) + ga.sum(apply(Wrong(), x @ W))")
    assert f"rule of wrong(matmul: float64[3, 2]) (at losses.py:{line})" in result.stderr
    b, W = (line for line in result.stdout.splitlines() if line.split()[0] in ("W", "b"))
    assert W.endswith("WRONG") != b.endswith("WRONG")


def test_check_says_what_else_looks_like_a_mistake(losses: Path) -> None:
    result = run("check", f"{losses}:warned")
    assert result.exit_code == 0
    line = 1 + LOSSES.splitlines().index("warned = ga.sum(ga.sqrt(ga.sum(ga.square(x @ W), axis=1)))")
    assert result.stdout.splitlines()[-2].startswith(f"warning: losses.py:{line}: sqrt has an infinite derivative at 0")


def test_check_tells_of_places_that_are_not_smooth(losses: Path) -> None:
    result = run("check", f"{losses}:kinked")
    assert result.exit_code == 0
    assert "not smooth, so not told: k at [0]" in result.stdout


def test_check_goes_to_second_order_in_the_mode_that_is_asked_for(losses: Path) -> None:
    result = run("check", f"{losses}:loss", "--order", 2, "--mode", "projection", "--seed", 3, "--json")
    rows = [event for event in events(result) if event["event"] == "parameter"]
    assert [(row["name"], row["order"], row["directions"]) for row in rows] == [
        ("W", 1, 4), ("b", 1, 4), ("W", 2, 4), ("b", 2, 4)
    ]  # fmt: skip


def test_check_with_json_is_one_object_per_event_and_the_last_is_the_result(losses: Path) -> None:
    right, wrong = (run("check", f"{losses}:{name}", "--json") for name in ("warned", "spoilt"))
    assert [event["event"] for event in events(right)] == ["parameter", "warning", "result"]
    assert events(right)[0]["shape"] == [3, 2]
    assert events(right)[1]["kind"] == "root_at_zero"
    last = events(right)[-1]
    assert (last["right"], last["entries"], last["error"]) == (True, 6, "")
    assert last["worst"] < 1e-6
    assert wrong.exit_code == 1
    assert events(wrong)[-1]["right"] is False
    assert "to blame" in events(wrong)[-1]["error"]


def test_a_tolerance_decides_what_is_wrong(losses: Path) -> None:
    assert run("check", f"{losses}:slightly", "--tolerance", 1e-5).exit_code == 0
    assert run("check", f"{losses}:slightly", "--tolerance", 1e-7).exit_code == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("number", "declares no 'number'"),
        ("nothing", "declares no 'nothing'"),
        ("matrix", "is no loss: that is a scalar node"),
        ("step", "is no loss"),
        ("untrained", "reaches no trained parameter"),
    ],
)
def test_checking_what_is_no_loss_is_misuse(losses: Path, name: str, says: str) -> None:
    result = run("check", f"{losses}:{name}")
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [["--order", 3], ["--tolerance", 0], ["--mode", "all"], ["--seed", -1]])
def test_settings_that_a_check_does_not_have_are_misuse(losses: Path, arguments: list[object]) -> None:
    result = run("check", f"{losses}:loss", *arguments)
    assert result.exit_code == 2
    assert str(arguments[0]) in result.stderr


def test_a_function_that_fails_is_told_with_its_error(losses: Path) -> None:
    result = run("check", f"{losses}:fails")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr


def test_an_unknown_suffix_is_one_line_that_lists_the_known_ones(net: Path) -> None:
    result = run("draw", f"{net}:loss", "-o", net.parent / "g.xyz")
    assert result.exit_code == 1
    assert ".svg" in result.stderr


def test_a_file_that_fails_is_told_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("1 / 0")
    result = run("draw", f"{tmp_path / 'bad.py'}:loss", "-o", tmp_path / "g.dot")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr


def test_the_command_is_installed_and_prints_its_version() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("graphad"), "--version"], capture_output=True, text=True, check=True
    )
    assert "graphad" in found.stdout


def test_profile_prints_each_statement_and_writes_a_trace(losses: Path, tmp_path: Path) -> None:
    result = run("profile", f"{losses}:loss", "--size", 5, "--runs", 2, "-o", tmp_path / "trace.json")
    assert result.exit_code == 0, result.output
    assert "ms in statements, medians of 2 calls" in result.stdout
    assert "# losses.py:" in result.stdout
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]


def test_profile_tells_programs_as_much(losses: Path) -> None:
    *statements, result = events(run("profile", f"{losses}:loss", "--runs", 1, "--json"))
    assert {event["event"] for event in statements} == {"statement"}
    assert all(event["calls"] >= 1 and event["seconds"] >= 0 for event in statements)
    assert result["event"] == "result"
    assert result["seconds"] == pytest.approx(sum(event["seconds"] for event in statements))


def test_profile_of_what_is_no_loss_is_exit_1_with_the_remedy(losses: Path) -> None:
    result = run("profile", f"{losses}:x")
    assert result.exit_code != 0
    assert "is no loss" in result.stderr
