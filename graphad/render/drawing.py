"""What users hold: a picture of a graph that a notebook shows and `save` writes.

A drawing is laid out when it is looked at, not when it is made; its text and its DOT need no layout program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from graphad.autodiff.reverse import grad
from graphad.compiler.function import Function
from graphad.errors import ArgumentError, FileSuffixError, RenderError
from graphad.files import write_whole
from graphad.ir import nest
from graphad.ir.graph import Graph, graph_text
from graphad.ir.node import Node
from graphad.render.dot import dot_text
from graphad.render.layout import laid_out
from graphad.render.picture import picture_of
from graphad.render.repeats import with_repeats
from graphad.render.steps import LONGEST, Fold


class Drawing:
    """A picture of a graph: shown by notebooks, written by `save`; its `str` is the graph's text."""

    def __init__(self, graph: Graph, fold: Fold = "auto") -> None:
        self.graph = graph
        self.picture = with_repeats(picture_of(graph, fold))

    @cached_property
    def dot(self) -> str:
        """The picture in DOT, Graphviz's language; equal for equal programs."""
        return dot_text(self.picture)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG with a transparent background; a RenderError where no layout program is found."""
        return laid_out(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing as its suffix says, .svg, .png, .pdf, .dot or .txt, and return the path.

        Errors: FileSuffixError for other suffixes, RenderError where the layout program is missing (.dot and .txt need
        none; .pdf needs Graphviz's own), OutputFileError where the file cannot be written.
        """
        target = Path(path)
        write = _FORMATS.get(target.suffix.lower())
        if write is None:
            known = ", ".join(_FORMATS)
            given = target.suffix or "a name without suffix"
            raise FileSuffixError(f"{target}: drawings are saved as {known}, not as {given}")
        write_whole(target, write(self))
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except RenderError as error:
            return {"text/plain": f"{error}\n{self}"}

    def __str__(self) -> str:
        return graph_text(self.graph)

    def __repr__(self) -> str:
        boxes, nodes = len(self.picture.boxes), len(self.graph.nodes)
        return f"<Drawing of {nodes} nodes in {boxes} boxes: .save it as .svg, .png, .pdf, .dot or .txt>"


_FORMATS: Mapping[str, Callable[[Drawing], bytes]] = {
    ".svg": lambda drawing: drawing.svg.encode(),
    ".png": lambda drawing: laid_out(drawing.dot, "png"),
    ".pdf": lambda drawing: laid_out(drawing.dot, "pdf"),
    ".dot": lambda drawing: drawing.dot.encode(),
    ".txt": lambda drawing: f"{drawing}\n".encode(errors="backslashreplace"),
}


def draw(outputs: Any, fold: Fold = "auto") -> Drawing:
    """Draw what some nodes depend on: operations as boxes, types on the arrows, and a frame around each time step.

    ``outputs`` is a node, tuples, lists or dicts of nodes, a `Graph`, or a compiled function. ``fold`` says how much of
    a long repetition is drawn: "auto", of more than six steps the first two, the last, and one box for the others;
    "always", the same of more than three; "never", all of them, which takes seconds from some thirty steps on. A user's
    names are large; on hovering, the SVG tells which line of the user's code a box comes from. Errors: ArgumentError.

    >>> import graphad as ga
    >>> x, y = ga.input("x", shape=(3,)), ga.input("y", shape=(3,))
    >>> drawing = draw(ga.tanh(x * y))
    >>> drawing
    <Drawing of 4 nodes in 4 boxes: .save it as .svg, .png, .pdf, .dot or .txt>
    >>> print(drawing)
    x = input() : float32[3]
    y = input() : float32[3]
    %2 = multiply(x, y) : float32[3]
    %3 = tanh(%2) : float32[3]
    return %3
    """
    if fold not in LONGEST:
        raise ArgumentError(f"fold is one of {', '.join(map(repr, LONGEST))}; got {fold!r}")
    return Drawing(_graph_of(outputs), fold)


def draw_gradient(loss: Node, wrt: Any, fold: Fold = "auto") -> Drawing:
    """Draw a scalar and its gradient in one picture: the backward pass climbs beside the forward pass.

    Each cotangent stands on a level with its primal. ``wrt`` is a node, or tuples, lists or dicts of nodes, as for
    `grad`, whose errors this raises; ``fold`` is that of `draw`.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=(3,))
    >>> draw_gradient(ga.sum(ga.tanh(x)), x)
    <Drawing of 11 nodes in 9 boxes: .save it as .svg, .png, .pdf, .dot or .txt>
    """
    return draw((loss, *nest.leaves(grad(loss, wrt))), fold)


def _graph_of(outputs: Any) -> Graph:
    if isinstance(outputs, Function):
        return outputs.graph
    if isinstance(outputs, Graph):
        return outputs
    nodes = nest.leaves(outputs)
    if not nodes:
        raise ArgumentError("there is nothing to draw: give a node, or a structure that holds one")
    for node in nodes:
        if not isinstance(node, Node):
            raise ArgumentError(f"{node!r} cannot be drawn: give nodes, structures of nodes, a Graph or a Function")
    return Graph((), tuple(nodes))
