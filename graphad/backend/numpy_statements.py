"""Statements, views and constants of a program, as lines of Python."""

from __future__ import annotations

import base64
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from graphad.backend.numpy_names import Names, comment, function_name, scalar_literal
from graphad.ir.leaves import Constant
from graphad.ir.node import Node
from graphad.ir.op import Op
from graphad.ir.tensor_type import TensorType
from graphad.ops.slicing import Slice, Span, full_index
from graphad.schedule.program import Program
from graphad.schedule.views import read

_LONGEST_LITERAL = 64
_FEWEST_IN_A_PATTERN = 5
_BY_NAME = (np.maximum, np.minimum)
"""Ufuncs that numpy wants to be given the result's place by name, lest a third operand was meant."""


class Line(NamedTuple):
    """A line of the module, and the node that it computes, if it computes one.

    ``names``: what it calls its result and operands, if it is a statement. ``times``: how often it is executed until
    all of the node is computed.
    """

    text: str
    node: Node | None = None
    names: tuple[str, ...] = ()
    times: int = 1

    def indented(self) -> Line:
        """The line as a part of a block."""
        return self._replace(text=f"    {self.text}")


def lines(*texts: str) -> list[Line]:
    """Lines that compute no node."""
    return [Line(text) for text in texts]


def statement(node: Node, names: Names) -> Line:
    """The node, computed into its place."""
    operands = [operand_text(node, operand, names) for operand in node.operands]
    text = _call_text(node, operands, names) + comment(node.origin.place)
    return Line(text, node, (names[node], *operands))


def _call_text(node: Node, operands: Sequence[str], names: Names) -> str:
    """The call; where a function takes the result's place by position, that is faster than by name."""
    types, result = [operand.type for operand in node.operands], names[node]
    method = node.op.numpy_method(*types)
    if method is not None:
        return f"{operands[0]}.{method}({', '.join([*operands[1:], result])})"
    function, keywords = node.op.numpy_call()
    by_position = isinstance(function, np.ufunc) and function not in _BY_NAME and not keywords
    places = [f"scratch={names.scratch(node)}"] if node.op.scratch(*types) else []
    places.append(result if by_position else f"out={result}")
    return f"{function_name(function)}({', '.join([*operands, *_keyword_texts(keywords), *places])})"


def operand_text(reader: Node, operand: Node, names: Names) -> str:
    """What stands for an operand in a statement."""
    node = read(reader, operand)
    return literal(reader, node) or names[node]


def literal(reader: Node, operand: Node) -> str | None:
    """A Python number is weak: in numpy it takes the dtype of an operand beside it, so there must be one."""
    text = scalar_literal(operand) if reader.op.traits.elementwise else None
    beside = (read(reader, other) for other in reader.operands)
    return text if any(x.dtype == operand.dtype and scalar_literal(x) is None for x in beside) else None


def view_text(op: Op, operand: TensorType, name: str) -> str:
    """A view of what ``name`` names, which is of the type ``operand``."""
    if op.traits.identity:
        return name
    if isinstance(op, Slice):
        return f"{name}[{_index_text(op, operand)}]"
    function, keywords = op.numpy_call()
    return f"{function_name(function)}({', '.join([name, *_keyword_texts(keywords)])})"


def shared_lines(program: Program, names: Names, declared: Container[Node]) -> Iterator[Line]:
    """What shares the memory of something else, and is not declared yet: views, and results that overwrite.

    A result that overwrites an operand is the same object, since numpy looks twice at two arrays that overlap.
    """
    views, overwritten = set(program.views), program.memory.overwritten
    for node in program.graph.nodes:
        if node in declared:
            continue
        if node in overwritten:
            yield Line(f"{names[node]} = {names[overwritten[node]]}")
        elif node in views:
            operand = node.operands[0]
            yield Line(f"{names[node]} = {view_text(node.op, operand.type, names[operand])}")


def buffer_line(name: str, offset: int, type: TensorType) -> Line:
    """A place in the arena."""
    return Line(f"{name} = {_buffer_text(offset, type)}")


def scratch_lines(program: Program, names: Names, start: int = 0) -> list[Line]:
    """The places that statements need while they run, a tuple for each statement, in an arena that begins at start."""
    found = []
    for node, offsets in program.memory.scratch_offsets.items():
        types = node.op.scratch(*(operand.type for operand in node.operands))
        pairs = zip(offsets, types, strict=False)  # a loop's has no type: it is an arena
        places = "".join(f"{_buffer_text(start + offset, type)}, " for offset, type in pairs)
        found += lines(f"{names.scratch(node)} = ({places.strip()})") if places else []
    return found


def _buffer_text(offset: int, type: TensorType) -> str:
    return f"buffer({offset}, {type_text(type)})"


def constant_line(name: str, op: Constant, *, copied: bool = False) -> Line:
    """A constant: written out if it is small or the same number everywhere; ``copied``, if it is to be written to."""
    shape = op.type.static_shape
    pattern = _pattern_text(op)
    if pattern is not None:
        return Line(f"{name} = {pattern}")
    if op.value.size <= _LONGEST_LITERAL:
        text = f"np.array({_numbers_text(op.value)}, {op.type.dtype.name!r})"
        return Line(f"{name} = {text}" + (f".reshape({shape})" if 0 in shape else ""))
    data = base64.b64encode(op.data).decode()
    own = ".copy()" if copied else ""
    return Line(f'{name} = np.frombuffer(base64.b64decode("{data}"), {op.type.dtype.name!r}).reshape({shape}){own}')


def _pattern_text(op: Constant) -> str | None:
    """A constant of many elements that is one number everywhere, or counts."""
    size, dtype, shape = op.value.size, op.type.dtype, op.type.static_shape
    if size < _FEWEST_IN_A_PATTERN:
        return None
    if op.data == op.data[: dtype.itemsize] * size:  # bit by bit: -0.0 is not 0.0
        return f"np.full({shape}, {_numbers_text(op.value.flat[0])}, {dtype.name!r})"
    first = op.value.flat[0]
    if len(shape) == 1 and dtype == np.int64 and (op.value - first == np.arange(size)).all():
        return f"np.arange({first}, {int(first) + size})"
    return None


def _numbers_text(values: Any) -> str:
    return repr(values.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")


def named_constants(program: Program) -> list[tuple[Node, Constant]]:
    """The constants that are not written where they are read, in order."""
    readers: Iterable[Node] = (*program.views, *program.statements)
    pairs = ((reader, read(reader, operand)) for reader in readers for operand in reader.operands)
    named = {node for reader, node in pairs if literal(reader, node) is None} | set(program.graph.outputs)
    return [(node, node.op) for node in program.graph.nodes if isinstance(node.op, Constant) and node in named]


def type_text(type: TensorType) -> str:
    """A type as the arguments of numpy's constructors."""
    return f"{type.static_shape}, {type.dtype.name!r}"


def _keyword_texts(keywords: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in keywords.items()]


def _index_text(op: Slice, operand: TensorType) -> str:
    whole = full_index(operand.shape)
    parts = [":" if part == full else _part_text(part) for part, full in zip(op.index, whole, strict=True)]
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    keeps_axes = any(isinstance(part, Span) for part in op.index)
    return ", ".join(parts if keeps_axes else [*parts, "..."])  # without it numpy would copy out a number


def _part_text(part: int | Span) -> str:
    if isinstance(part, int):
        return str(part)
    span = part.as_slice()
    stop = "" if span.stop is None else str(span.stop)
    return f"{span.start or ''}:{stop}" + ("" if span.step == 1 else f":{span.step}")
