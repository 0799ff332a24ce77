"""Leaves that many time steps read are drawn again at each of them.

One arrow from a weight to each of a few steps shows that they share it. From one weight to fifty steps, arrows hide the
picture, and the layout takes time with the square of their number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from graphad.render.picture import Arrow, Picture
from graphad.render.steps import LONGEST, Frame

_Key: TypeAlias = int | tuple[int, Frame]
"""A box of the picture that was given, or the copy of one at a step."""


def with_repeats(picture: Picture) -> Picture:
    """The picture with such leaves at each step that reads them, and outside only where something else needs them."""
    repeated = {leaf for leaf, frames in _readers(picture).items() if len(frames) > LONGEST["auto"]}
    tails = [_tail(picture, arrow, repeated) for arrow in picture.arrows]
    needed = {*tails, *(index for pair in picture.pairs for index in pair)}
    keys: list[_Key] = [index for index in range(len(picture.boxes)) if index not in repeated or index in needed]
    keys += dict.fromkeys(key for key in tails if isinstance(key, tuple))
    places = {key: place for place, key in enumerate(keys)}
    boxes = (
        picture.boxes[key] if isinstance(key, int) else replace(picture.boxes[key[0]], frame=key[1]) for key in keys
    )
    arrows = (
        replace(arrow, tail=places[tail], head=places[arrow.head])
        for arrow, tail in zip(picture.arrows, tails, strict=True)
    )
    return Picture(tuple(boxes), tuple(arrows), tuple((places[a], places[b]) for a, b in picture.pairs))


def _tail(picture: Picture, arrow: Arrow, repeated: set[int]) -> _Key:
    frame = picture.boxes[arrow.head].frame
    stays = arrow.tail not in repeated or frame is None or frame.hidden
    return arrow.tail if stays or frame is None else (arrow.tail, frame)


def _readers(picture: Picture) -> dict[int, set[Frame]]:
    """The steps that read a box which stands at no step and has no operands."""
    heads = {arrow.head for arrow in picture.arrows}
    readers: dict[int, set[Frame]] = {}
    for arrow in picture.arrows:
        frame = picture.boxes[arrow.head].frame
        is_leaf = arrow.tail not in heads and picture.boxes[arrow.tail].frame is None
        if is_leaf and frame is not None and not frame.hidden:
            readers.setdefault(arrow.tail, set()).add(frame)
    return readers
