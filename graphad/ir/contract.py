"""What a builder's annotations promise of its arguments, checked before it runs.

Operands, shapes, axes and dtypes are checked where they are read, by those who read them. What is left are Python's
plain kinds, a flag, a number, a text, a sequence; a wrong one of these would pass for another, or fail deep inside.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from graphad.errors import ArgumentError
from graphad.ir.node import Node


class Kind(NamedTuple):
    """What an argument has to be: a test of its value, and the words for it."""

    holds: Callable[[Any], bool]
    words: str


def is_integer(value: Any) -> bool:
    """Whether a value is an integer that is known now, of at most 64 bits; a truth value is none.

    >>> is_integer(2), is_integer(True), is_integer(2.0), is_integer(2**70)
    (True, False, False, False)
    """
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and abs(int(value)) <= 2**63


def is_number(value: Any) -> bool:
    """Whether a value is one real number that is known now; a truth value is none.

    >>> is_number(2), is_number(True), is_number("2")
    (True, False, False)
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_sequence(value: Any) -> bool:
    if isinstance(value, (Node, np.ndarray)):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


_KINDS = {
    "bool": Kind(lambda value: isinstance(value, bool), "True or False"),
    "float": Kind(is_number, "a number known now"),
    "str": Kind(lambda value: isinstance(value, str), "a text"),
    "Sequence": Kind(_is_sequence, "a list or a tuple"),
}
"""By the annotation, without what it says of the elements of a sequence."""


class Contract:
    """The checks of one builder; `check` raises an ArgumentError that names the argument."""

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = signature(function).parameters.values()
        positional = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        self._places = {name: place for place, name in enumerate(positional)}
        kinds = {one.name: _kind_of(str(one.annotation)) for one in parameters}
        self._kinds = {name: kind for name, kind in kinds.items() if kind is not None}

    def check(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """An ArgumentError for the first argument that is of another kind than the annotation says."""
        for name, kind in self._kinds.items():
            place = self._places.get(name, len(arguments))
            given = [keywords[name]] if name in keywords else arguments[place : place + 1]
            if given and not kind.holds(given[0]):
                raise ArgumentError(f"{name} is {kind.words}; got {reprlib.repr(given[0])}")


def _kind_of(annotation: str) -> Kind | None:
    words, _, rest = annotation.partition(" | ")
    kind = _KINDS.get(words.partition("[")[0])
    if kind is None or rest not in ("", "None"):
        return None
    return kind if not rest else Kind(lambda value: value is None or kind.holds(value), f"{kind.words}, or None")
