"""From a picture to DOT: frames and pairs become clusters, kinds become attributes, and every text is escaped.

The backward pass is laid out as the mirror of the forward pass: its arrows are given to the layout turned round, so
that a cotangent comes to lie level with its primal, and the pass climbs up again beside the way that values came down.
What must be level is said by ``rank=same`` alone: an arrow between boxes of one level is what layout programs fail on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape as escape_html
from itertools import pairwise
from typing import Any

from graphad.render import style
from graphad.render.layout import digraph, literal, tooltip
from graphad.render.legend import legend_of
from graphad.render.picture import Arrow, Box, Picture, follows
from graphad.render.steps import Frame
from graphad.render.style import ArrowStyle

_SHEET = {"newrank": "true", "bgcolor": "transparent", "fontname": style.FONT, "nodesep": "0.2", "ranksep": "0.3"}
_BOX = {"fontname": style.FONT, "fontcolor": style.INK, "margin": "0.08,0.04", "width": "0.3", "height": "0.3"}
_SMALL_BOX = {"margin": "0.05,0.02", "width": "0.2", "height": "0.2"}
_ARROW = {"fontname": style.FONT, "fontcolor": style.FAINT, "fontsize": "8", "arrowsize": "0.6"}
_CLUSTER = {"style": "rounded", "color": style.FRAME_LINE, "fontcolor": style.FAINT, "fontsize": "11", "labeljust": "l"}
_BACK_CLUSTER = {**_CLUSTER, "style": "rounded,dashed", "color": style.BACK_LINE, "fontcolor": style.BACK_LINE}
_PAIR_CLUSTER = {"style": "rounded,dotted", "color": style.BACK_LINE, "margin": "5"}
_LARGE, _MIDDLE, _SMALL, _TINY = 15, 11, 9, 8
_LEGEND_WIDTH = 4
_INSIDE, _ACROSS, _BETWEEN, _LOOSE = "20", "6", "1", "0"
"""How hard the layout tries to keep an arrow short: within a step, from step to step, elsewhere, between the passes."""


def dot_text(picture: Picture) -> str:
    """The picture with its legend, in DOT. Equal pictures give equal text."""
    return _Writer(picture).text()


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self.picture, self.figure = picture, _figure(picture)
        self.sheet = digraph("graphad", graph={**_SHEET, "id": self.figure}, node=_BOX, edge=_ARROW)

    def text(self) -> str:
        self._write_legend()
        steps: dict[Frame, list[int]] = {}
        outside: list[int] = []
        for index, box in enumerate(self.picture.boxes):
            members = outside if box.frame is None or box.frame.hidden else steps.setdefault(box.frame, [])
            members.append(index)
        self._write_outside(outside)
        for number, (frame, members) in enumerate(steps.items()):
            self._write_step(f"step{number}", frame, members)
        for number, arrow in enumerate(self.picture.arrows):
            self._write_arrow(number, arrow)
        self._write_levels()
        return str(self.sheet.source)

    def _write_outside(self, members: list[int]) -> None:
        """What stands at no step; a primal and its cotangent in a cluster of two, which keeps them side by side."""
        cotangents, waiting = dict(self.picture.pairs), dict.fromkeys(members)
        for index in members:
            twin = cotangents.get(index)
            if index in waiting and twin in waiting:
                with self._cluster(self.sheet, f"pair{index}", **_PAIR_CLUSTER) as pair:
                    self._write_box(pair, index)
                    self._write_box(pair, twin)
                del waiting[twin]
            elif index in waiting:
                self._write_box(self.sheet, index)
            waiting.pop(index, None)

    def _write_step(self, name: str, frame: Frame, members: list[int]) -> None:
        """A cluster for the step; in it one for the forward pass, which is not drawn, and one for the backward pass."""
        depths = dict.fromkeys(self.picture.boxes[index].depth for index in members)
        with self._cluster(self.sheet, name, label=literal(frame.title), bgcolor=style.FRAME_FILL, **_CLUSTER) as step:
            for depth in depths:
                title = literal(frame.title + " · backward" * depth)
                look = {**_BACK_CLUSTER, "label": title, "bgcolor": style.BACK_FILL} if depth else {"style": "invis"}
                with self._cluster(step, f"{name}-{depth}", **look) as inner:
                    for index in members:
                        if self.picture.boxes[index].depth == depth:
                            self._write_box(inner, index)

    def _write_box(self, sheet: Any, index: int) -> None:
        box = self.picture.boxes[index]
        sheet.node(f"box{index}", _html(box), id=f"{self.figure}-box{index}", **_box_look(box))

    def _write_arrow(self, number: int, arrow: Arrow) -> None:
        source, reader = self.picture.boxes[arrow.tail], self.picture.boxes[arrow.head]
        facts = {
            "id": f"{self.figure}-arrow{number}",
            "label": literal(f" {arrow.label} "),
            "weight": _weight(source, reader),
        }
        told = tooltip(f"{source.title} to {reader.title}: {arrow.label}")
        facts.update(tooltip=told, labeltooltip=told, **_arrow_look(arrow.style))
        if source.depth == reader.depth and reader.depth % 2:
            self.sheet.edge(f"box{arrow.head}", f"box{arrow.tail}", dir="back", arrowtail=arrow.style.head, **facts)
        else:
            self.sheet.edge(f"box{arrow.tail}", f"box{arrow.head}", arrowhead=arrow.style.head, **facts)

    def _write_levels(self) -> None:
        for pair in self.picture.pairs:
            with self.sheet.subgraph(graph_attr={"rank": "same"}) as level:
                for index in pair:
                    level.node(f"box{index}")

    def _write_legend(self) -> None:
        """Rows of sample boxes, then the arrows, each from a point down to a point, then the notes."""
        legend = legend_of(self.picture)
        with self._cluster(self.sheet, "legend", label="Legend", bgcolor=style.FRAME_FILL, **_CLUSTER) as sheet:
            rows = [*self._write_kinds(sheet, legend.boxes), *_write_arrow_kinds(sheet, legend.arrows), ["notes"]]
            sheet.node("notes", _lines(legend.notes), shape="plain")
            for above, below in pairwise(row for row in rows if row):
                for name in below:
                    sheet.edge(above[0], name, style="invis")

    def _write_kinds(self, sheet: Any, boxes: Sequence[Box]) -> list[list[str]]:
        names = [f"kind{index}" for index in range(len(boxes))]
        for name, box in zip(names, boxes, strict=True):
            sheet.node(name, _html(box), id=f"{self.figure}-{name}", **_box_look(box))
        return [names[start : start + _LEGEND_WIDTH] for start in range(0, len(names), _LEGEND_WIDTH)]

    def _cluster(self, sheet: Any, name: str, **look: str) -> Any:
        facts = {"id": f"{self.figure}-{name}", "label": "", **look}
        return sheet.subgraph(name=f"cluster_{name}", graph_attr=facts)


def _write_arrow_kinds(sheet: Any, kinds: Sequence[ArrowStyle]) -> list[list[str]]:
    tails, heads = ([f"{end}{index}" for index in range(len(kinds))] for end in ("tail", "head"))
    for name in (*tails, *heads):
        sheet.node(name, "", shape="point", width="0.04", height="0.04", color=style.FAINT)
    for tail, head, kind in zip(tails, heads, kinds, strict=True):
        text = literal(f" {kind.legend} ")
        sheet.edge(tail, head, text, arrowhead=kind.head, weight=_INSIDE, **_arrow_look(kind))
    return [tails, heads]


def _figure(picture: Picture) -> str:
    """A name that no different picture has, for the ids in its SVG: two figures on one page do not clash."""
    content = repr((picture.boxes, picture.arrows)).encode(errors="backslashreplace")
    return f"graphad-{hashlib.sha256(content).hexdigest()[:12]}"


def _html(box: Box) -> str:
    """An HTML-like label: the title, large if it is a user's name or one sign, and the caption below, or beside."""
    size = _LARGE if box.named or len(box.title) == 1 else _SMALL if box.small else _MIDDLE
    title = f"<B>{_escape(box.title)}</B>" if box.named else _escape(box.title)
    text = f'<FONT POINT-SIZE="{size}">{title}</FONT>'
    if box.caption:
        text += " " if box.small else "<BR/>"
        text += f'<FONT POINT-SIZE="{_TINY}" COLOR="{style.FAINT}">{_escape(box.caption)}</FONT>'
    return f"<{text}>"


def _escape(text: str) -> str:
    """The text in HTML, its backslashes doubled: Graphviz reads its own escapes in HTML-like labels as well."""
    return escape_html(text).replace("\\", "\\\\")


def _lines(texts: Sequence[str]) -> str:
    lines = '<BR ALIGN="LEFT"/>'.join(map(_escape, texts))
    return f'<<FONT POINT-SIZE="{_SMALL}" COLOR="{style.FAINT}">{lines}<BR ALIGN="LEFT"/></FONT>>'


def _box_look(box: Box) -> dict[str, str]:
    kind = box.style
    look = {"shape": kind.shape, "style": kind.look, "fillcolor": kind.fill, "color": kind.line, "class": kind.name}
    look |= {"peripheries": str(kind.borders), "tooltip": tooltip(box.tooltip or box.title)}
    return look | _SMALL_BOX if box.small else look


def _arrow_look(kind: ArrowStyle) -> dict[str, str]:
    return {"color": kind.line, "style": kind.look, "penwidth": str(kind.width), "class": kind.name}


def _weight(source: Box, reader: Box) -> str:
    if source.depth != reader.depth:
        return _LOOSE
    if follows(source, reader):
        return _ACROSS
    return _INSIDE if source.frame is not None and source.frame is reader.frame else _BETWEEN
