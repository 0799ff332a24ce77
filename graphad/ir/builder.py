"""Builders: the public functions that make nodes.

A builder's errors say what was asked of which operands, at which step and in which line of the user's code; and nodes'
operators and numpy's functions of the same name find it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

from graphad.errors import GraphadError
from graphad.ir.node import Node, current_place
from graphad.ir.operators import bind_builder

P = ParamSpec("P")
R = TypeVar("R")


def builder(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a builder, known by its own name."""

    @wraps(function)
    def build(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except GraphadError as error:
            error.locate(call_text(function.__name__, *arguments, **keywords), current_place())
            raise

    bind_builder(function.__name__, build)
    return build


def call_text(name: str, *arguments: Any, **keywords: Any) -> str:
    """The call as messages show it, nodes with their types.

    >>> call_text("sum", [1, 2], axis=3)
    'sum([1, 2], axis=3)'
    """
    given = [_argument_text(argument) for argument in arguments]
    return f"{name}({', '.join([*given, *(f'{key}={_argument_text(value)}' for key, value in keywords.items())])})"


def _argument_text(argument: Any) -> str:
    if isinstance(argument, Node):
        return f"{argument.label}: {argument.type}"
    return argument.__name__ if isinstance(argument, FunctionType) else reprlib.repr(argument)
