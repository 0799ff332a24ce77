"""The numpy backend's text: a Python module that a careful person might have written, and that runs alone with numpy.

It declares one block of memory, names places in it, makes every view once, and then is a list of statements, each
writing into a place (``out=``). A long program is cut into functions of some thousand statements, since compilers of
Python take more than linear memory for one long function.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from graphad.backend.numpy_names import Names, function_name, is_own_kernel, kernel_sources, scalar_literal
from graphad.ir.leaves import Constant, Input, Parameter
from graphad.ir.node import Node
from graphad.ir.tensor_type import TensorType
from graphad.ops.slicing import Slice, Span, full_index
from graphad.schedule.program import Program, read

_STATEMENTS_PER_FUNCTION = 2_000
_LONGEST_LITERAL = 64


@dataclass(frozen=True)
class Section:
    """A part of the module that is compiled by itself."""

    title: str
    lines: list[str]


@dataclass(frozen=True)
class Module:
    """The emitted module: its sections, the names of its parameters, and the node that each line of it computes."""

    sections: tuple[Section, ...]
    parameters: dict[str, Node]
    node_of_line: dict[int, Node] = field(repr=False)

    @property
    def source(self) -> str:
        """The text."""
        return "\n".join(line for section in self.sections for line in section.lines) + "\n"


def emit(program: Program, header: str) -> Module:
    """Write the module that runs a program."""
    writer = _Writer(program)
    parameters = writer.parameters()
    memory = [*writer.memory(), *writer.views()]
    chunks = writer.compute()
    sections = (
        Section("header", [f'"""{header}"""', "", "import base64", "", "import numpy as np", ""]),
        Section("kernels", writer.kernels()),
        Section("parameters", parameters),
        Section("memory", memory),
        *(Section("compute", chunk) for chunk in chunks),
        Section("calls", writer.calls(len(chunks))),
    )
    names = {writer.names[node]: node for node in program.graph.nodes if isinstance(node.op, Parameter)}
    return Module(sections, names, writer.node_of_line(sections))


class _Writer:
    """Writes the sections of one program; all share the names."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions = [node.op.numpy_call()[0] for node in (*program.views, *program.statements)]
        self.names = Names(function.__name__ for function in self.functions if is_own_kernel(function))
        self.arguments = {node: self._argument_name(node) for node in program.graph.inputs}
        self.statement_lines: list[Node | None] = []

    def _argument_name(self, node: Node) -> str:
        return self.names.fresh(f"{self.names[node]}_given") if node in self.program.staged else self.names[node]

    def kernels(self) -> list[str]:
        """The functions that numpy does not have."""
        lines = []
        for source in kernel_sources(self.functions):
            lines += ["", *source.splitlines(), ""]
        return lines

    def parameters(self) -> list[str]:
        """Parameters: zeros, until somebody fills them."""
        nodes = [node for node in self.program.graph.nodes if isinstance(node.op, Parameter)]
        lines = [f"{self.names[node]} = np.zeros({_type_text(node.type)})" for node in nodes]
        return ["", "# Parameters: fill them before the first call.", *lines] if lines else []

    def memory(self) -> list[str]:
        """Constants, and the places of all intermediate values in one block of memory."""
        program, lines = (
            self.program,
            ["", "# Memory: one block, in which places are used again when their value is dead."],
        )
        lines += [
            f"memory = np.empty({program.arena_bytes} + 64, np.uint8)",
            "arena = memory[-memory.ctypes.data % 64 :]",
            "",
        ]
        lines += ["", "def buffer(offset, shape, dtype):", "    return np.ndarray(shape, dtype, arena, offset)", "", ""]
        named = self._named_constants()
        lines += [self._constant(node) for node in program.graph.nodes if node in named]
        for node in (*program.staged, *program.statements):
            lines.append(f"{self.names[node]} = buffer({program.offsets[node]}, {_type_text(node.type)})")
        return lines

    def _named_constants(self) -> set[Node]:
        """The constants that are not written where they are read."""
        readers = (*self.program.views, *self.program.statements)
        pairs = ((reader, read(reader, operand)) for reader in readers for operand in reader.operands)
        named = {node for reader, node in pairs if self._literal(reader, node) is None}
        return {node for node in (*named, *self.program.graph.outputs) if isinstance(node.op, Constant)}

    def _constant(self, node: Node) -> str:
        op = node.op
        if not isinstance(op, Constant):
            raise TypeError(f"{node!r} is no constant")
        shape = op.type.static_shape
        if len(op.data) // op.type.dtype.itemsize <= _LONGEST_LITERAL:
            text = f"np.array({op.value.tolist()!r}, {op.type.dtype.name!r})".replace("nan", "np.nan").replace(
                "inf", "np.inf"
            )
            return f"{self.names[node]} = {text}" + (f".reshape({shape})" if 0 in shape else "")
        data = base64.b64encode(op.data).decode()
        return (
            f'{self.names[node]} = np.frombuffer(base64.b64decode("{data}"), {op.type.dtype.name!r}).reshape({shape})'
        )

    def views(self) -> list[str]:
        """The views, made once."""
        return [f"{self.names[node]} = {self._view(node)}" for node in self.program.views]

    def _view(self, node: Node) -> str:
        operand = self.names[node.operands[0]]
        if node.op.traits.identity:
            return operand
        if isinstance(node.op, Slice):
            return f"{operand}[{_index_text(node.op, node.operands[0].type)}]"
        function, keywords = node.op.numpy_call()
        return f"{function_name(function)}({', '.join([operand, *_keyword_texts(keywords)])})"

    def compute(self) -> list[list[str]]:
        """The statements, in functions of bounded length."""
        given = ", ".join(self.arguments.values())
        lines = [f"np.copyto({self.names[node]}, {self.arguments[node]})" for node in self.program.staged]
        nodes: list[Node | None] = [None] * len(lines)
        for node in self.program.statements:
            lines.append(self._statement(node))
            nodes.append(node)
        chunks: list[list[str]] = []
        for start in range(0, max(1, len(lines)), _STATEMENTS_PER_FUNCTION):
            body = lines[start : start + _STATEMENTS_PER_FUNCTION] or ["pass"]
            chunks.append(["", "", f"def compute_{len(chunks)}({given}):", *(f"    {line}" for line in body)])
            self.statement_lines += [None, None, None, *(nodes[start : start + _STATEMENTS_PER_FUNCTION] or [None])]
        return chunks

    def _statement(self, node: Node) -> str:
        function, keywords = node.op.numpy_call()
        operands = [self._operand(node, operand) for operand in node.operands]
        call = ", ".join([*operands, *_keyword_texts(keywords), f"out={self.names[node]}"])
        place = node.origin.place
        return f"{function_name(function)}({call})" + (f"  # {place}" if place else "")

    def _operand(self, reader: Node, operand: Node) -> str:
        node = read(reader, operand)
        return self._literal(reader, node) or self.names[node]

    @staticmethod
    def _literal(reader: Node, operand: Node) -> str | None:
        return scalar_literal(operand) if reader.op.traits.elementwise else None

    def calls(self, chunks: int) -> list[str]:
        """What a caller calls: ``compute``, then ``results``, then ``commit``; ``step`` is all three."""
        program, given = self.program, ", ".join(self.arguments.values())
        lines = ["", "", f"def compute({given}):", *(f"    compute_{i}({given})" for i in range(chunks))]
        results = [self.names[node] + ("[()]" if node.shape == () else ".copy()") for node in program.results]
        inputs = {node for node in program.results if isinstance(node.op, Input) and node not in program.staged}
        lines += ["", "", f"def results({given if inputs else ''}):", f"    return [{', '.join(results)}]"]
        lines += ["", "", "def commit():"]
        lines += [f"    np.copyto({self.names[old]}, {self.names[new]})" for old, new in program.updates] or [
            "    pass"
        ]
        lines += ["", "", f"def step({given}):", f"    compute({given})"]
        lines += [f"    found = results({given if inputs else ''})", "    commit()", "    return found"]
        return lines

    def node_of_line(self, sections: tuple[Section, ...]) -> dict[int, Node]:
        """Which node each line computes, lines counted from 1."""
        before = sum(len(section.lines) for section in sections if section.title not in ("compute", "calls"))
        numbered = enumerate(self.statement_lines, start=before + 1)
        return {number: node for number, node in numbered if node is not None}


def _type_text(type: TensorType) -> str:
    return f"{type.static_shape}, {type.dtype.name!r}"


def _keyword_texts(keywords: dict[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in keywords.items()]


def _index_text(op: Slice, operand: TensorType) -> str:
    whole = full_index(operand.shape)
    parts = [":" if part == full else _part_text(part) for part, full in zip(op.index, whole, strict=True)]
    return ", ".join(parts) or "..."


def _part_text(part: int | Span) -> str:
    if isinstance(part, int):
        return str(part)
    span = part.as_slice()
    stop = "" if span.stop is None else str(span.stop)
    return f"{span.start or ''}:{stop}" + ("" if span.step == 1 else f":{span.step}")
