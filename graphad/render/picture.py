"""From a graph to a picture: which boxes there are, which arrows join them, and which time step frames them.

A picture is smaller than its graph, so that it says more. A broadcast or a transpose is told by the arrow it lies on; a
number stands beside each box that reads it; time steps that are left out share one box. And a cotangent stands in the
frame of its primal, wherever the last term of the sum that it is was made.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.render import labels, style
from graphad.render.roles import cotangents, depth_of, is_bookkeeping, is_number, is_transpose, style_of
from graphad.render.steps import Fold, Frame, Moment, framed
from graphad.render.style import ArrowStyle, BoxStyle


@dataclass(frozen=True, slots=True)
class Box:
    """One thing that is drawn; ``depth`` is 0 forward and 1 backward; ``named``: the title is a user's name."""

    style: BoxStyle
    title: str
    caption: str = ""
    tooltip: str = ""
    frame: Frame | None = None
    depth: int = 0
    named: bool = False
    small: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the box at index ``tail`` to the one at index ``head``."""

    tail: int
    head: int
    style: ArrowStyle
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and arrows, in the order of the graph; ``pairs``: a primal's box and its cotangent's."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    pairs: tuple[tuple[int, int], ...]


def picture_of(graph: Graph, fold: Fold) -> Picture:
    """The picture of what the graph's outputs depend on."""
    painter = _Painter(graph, fold)
    for node in graph.nodes:
        painter.paint(node)
    return Picture(tuple(painter.boxes), tuple(painter.arrows()), tuple(painter.pairs()))


class _Painter:
    """What has been drawn so far of a graph that is walked once, operands first."""

    def __init__(self, graph: Graph, fold: Fold) -> None:
        self.outputs = frozenset(graph.outputs)
        self.cotangents = cotangents(graph.nodes)
        self.primals = {cotangent: primal for primal, cotangent in self.cotangents.items()}
        moments = map(self._moment, graph.nodes)
        self.frames = framed((moment for moment in moments if moment is not None), fold)
        self.boxes: list[Box] = []
        self.places: dict[Node, int] = {}
        self.shared: dict[tuple[Frame, int], int] = {}
        self.lines: dict[tuple[int, int, int], str] = {}

    def paint(self, node: Node) -> None:
        """Draw the node, and an arrow from each of its operands."""
        if self._is_told_by_arrows(node):
            return
        place = self.places[node] = self._place(node)
        for position, operand in enumerate(node.operands):
            self._draw_arrow(operand, place, position)

    def arrows(self) -> list[Arrow]:
        """The arrows drawn, in order."""
        return [Arrow(tail, head, self._arrow_style(tail, head), text) for (tail, head, _), text in self.lines.items()]

    def pairs(self) -> list[tuple[int, int]]:
        """Primals and cotangents that have a box each."""
        found = ((self.places.get(primal), self.places.get(twin)) for primal, twin in self.cotangents.items())
        whole = ((a, b) for a, b in found if a is not None and b is not None)
        return [(a, b) for a, b in whole if style.STEPS not in (self.boxes[a].style, self.boxes[b].style)]

    def _moment(self, node: Node) -> Moment | None:
        """When the node is drawn: a cotangent with its primal; a term of one where it was made, if that is a step."""
        origin = self.primals.get(node, node).origin
        if origin.scope is None and origin.twin is not None:
            origin = origin.twin.origin
        return None if origin.scope is None or origin.step is None else (origin.scope, origin.step)

    def _is_told_by_arrows(self, node: Node) -> bool:
        if node in self.outputs or node.name is not None:
            return False
        return node.op.traits.broadcast or is_transpose(node) or is_number(node)

    def _place(self, node: Node) -> int:
        moment, depth = self._moment(node), depth_of(node)
        frame = None if moment is None else self.frames[moment]
        if frame is None or not frame.hidden:
            return self._add(_box(node, style_of(node, self.outputs), frame, depth))
        if (frame, depth) not in self.shared:
            self.shared[frame, depth] = self._add(Box(style.STEPS, frame.title, frame=frame, depth=depth))
        return self.shared[frame, depth]

    def _add(self, box: Box) -> int:
        self.boxes.append(box)
        return len(self.boxes) - 1

    def _draw_arrow(self, operand: Node, head: int, position: int) -> None:
        source = operand
        while self._is_told_by_arrows(source) and source.operands:
            (source,) = source.operands
        reader = self.boxes[head]
        if source in self.places:
            tail = self.places[source]
        elif reader.style is style.STEPS:
            return
        else:
            tail = self._add(_box(source, style.CONSTANT, reader.frame, reader.depth))
        if tail != head:
            self._draw_line(tail, head, position, labels.arrow_text(source, operand))

    def _draw_line(self, tail: int, head: int, position: int, text: str) -> None:
        """A line for each operand; but one for all, from and to a box for many steps."""
        together = style.STEPS in (self.boxes[tail].style, self.boxes[head].style)
        key = (tail, head, 0 if together else position)
        self.lines[key] = text if self.lines.get(key, text) == text else "…"

    def _arrow_style(self, tail: int, head: int) -> ArrowStyle:
        source, reader = self.boxes[tail], self.boxes[head]
        if source.depth < reader.depth:
            return style.KEPT
        across = follows(source, reader)
        if reader.depth:
            return style.PULLED_ACROSS if across else style.PULLED
        return style.CARRIED if across else style.VALUE


def follows(source: Box, reader: Box) -> bool:
    """Whether the boxes stand at different steps of one repetition."""
    before, after = source.frame, reader.frame
    return before is not after and before is not None and after is not None and before.series is after.series


def _box(node: Node, kind: BoxStyle, frame: Frame | None, depth: int) -> Box:
    named = labels.has_users_name(node)
    small = not named and (kind is style.CONSTANT or is_bookkeeping(node))
    return Box(kind, labels.title(node), labels.caption(node), labels.tooltip(node), frame, depth, named, small)
