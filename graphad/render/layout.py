"""From DOT to SVG, PNG and PDF: the one module that knows Graphviz and starts its program.

DOT is written by the `graphviz` package, which quotes what needs quoting. The package can only start a program called
`dot`, so the program that does the layout is looked for and started here: usually `graphviz-pure`, which pip installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import graphviz

from graphad.errors import RenderError

PROGRAM_VARIABLE = "GRAPHAD_DOT"
"""The environment variable that names the layout program, as a path or as a command."""
_ATTEMPTS = ((), ("-Gsearchsize=60",), ("-Gsplines=line",))
"""Of a thousand pictures one or two make the routing of curved arrows fail: search again, else draw them straight."""
_PURE, _DOT = "graphviz-pure", "dot"
_OTHERS = ".svg, .png, .dot or .txt"
_REMEDY = (
    "pip install graphviz-pure, or install Graphviz from graphviz.org, or save as .dot or .txt, which need neither"
)


def digraph(name: str, graph: Mapping[str, str], node: Mapping[str, str], edge: Mapping[str, str]) -> Any:
    """An empty `graphviz.Digraph` with attributes for itself, its nodes and its edges; its ``source`` is DOT."""
    return graphviz.Digraph(name, graph_attr=dict(graph), node_attr=dict(node), edge_attr=dict(edge))


def literal(text: str) -> str:
    """The text as a DOT string that shows each of its characters: none begins an entity, an escape or markup."""
    quoted: str = graphviz.escape(text.replace("&", "&amp;"))
    return quoted


def tooltip(text: str) -> str:
    """The text as a DOT string for a tooltip, where Graphviz reads escapes twice: a zero-width space ends each."""
    return literal(text.replace("\\", "\\\u200b"))


def laid_out(dot: str, format: str) -> bytes:
    """The picture that ``dot`` describes, as "svg", "png" or "pdf"; a RenderError if that cannot be had here."""
    program, reason = _program(format), ""
    for options in _ATTEMPTS:
        done = _run([program, "-Kdot", f"-T{format}", *options], dot)
        if done.returncode == 0 and done.stdout:
            return done.stdout
        reason = reason or _reason(done)
    raise RenderError(f"{program} could not lay out the picture as {format} ({reason}): save it as .dot or .txt")


def _run(command: list[str], dot: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, input=dot.encode(), capture_output=True, check=False)  # noqa: S603 (no shell)
    except OSError as error:
        raise RenderError(f"{command[0]} cannot be started ({error.strerror}): {_REMEDY}") from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])


def _program(format: str) -> str:
    """The program named by the environment, graphviz-pure as pip installs it, dot, or graphviz-pure from elsewhere."""
    named = os.environ.get(PROGRAM_VARIABLE)
    if named:
        return _found(
            shutil.which(named), f"{PROGRAM_VARIABLE} is {named!r}, which is no program: name one, or unset it"
        )
    dot = shutil.which(_DOT)
    if format == "pdf":
        return _found(dot, f"pdf needs Graphviz's own dot: install it from graphviz.org, or save as {_OTHERS}")
    folders = os.pathsep.join((str(Path(sys.executable).parent), sysconfig.get_path("scripts")))
    pure = shutil.which(_PURE, path=folders)
    return _found(pure or dot or shutil.which(_PURE), f"no layout program was found: {_REMEDY}")


def _found(program: str | None, otherwise: str) -> str:
    if program is None:
        raise RenderError(otherwise)
    return program
