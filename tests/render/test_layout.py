"""Which program does the layout, and what is said when it cannot."""

import sys
import sysconfig
from pathlib import Path

import pytest

from graphad.errors import RenderError
from graphad.render import layout
from graphad.render.layout import laid_out

posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
DOT = "digraph { a }"


def program(folder: Path, name: str, says: str = "", *, fails: bool = False) -> Path:
    """A stand-in for a layout program that prints its own name, the format and its options, or fails."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    action = f"echo '{says}' >&2; exit 1" if fails else f'cat > /dev/null; echo "{says or name} $*"'
    path.write_text(f"#!/bin/sh\n{action}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python environment without any layout program, and none on the path but the shell's own."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    monkeypatch.delenv(layout.PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(scripts))
    return tmp_path


@pytest.fixture
def shell(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with the tools that the stand-ins use behind everything else."""
    monkeypatch.setenv("PATH", f"{environment / 'path'}:/usr/bin:/bin")
    for name in (layout._DOT, layout._PURE):
        if any((folder / name).exists() for folder in (Path("/usr/bin"), Path("/bin"))):
            pytest.skip(f"{name} is installed for the whole system")
    return environment


def used(format: str = "svg") -> str:
    return laid_out(DOT, format).decode().split()[0]


@posix
def test_the_environment_variable_comes_first(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(shell / "scripts", "graphviz-pure")
    monkeypatch.setenv(layout.PROGRAM_VARIABLE, str(program(shell / "mine", "my-dot")))
    assert used() == used("pdf") == "my-dot"


@posix
def test_the_program_that_pip_installs_comes_before_dot(shell: Path) -> None:
    program(shell / "scripts", "graphviz-pure", "pip's")
    program(shell / "path", "dot")
    assert used() == "pip's"


@posix
def test_dot_comes_before_a_graphviz_pure_from_elsewhere(shell: Path) -> None:
    program(shell / "path", "graphviz-pure")
    assert used() == "graphviz-pure"
    program(shell / "path", "dot")
    assert used() == "dot"


@posix
def test_pdf_is_made_by_dot_alone(shell: Path) -> None:
    program(shell / "scripts", "graphviz-pure")
    with pytest.raises(RenderError, match=r"pdf needs Graphviz's own dot.*graphviz\.org.*\.svg"):
        laid_out(DOT, "pdf")
    program(shell / "path", "dot")
    assert laid_out(DOT, "pdf") == b"dot -Kdot -Tpdf\n"


def test_without_a_program_one_line_says_what_to_install_and_what_works(environment: Path) -> None:
    with pytest.raises(RenderError) as caught:
        laid_out(DOT, "svg")
    message = str(caught.value)
    assert "pip install graphviz-pure" in message
    assert ".dot" in message
    assert "\n" not in message


def test_a_variable_that_names_no_program_is_an_error(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(layout.PROGRAM_VARIABLE, "/nowhere/dot")
    with pytest.raises(RenderError, match=r"GRAPHAD_DOT is '/nowhere/dot', which is no program"):
        laid_out(DOT, "svg")


@posix
def test_a_program_that_cannot_be_started_is_an_error(shell: Path) -> None:
    program(shell / "scripts", "graphviz-pure").write_text("#!/nowhere/sh\n")
    with pytest.raises(RenderError, match=r"cannot be started .*pip install"):
        laid_out(DOT, "svg")


@posix
def test_what_a_failing_program_says_is_passed_on(shell: Path) -> None:
    program(shell / "scripts", "graphviz-pure", "Error: lost an edge", fails=True)
    with pytest.raises(RenderError, match=r"as svg \(Error: lost an edge\): save it as \.dot"):
        laid_out(DOT, "svg")


@posix
def test_a_layout_that_fails_is_tried_again_in_another_way(shell: Path) -> None:
    stubborn = program(shell / "scripts", "graphviz-pure")
    stubborn.write_text('#!/bin/sh\ncase "$*" in *splines=line*) echo straight;; *) exit 1;; esac\n')
    assert used() == "straight"


def test_a_literal_is_quoted_once_and_a_tooltip_so_that_reading_twice_does_no_harm() -> None:
    sheet = layout.digraph("test", {}, {}, {})
    sheet.node("n", layout.literal('<a> &lt; \\N "'), tooltip=layout.tooltip("\\N"))
    assert sheet.source == 'digraph test {\n\tn [label="<a> &amp;lt; \\\\N \\"" tooltip="\\\\\u200bN"]\n}\n'
