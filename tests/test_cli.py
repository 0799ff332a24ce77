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
