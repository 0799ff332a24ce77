"""A program that tells what it does: the emitted module, with a call of ``watch`` after each of its statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from graphad.backend.numpy_source import Module
from graphad.backend.numpy_statements import Line

Watch: TypeAlias = Callable[[Line, int, int, tuple[Any, ...]], None]
"""Told of each statement after it has run: its line, the clock in nanoseconds before and after, and the values of its
result and operands."""


def watched(module: Module) -> tuple[Module, list[Line]]:
    """The module whose statements call ``watch(number, begin, clock(), values)``, and the lines by number."""
    statements: list[Line] = []
    sections = tuple(replace(section, lines=list(_watched(section.lines, statements))) for section in module.sections)
    return replace(module, sections=sections), statements


def _watched(lines: list[Line], statements: list[Line]) -> Iterator[Line]:
    for line in lines:
        if not line.names:
            yield line
            continue
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        yield Line(f"{indent}begin = clock()")
        yield line
        yield Line(f"{indent}watch({len(statements)}, begin, clock(), ({', '.join(line.names)},))")
        statements.append(line)
