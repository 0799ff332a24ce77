"""What numpy's functions take beside their operands, and builders of the same name do not.

An option that says what a builder does anyway is dropped, so that calls written for arrays serve for nodes; any other
is refused by name, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from graphad.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")


class Option(NamedTuple):
    """The values of an option that ask for nothing, and what to do instead of giving it another."""

    idle: tuple[Any, ...]
    remedy: str


_OPTIONS = {
    "out": Option((None,), "nodes are not written into: use the result"),
    "dtype": Option((None,), "cast the operand first, or the result"),
    "where": Option((True,), "put ga.where(condition, x, neutral) in place of x"),
    "initial": Option((), "combine it with the result"),
    "kind": Option((None, "stable"), "the order is always stable"),
    "stable": Option((None, True), "the order is always stable"),
    "order": Option((None,), "values have no fields"),
    "overwrite_input": Option((False,), "operands are never changed"),
    "returned": Option((False,), "sum the weights by themselves"),
    "sorter": Option((None,), "sort the operand first"),
}


def numpy_options(function: Callable[P, R]) -> Callable[P, R]:
    """Let a builder be called as numpy's function of its name; an ArgumentError for an option that it does not have.

    >>> @numpy_options
    ... def total(x: list[int]) -> int:
    ...     return sum(x)
    >>> total([1, 2], out=None)
    3
    >>> total([1, 2], out=[0])
    Traceback (most recent call last):
    graphad.errors.ArgumentError: out= is not supported: nodes are not written into: use the result
    """

    @wraps(function)
    def build(*arguments: P.args, **keywords: P.kwargs) -> R:
        for name in _OPTIONS.keys() & keywords.keys():
            _check_idle(name, keywords.pop(name))
        return function(*arguments, **keywords)

    return build


def _check_idle(name: str, value: Any) -> None:
    idle, remedy = _OPTIONS[name]
    if not (isinstance(value, (bool, str, type(None))) and value in idle):
        raise ArgumentError(f"{name}= is not supported: {remedy}")
