"""Builders: the public functions that make nodes.

A builder checks its arguments against its annotations. Its errors say what was asked of which operands, at which step
and in which line of the user's code; and nodes' operators and numpy's functions of the same name find it.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from graphad.errors import ArgumentError, GraphadError
from graphad.ir.contract import Contract
from graphad.ir.node import PACKAGE, Node, current_place
from graphad.ir.operators import bind_builder, has_parameters_for

P = ParamSpec("P")
R = TypeVar("R")
_UNFORESEEN = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)
_NUMPY = f"{Path(np.__file__).parent}{os.sep}"


def builder(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a builder, known by its own name.

    Arguments that nobody thought of, and that fail somewhere inside, are an ArgumentError too; but not what the user's
    own code raises, such as a step function, nor Python's TypeError for a parameter that there is not.
    """
    contract = Contract(function)

    @wraps(function)
    def build(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            contract.check(arguments, keywords)
            return function(*arguments, **keywords)
        except GraphadError as error:
            error.locate(call_text(function.__name__, *arguments, **keywords), current_place())
            raise
        except _UNFORESEEN as error:
            if not (_is_own(error.__traceback__) and has_parameters_for(function, arguments, keywords)):
                raise
            refusal = ArgumentError(f"these arguments do not serve: {error}")
            refusal.locate(call_text(function.__name__, *arguments, **keywords), current_place())
            raise refusal from error

    bind_builder(function.__name__, build)
    return build


def _is_own(traceback: TracebackType | None) -> bool:
    """Whether an error arose in code of this package, or of numpy's that it calls, and not in the user's."""
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith((PACKAGE, _NUMPY)):
            return False
        traceback = traceback.tb_next
    return True


def located(function: Callable[P, R]) -> Callable[P, R]:
    """Make the errors of a function say what was asked of which nodes, and in which line of the user's code."""

    @wraps(function)
    def ask(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except GraphadError as error:
            error.locate(call_text(function.__name__, *arguments, **keywords), current_place())
            raise

    return ask


def call_text(name: str, /, *arguments: Any, **keywords: Any) -> str:
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
