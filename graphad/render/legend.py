"""The legend of a picture: a sample of each kind of box and of arrow that is in it, and no other."""

from __future__ import annotations

from dataclasses import dataclass

from graphad.render import style
from graphad.render.picture import Box, Picture
from graphad.render.style import ArrowStyle


@dataclass(frozen=True, slots=True)
class Legend:
    """Sample boxes, sample arrows, and what the signs in the texts of arrows mean."""

    boxes: tuple[Box, ...]
    arrows: tuple[ArrowStyle, ...]
    notes: tuple[str, ...]


def legend_of(picture: Picture) -> Legend:
    """What a reader needs to be told about this picture."""
    box_styles = {box.style for box in picture.boxes}
    arrow_styles = {arrow.style for arrow in picture.arrows}
    texts = [arrow.label for arrow in picture.arrows]
    notes = [note for sign, note in style.SIGNS.items() if any(sign in text for text in texts)]
    if picture.pairs:
        notes.append(style.LEVEL)
    return Legend(
        tuple(Box(kind, kind.legend, small=kind is style.CONSTANT) for kind in style.BOX_STYLES if kind in box_styles),
        tuple(kind for kind in style.ARROW_STYLES if kind in arrow_styles),
        tuple(notes),
    )
