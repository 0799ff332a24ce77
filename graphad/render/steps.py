"""Where in time a node is drawn: each step of a scope, which is a place that repeats, has a frame.

Of a repetition that is longer than can be read, the first two steps and the last are drawn. One frame between them
stands for all of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from graphad.ir.node import Scope
from graphad.render.labels import shown

Fold = Literal["auto", "always", "never"]
Moment: TypeAlias = tuple[Scope, int]
LONGEST: Mapping[Fold, float] = {"auto": 6, "always": 3, "never": float("inf")}
"""The most repetitions that are drawn one by one."""
_LONGEST_PATH = 40  # characters
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One step, or ``hidden`` repetitions in one. Frames of one ``series`` follow each other in time."""

    title: str
    series: Scope
    hidden: int = 0


def framed(moments: Iterable[Moment], fold: Fold) -> dict[Moment, Frame]:
    """The frame of each of the moments."""
    steps: dict[Scope, set[int]] = {}
    for scope, step in moments:
        steps.setdefault(scope, set()).add(step)
    frames: dict[Moment, Frame] = {}
    for copies in _siblings(steps):
        hidden = _hidden(copies, fold)
        path = shown(copies[0].path, _LONGEST_PATH)
        together = Frame(f"… {len(hidden)} more of {path} …", copies[0], len(hidden))
        for number, scope in enumerate(copies, start=1):
            title = path if len(copies) == 1 else f"{path} {number}"
            own = _steps_framed(scope, title, sorted(steps[scope]), fold)
            frames.update(dict.fromkeys(own, together) if scope in hidden else own)
    return frames


def _steps_framed(scope: Scope, title: str, times: Sequence[int], fold: Fold) -> dict[Moment, Frame]:
    hidden = _hidden(times, fold)
    together = Frame(f"… {len(hidden)} more step{'s' * (len(hidden) > 1)} …", scope, len(hidden))
    return {(scope, time): together if time in hidden else Frame(f"{title} · t = {time}", scope) for time in times}


def _siblings(scopes: Iterable[Scope]) -> Iterable[list[Scope]]:
    """Scopes that one place of the declaration made again and again, because a scope around it repeats."""
    found: dict[object, list[Scope]] = {}
    for scope in scopes:
        place = scope if scope.parent is None else (scope.parent, scope.name)
        found.setdefault(place, []).append(scope)
    return found.values()


def _hidden(items: Sequence[_T], fold: Fold) -> dict[_T, None]:
    """Those that are not drawn: if there are too many, all but the first two and the last."""
    return dict.fromkeys(items[2:-1] if len(items) > LONGEST[fold] else ())
