"""What users hold: it draws what it is given, and writes it as its suffix says."""

import sys
from pathlib import Path

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, FileSuffixError, GradientError, OutputFileError, RenderError, UnreachedError
from graphad.ir.graph import Graph
from graphad.render.drawing import Drawing, draw, draw_gradient
from graphad.render.layout import PROGRAM_VARIABLE
from graphad.render.steps import Fold
from tests.render.nets import dense, rnn

FOLDS: tuple[Fold, ...] = ("auto", "always", "never")
STARTS = {
    ".svg": b"<?xml",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".dot": b"digraph graphad {",
    ".txt": b"x = input() : float32[3]\n",
}


@pytest.fixture
def drawing() -> Drawing:
    return draw(ga.exp(ga.input("x", shape=(3,))))


@pytest.mark.parametrize("suffix", STARTS)
def test_a_file_holds_what_its_suffix_says(suffix: str, drawing: Drawing, tmp_path: Path) -> None:
    path = tmp_path / f"g{suffix}"
    assert drawing.save(path) == path
    assert path.read_bytes().startswith(STARTS[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_may_be_text_and_its_suffix_in_capitals(drawing: Drawing, tmp_path: Path) -> None:
    assert drawing.save(str(tmp_path / "G.DOT")).read_text().startswith("digraph")


@pytest.mark.parametrize("name", ["g.gif", "g", "svg"])
def test_another_suffix_is_an_error_that_names_those_there_are(name: str, drawing: Drawing, tmp_path: Path) -> None:
    with pytest.raises(FileSuffixError, match=r"\.svg, \.png, \.pdf, \.dot, \.txt"):
        drawing.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(drawing: Drawing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFileError, match="file"):
        drawing.save(tmp_path / "file" / "g.dot")


def test_a_failed_layout_leaves_the_old_file(drawing: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g.svg").write_text("old")
    monkeypatch.setenv(PROGRAM_VARIABLE, "/nowhere/dot")
    with pytest.raises(RenderError):
        drawing.save(tmp_path / "g.svg")
    assert (tmp_path / "g.svg").read_text() == "old"


def test_dot_and_text_need_no_program(drawing: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRAM_VARIABLE, "/nowhere/dot")
    drawing.save(tmp_path / "g.dot")
    drawing.save(tmp_path / "g.txt")
    assert str(drawing) == "x = input() : float32[3]\n%1 = exp(x) : float32[3]\nreturn %1"


def test_a_notebook_shows_the_svg(drawing: Drawing) -> None:
    shown = drawing._repr_mimebundle_()
    assert shown["image/svg+xml"] == drawing.svg
    assert shown["text/plain"] == repr(drawing)


def test_a_notebook_without_a_program_shows_the_text_and_what_to_install(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROGRAM_VARIABLE, "/nowhere/dot")
    shown = drawing._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "/nowhere/dot" in shown["text/plain"]
    assert str(drawing) in shown["text/plain"]


def test_nodes_structures_graphs_and_functions_are_drawn() -> None:
    x = ga.input("x", shape=(3,))
    y, z = ga.exp(x), ga.tanh(x)
    both = draw({"y": y, "more": [z]}).dot
    assert draw((y, z)).dot == both
    assert draw(Graph((x,), (y, z))).dot == both
    assert draw(ga.compile([x], [y, z])).dot == both
    assert draw(y).dot != both


def test_what_is_no_node_is_not_drawn() -> None:
    with pytest.raises(ArgumentError, match=r"3\.0 cannot be drawn"):
        draw([ga.input("x"), 3.0])
    with pytest.raises(ArgumentError, match="nothing to draw"):
        draw([])
    with pytest.raises(ArgumentError, match="'auto', 'always', 'never'; got 'sometimes'"):
        draw(ga.input("x"), fold="sometimes")  # type: ignore[arg-type]


def test_fold_reaches_the_picture() -> None:
    loss, _ = rnn(9)
    boxes = {fold: len(draw(loss, fold=fold).picture.boxes) for fold in FOLDS}
    assert boxes["auto"] == boxes["always"] < boxes["never"]
    four, _ = rnn(4)
    assert len(draw(four, fold="always").picture.boxes) < len(draw(four).picture.boxes)


def test_a_gradient_is_drawn_with_its_loss() -> None:
    loss, parameters = dense()
    titles = [box.title for box in draw_gradient(loss, parameters).picture.boxes]
    assert {"loss", "h", "W", "d_W", "b", "d_b"} <= set(titles)
    assert draw_gradient(loss, {"W": parameters[0]}).graph.outputs[0] is loss


def test_a_gradient_that_cannot_be_taken_is_not_drawn() -> None:
    x = ga.input("x", shape=(3,))
    with pytest.raises(GradientError):
        draw_gradient(ga.exp(x), x)
    with pytest.raises(UnreachedError):
        draw_gradient(ga.sum(x), ga.parameter(np.ones(2), "unused"))


def test_drawing_changes_no_graph_and_needs_no_deep_stack() -> None:
    loss, parameters = rnn(2000)
    before = sys.getrecursionlimit()
    drawing = draw_gradient(loss, parameters)
    assert len(drawing.dot) < 200_000
    assert len(str(drawing).splitlines()) == len(drawing.graph.nodes) + 1
    assert sys.getrecursionlimit() == before
