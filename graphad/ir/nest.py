"""Structures of nodes: a leaf, or tuples, lists and dicts of structures. What goes in comes back alike.

A dict is known by its keys and not by the order in which they were put in: its leaves are taken in the order of the
keys' texts, so two dicts that are alike always give corresponding leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphad.errors import ArgumentError


def leaves(structure: Any) -> list[Any]:
    """The leaves in order.

    >>> leaves({"b": (2, [3]), "a": 1})
    [1, 2, 3]
    """
    if isinstance(structure, dict):
        return [leaf for key in _keys(structure) for leaf in leaves(structure[key])]
    if isinstance(structure, (tuple, list)):
        return [leaf for part in structure for leaf in leaves(part)]
    return [structure]


def _keys(structure: dict[Any, Any]) -> list[Any]:
    return sorted(structure, key=repr)


def rebuilt(structure: Any, values: Iterator[Any]) -> Any:
    """The same structure, with the next of ``values`` in place of each leaf."""
    if isinstance(structure, dict):
        parts = {key: rebuilt(structure[key], values) for key in _keys(structure)}
        return {key: parts[key] for key in structure}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(rebuilt(part, values) for part in structure))
    if isinstance(structure, (tuple, list)):
        return type(structure)(rebuilt(part, values) for part in structure)
    return next(values)


def mapped(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """``function`` on corresponding leaves of structures that must be alike.

    >>> mapped(lambda a, b: a + b, {"a": 1}, {"a": 10})
    {'a': 11}
    """
    for other in others:
        check_alike(first, other)
    columns = [leaves(structure) for structure in (first, *others)]
    return rebuilt(first, iter([function(*row) for row in zip(*columns, strict=True)]))


def check_alike(expected: Any, given: Any) -> None:
    """An ArgumentError unless the structures are alike: the same kinds, lengths and keys, in whatever leaves."""
    if outline(expected) != outline(given):
        raise ArgumentError(f"a structure {outline(expected)} was expected, and {outline(given)} was given")


def outline(structure: Any) -> str:
    """The structure with ``*`` for each leaf.

    >>> outline({"b": (2, [3]), "a": 1})
    "{'a': *, 'b': (*, [*])}"
    """
    if isinstance(structure, dict):
        return "{" + ", ".join(f"{key!r}: {outline(structure[key])}" for key in _keys(structure)) + "}"
    if isinstance(structure, (tuple, list)):
        inside = ", ".join(map(outline, structure))
        return f"[{inside}]" if isinstance(structure, list) else f"({inside})"
    return "*"
