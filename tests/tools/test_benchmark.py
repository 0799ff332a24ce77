"""The benchmark compares the right things and computes its figures right; nothing is timed here."""

import json
import math
import re
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner

from tools.benchmark import timing
from tools.benchmark.__main__ import main
from tools.benchmark.agreement import Agreement, compare
from tools.benchmark.figures import FASTEST, Figures, means
from tools.benchmark.peers import by_hand, by_hand_recurrent, graphad_numpy
from tools.benchmark.peers.catalogue import BY_HAND, OURS, PEERS, Peer
from tools.benchmark.process import PeerError, PeerProcess, dropped_variables, environment
from tools.benchmark.report import HEADLINE, Run, as_json, markdown, table
from tools.benchmark.settings import (
    LEARNING_RATE,
    RNNS,
    SETTINGS,
    Setting,
    biases_apart,
    biases_joined,
    first_batch,
    first_weights,
    weight_shapes,
)
from tools.benchmark.timing import Measurement, Plan, measure


def small(setting: Setting) -> Setting:
    """The same net with pairwise different, small sizes; the number of steps is kept where it is 1."""
    steps = min(setting.steps, 11)
    return replace(setting, steps=steps, inputs=min(setting.inputs, 6), hidden=7, batch=5, classes=4)


# Settings that differ in their sizes alone are one when they are small.
SMALL = {f"{each.cell}-{each.layers}-{each.steps}-{each.inputs}": each for each in map(small, SETTINGS.values())}
TINY = small(RNNS[0])


def trained(trainer: Any, steps: int) -> tuple[list[float], dict[str, Any]]:
    return [float(trainer.step()) for _ in range(steps)], trainer.weights()


@pytest.mark.parametrize("tile_steps", [1, 4, 11], ids="tiles of {}".format)
@pytest.mark.parametrize("setting", SMALL.values(), ids=SMALL)
def test_the_step_by_hand_equals_graphads(setting: Setting, tile_steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand_recurrent, "_TILE_BYTES", 1)
    monkeypatch.setattr(by_hand_recurrent, "_TILE_STEPS", tile_steps)
    start = first_weights(setting)
    losses, weights = trained(by_hand.build(setting), 3)
    our_losses, our_weights = trained(graphad_numpy.build(setting), 3)
    np.testing.assert_allclose(losses, our_losses, rtol=1e-5)
    assert losses[0] > losses[1] > losses[2]
    assert weights.keys() == our_weights.keys() == start.keys()
    for name, value in weights.items():
        np.testing.assert_allclose(value, our_weights[name], rtol=1e-4, atol=1e-7)
        assert not np.array_equal(value, start[name])


def test_the_first_step_descends_by_the_learning_rate_times_the_gradient() -> None:
    setting = replace(TINY, hidden=3)
    start, (loss, after) = first_weights(setting), trained(by_hand.build(setting), 1)
    x, y = first_batch(setting)

    def loss_at(weights: dict[str, Any]) -> float:
        h = np.zeros((setting.batch, setting.hidden))
        for t in range(setting.steps):
            h = np.tanh(x[:, t] @ weights["U1"] + h @ weights["W1"] + weights["b1"])
        logits = h @ weights["V"] + weights["c"]
        return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(y)), y]))

    double = {name: value.astype("float64") for name, value in start.items()}
    assert loss[0] == pytest.approx(loss_at(double), rel=1e-6)
    for name, value in double.items():
        bumped = {**double, name: value + 1e-6 * np.eye(*np.atleast_2d(value).shape).reshape(value.shape)}
        lowered = {**double, name: 2 * value - bumped[name]}
        slope = (loss_at(bumped) - loss_at(lowered)) / 2e-6
        moved = np.sum((after[name] - start[name]) * (bumped[name] - value)) / 1e-6
        assert moved == pytest.approx(-LEARNING_RATE * slope, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_weights_and_batches_have_the_settings_shapes_and_are_the_same_each_time(setting: Setting) -> None:
    weights, (x, y) = first_weights(setting), first_batch(setting)
    assert {name: value.shape for name, value in weights.items()} == weight_shapes(setting)
    steps = (setting.steps,) if setting.is_recurrent else ()
    assert x.shape == (setting.batch, *steps, setting.inputs)
    assert y.shape == (setting.batch, *(steps if setting.every_step else ()))
    assert y.max() < setting.classes
    assert {x.dtype.name, *(value.dtype.name for value in weights.values())} == {"float32"}
    assert all(np.array_equal(value, weights[name]) for name, value in first_weights(setting).items())


def test_the_biases_of_a_gru_are_joined_and_taken_apart_again() -> None:
    weights = first_weights(SMALL["gru-1-11-6"])
    joined = biases_joined(weights)
    assert joined["b1"].shape == (2, 21)
    assert "d1" not in joined
    apart = biases_apart(joined)
    assert all(np.array_equal(apart[name], value) for name, value in weights.items())


START = {"W": np.ones((2, 3), "float32")}


def moved(by: float) -> dict[str, Any]:
    return {"W": START["W"] - np.float32(by) * np.arange(6, dtype="float32").reshape(2, 3)}


def test_equal_updates_agree_and_rounding_is_forgiven() -> None:
    assert compare(START, moved(0.01), moved(0.01), 1.5, 1.5).worst == 0
    close = compare(START, moved(0.01), moved(0.010005), 1.5, 1.50001)
    assert not close.complaint
    assert 0 < close.worst < 1e-3


@pytest.mark.parametrize(
    ("theirs", "loss", "words"),
    [
        (moved(0.0102), 1.5, r"update of W differs by 2\.0%"),
        (moved(0), 1.5, "update of W differs by 100"),
        (moved(math.nan), 1.5, "update of W differs by nan"),
        (moved(0.01), 1.6, r"loss is 1\.6, ours 1\.5"),
        ({"W": np.ones(6, "float32")}, 1.5, "update of W differs by inf"),
        ({"U": START["W"]}, 1.5, "its weights are"),
    ],
)
def test_another_update_or_loss_is_a_complaint(theirs: dict[str, Any], loss: float, words: str) -> None:
    complaint = compare(START, moved(0.01), theirs, 1.5, loss).complaint
    assert complaint.startswith("disagrees: ")
    assert re.search(words, complaint)


def timed(peer: str, setting: str, median: float, best: float) -> Measurement:
    rounds = [
        {"steps": 3, "median_ns": 1e6 * m, "best_ns": 1e6 * best, "cores": 1.0} for m in (9 * median, median, best)
    ]
    return Measurement(peer, setting, first_seconds=0.25, disagreement=1e-6, memory=3_000_000, rounds=rounds)


FIRST, SECOND = HEADLINE[:2]
MADE_UP = [
    timed("graphad", FIRST, 2.0, 1.5),
    timed("by-hand", FIRST, 1.0, 1.0),
    timed("jax-scan", FIRST, 4.0, 3.0),
    timed("keras", FIRST, 10.0, 6.0),
    timed("graphad", SECOND, 8.0, 8.0),
    timed("by-hand", SECOND, 4.0, 2.0),
    Measurement("jax-scan", SECOND, "disagrees: its loss is 3, ours 2"),
    timed("keras", SECOND, 4.0, 4.0),
    timed("graphad", "mlp", 3.0, 3.0),
    timed("keras", "mlp", 3.0, 3.0),
]


def run_of(measurements: list[Measurement]) -> Run:
    peers, settings = ["graphad", "by-hand", "jax-scan", "keras"], [FIRST, SECOND, "mlp"]
    return Run("a machine", {"python": "3"}, "blas 1", {"OMP_X": "7"}, True, 3.0, peers, settings, measurements)


def test_a_measurements_times_are_the_median_of_medians_and_the_best_of_bests() -> None:
    assert (MADE_UP[0].median_ms, MADE_UP[0].best_ms) == (2.0, 1.5)
    assert math.isnan(Measurement("keras", FIRST, "failed").median_ms)


def test_ratios_are_our_time_by_theirs_and_by_hand_is_no_library() -> None:
    figures = Figures(MADE_UP, "median_ms")
    assert [figures.fastest(setting) for setting in (FIRST, SECOND, "mlp", "char-lstm")] == [
        "jax-scan",
        "keras",
        "keras",
        None,
    ]
    assert figures.ratios(FASTEST) == {FIRST: 0.5, SECOND: 2.0, "mlp": 1.0}
    assert figures.ratios("by-hand") == {FIRST: 2.0, SECOND: 2.0}
    assert figures.ratios("jax-scan") == {FIRST: 0.5}


def test_means_are_geometric_and_count_the_settings_that_were_measured() -> None:
    found = {mean.other: mean for mean in means(MADE_UP, HEADLINE)}
    assert found[FASTEST].median == pytest.approx(1.0)
    assert found[FASTEST].best == pytest.approx(1.0)  # 1.5 / 3 and 8 / 4
    assert found["numpy by hand"].best == pytest.approx(math.sqrt(1.5 * 4))
    assert found["JAX jit, scan"].count == 1
    assert found["JAX jit, scan"].median == pytest.approx(0.5)
    assert found["Keras on TensorFlow"].median == pytest.approx(math.sqrt(0.2 * 2))
    assert "torch.nn" not in found


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_report_shows_times_ratios_means_and_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peer, "missing", ())
    text = markdown(run_of(MADE_UP))
    assert row(text, "graphad ") == ["2.00 (1.50)", "8.00 (8.00)"]
    assert row(text, "JAX jit, scan") == ["4.00 (3.00)", "failed"]
    assert row(text, "graphad / fastest library") == ["0.500 (0.500)", "2.00 (2.00)"]
    assert row(text, "graphad / numpy by hand") == ["2.00 (1.50)", "2.00 (4.00)"]
    means_of = text[text.index("geometric means") :]
    assert row(means_of, "fastest library") == ["1.00 (1.00)", "1.00 (1.00)"]
    assert row(means_of, "JAX jit, scan") == ["0.500 (0.500) of 1", "0.500 (0.500) of 1"]
    assert f"JAX jit, scan, {SECOND}: disagrees: its loss is 3, ours 2" in text
    assert "OMP_X=7" in text


def test_a_peer_that_is_not_installed_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peer, "missing", property(lambda peer: peer.needs))
    run = run_of([Measurement("keras", FIRST, "not installed: pip install 'graphad[bench]'")])
    assert not run.failures
    assert row(markdown(run), "Keras on TensorFlow")[0] == "not installed"
    assert "Keras on TensorFlow: not installed (keras, tensorflow): pip install 'graphad[bench]'" in markdown(run)


def test_more_than_one_thread_is_told_where_one_was_asked_for() -> None:
    busy = timed("graphad", FIRST, 2.0, 2.0)
    for each in busy.rounds:
        each["cores"] = 1.75
    assert f"graphad, {FIRST}: used 1.75 cores" in markdown(run_of([busy]))
    assert "cores" not in markdown(replace(run_of([busy]), one_thread=False)).partition("## Remarks")[2]


def test_the_json_holds_the_figures_and_no_nan() -> None:
    facts = json.loads(json.dumps(as_json(run_of(MADE_UP)), allow_nan=False))
    assert facts["measurements"][0]["median_ms"] == 2.0
    assert facts["measurements"][6]["median_ms"] is None
    assert facts["ratios"]["2 tanh RNNs"][0] == {"other": FASTEST, "median": 1.0, "best": 1.0, "count": 2}


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib, which draws the picture, is not installed")
def test_the_picture_names_settings_and_peers_and_is_the_same_each_time() -> None:
    plot = import_module("tools.benchmark.plot")
    picture = plot.svg(run_of(MADE_UP))
    assert picture == plot.svg(run_of(MADE_UP))
    assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314 (written here)
    assert all(
        f"<!-- {name} -->" in picture.decode() for name in (FIRST, "mlp", "Keras on TensorFlow", "numpy by hand")
    )


def test_columns_of_a_table_are_aligned() -> None:
    assert table(["", "b"], [["a", "10"]]) == "|   |  b |\n|---|---:|\n| a | 10 |\n"


def test_peers_train_in_turns_after_they_have_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.001)
    heard: list[Measurement] = []
    plan = Plan(seconds=0.003, one_thread=True, patience=60)
    found = measure(TINY, [OURS, BY_HAND], plan, tmp_path, heard.append)
    assert [each.peer for each in found] == ["graphad", "by-hand"] == [each.peer for each in heard]
    for each in found:
        assert not each.problem
        assert len(each.rounds) == plan.rounds == 3
        assert 0 < each.best_ms <= each.median_ms
        assert each.disagreement < 1e-3
        assert each.memory > 0


def test_who_disagrees_is_shown_and_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "compare", lambda *_: Agreement(0.5, "disagrees: much"))
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.001)
    ours, theirs = measure(TINY, [OURS, BY_HAND], Plan(0.001, True, 60), tmp_path, lambda _: None)
    assert (ours.problem, len(ours.rounds)) == ("", 1)
    assert (theirs.problem, theirs.rounds) == ("disagrees: much", [])


def test_a_peer_that_is_missing_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.001)
    absent = replace(PEERS["jax-scan"], needs=("no_such_library",))
    found = measure(TINY, [OURS, absent], Plan(0.001, True, 60), tmp_path, lambda _: None)
    assert [each.problem for each in found] == ["", "not installed: pip install 'graphad[bench]'"]


def test_a_peers_error_is_told(tmp_path: Path) -> None:
    with PeerProcess("by-hand", True, tmp_path / "worker", patience=60) as worker:
        assert worker.hear()["memory"] > 0
        with pytest.raises(PeerError, match="RuntimeError: 'first' comes before 'run'"):
            worker.ask("run", seconds=0.01)
        with pytest.raises(PeerError, match=r"ended with status 1: RuntimeError"):
            worker.hear()


def test_a_peer_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    hasty = PeerProcess("by-hand", True, tmp_path / "worker", patience=0.01)
    with hasty as worker, pytest.raises(PeerError, match=r"no answer within 0\.01 s"):
        worker.hear()


def test_workers_get_threads_as_asked_for_and_nothing_else_that_steers_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OTHER", "kept")
    one, default = environment(True, tmp_path), environment(False, tmp_path)
    assert (one["OMP_NUM_THREADS"], one["NPROC"]) == ("1", "1")
    assert default.keys().isdisjoint({"OMP_NUM_THREADS", "OPENBLAS_CORETYPE"})
    assert "OPENBLAS_CORETYPE" not in one
    assert one["OTHER"] == default["OTHER"] == "kept"
    assert dropped_variables()["OPENBLAS_CORETYPE"] == "Prescott"


def test_every_peer_names_a_module_that_is_there() -> None:
    folder = Path(by_hand.__file__).parent
    for peer in PEERS.values():
        assert f"def {peer.build}(setting: Setting)" in (folder / f"{peer.module}.py").read_text()


def test_the_command_reports_writes_and_prints_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, FIRST, replace(TINY, name=FIRST))
    options = ["--settings", FIRST, "--peers", "by-*", "--seconds", "0.001", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*options, "--json"])
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["event"] for each in events][:2] == ["started", "started"]
    assert events[-1]["event"] == "result"
    assert {each["peer"] for each in events[-1]["measurements"]} == {"graphad", "by-hand"}
    assert row((tmp_path / "bench.md").read_text(), "numpy by hand")
    assert json.loads((tmp_path / "bench.json").read_text())["settings"] == [FIRST]


@pytest.mark.parametrize("option", ["--settings", "--peers"])
def test_a_pattern_that_matches_nothing_is_misuse(option: str) -> None:
    result = CliRunner().invoke(main, [option, "rnm-*"])
    assert result.exit_code == 2
    assert "'rnm-*' matches none of" in result.stderr
