"""The numpy backend's text: a Python module that a careful person might have written, and that runs alone with numpy.

It declares one block of memory, names places in it, makes every view once, and then is a list of statements, each
writing into a place (``out=``). A long program is cut into functions of some thousand statements, since compilers of
Python take more than linear memory for one long function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from graphad.backend.numpy_loops import LoopWriter
from graphad.backend.numpy_names import Names, comment, kernel_sources
from graphad.backend.numpy_statements import (
    Line,
    buffer_line,
    constant_line,
    lines,
    named_constants,
    scratch_lines,
    shared_lines,
    statement,
    type_text,
)
from graphad.backend.numpy_tiles import TileWriter
from graphad.ir.leaves import Constant, Input, Key
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.tensor_type import TensorType, known
from graphad.ops.loop import Loop
from graphad.ops.slicing import Join
from graphad.schedule.program import Program

_STATEMENTS_PER_FUNCTION = 2_000


@dataclass(frozen=True)
class Section:
    """A part of the module that is compiled by itself."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Module:
    """The emitted module: its sections, and what its names mean.

    ``parameters``: the node of each parameter's name. ``new_values``: the names of what updated parameters get.
    """

    sections: tuple[Section, ...]
    parameters: dict[str, Node]
    new_values: tuple[str, ...]

    @property
    def source(self) -> str:
        """The text."""
        return "".join(f"{line.text}\n" for section in self.sections for line in section.lines)

    def with_values(self, values: Mapping[str, Array]) -> Module:
        """The module with these values for its parameters."""
        filled = [constant_line(name, Constant.of(value), copied=True) for name, value in values.items()]
        sections = (
            replace(section, lines=[*section.lines, *filled]) if section.title == "parameters" else section
            for section in self.sections
        )
        return replace(self, sections=tuple(sections))

    def node_of_line(self, number: int) -> Node | None:
        """The node that a line computes, lines counted from 1."""
        for section in self.sections:
            if number <= len(section.lines):
                return section.lines[number - 1].node
            number -= len(section.lines)
        return None


Blocks: TypeAlias = Mapping[Node, Sequence[Node]]
"""For the vector of each block of parameters, the parameters that are parts of it, in order."""


def emit(program: Program, header: str, blocks: Blocks = MappingProxyType({})) -> Module:
    """Write the module that runs a program."""
    writer = _Writer(program)
    parameters, parts, memory = writer.parameters(), list(writer.parts(blocks)), writer.memory()
    loops, chunks = writer.loops(), writer.compute()
    sections = (
        Section("header", lines(f'"""{header}"""', "", "import base64", "", "import numpy as np", "")),
        Section("kernels", writer.kernels()),
        Section("parameters", parameters),
        Section("parts of parameters", parts),
        Section("memory", memory),
        Section("loops", loops),
        *(Section("compute", chunk) for chunk in chunks),
        Section("calls", writer.calls()),
    )
    names = {writer.names[node]: node for node in program.parameters}
    return Module(sections, names, tuple(writer.names[new] for _, new in program.updates))


class _Writer:
    """Writes the sections of one program; all share the names."""

    def __init__(self, program: Program) -> None:
        self.program = program
        computed = [*program.views, *program.statements]
        inner = [node for body in program.bodies.values() for node in (*body.views, *body.statements)]
        called = (node.op.numpy_call()[0] for node in (*computed, *inner) if not isinstance(node.op, Loop))
        self.sources = kernel_sources(called)
        self.names = Names(self.sources)
        self.staged = set(program.staged)
        self.tiled = {node for tiling in program.tilings.values() for node in (*tiling.before, *tiling.after)}
        self.local = {node for tiling in program.tilings.values() for node in tiling.local}
        self.arguments = {node: self._argument_name(node) for node in program.graph.inputs}
        self.loop_writers: dict[Node, LoopWriter] = {}
        self.chunk_names: list[str] = []
        self.declared: set[Node] = set()

    def _argument_name(self, node: Node) -> str:
        return self.names.fresh(f"{self.names[node]}_given") if node in self.staged else self.names[node]

    @property
    def given(self) -> str:
        """The arguments, as they are passed on."""
        return ", ".join(self.arguments.values())

    def kernels(self) -> list[Line]:
        """The functions that numpy does not have."""
        return [line for source in self.sources.values() for line in lines("", *source.splitlines(), "")]

    def parameters(self) -> list[Line]:
        """Parameters: zeros, until somebody fills them."""
        declared = [self._parameter(node) for node in self.program.parameters]
        return lines("", "# Parameters: fill them before the first call.", *declared) if declared else []

    def _parameter(self, node: Node) -> str:
        meaning = comment("seed, number of the call") if isinstance(node.op, Key) else ""
        return f"{self.names[node]} = np.zeros({type_text(node.type)}){meaning}"

    def parts(self, blocks: Blocks) -> Iterator[Line]:
        """The parameters that lie in a block, under their own names."""
        readers = self.program.graph.readers()
        for vector, members in blocks.items():
            views = {(node.label, node.type): node for node in self.program.views if self.program.roots[node] is vector}
            start = 0
            for member in members:
                node = views.get((member.label, member.type), member)
                stop = start + known(member.type.size)
                part = f"{self.names[vector]}[{start}:{stop}]"
                yield Line(f"{self.names[node]} = {part}.reshape({member.type.static_shape})")
                self.declared.add(node)
                self.declared.update(x for x in node.operands if self.declared.issuperset(readers[x]))  # read no more
                start = stop

    def memory(self) -> list[Line]:
        """Constants, and the places of all intermediate values in one block of memory, and views of them."""
        plan = self.program.memory
        return [
            *lines("", "# Memory: one block, in which places are used again when their value is dead."),
            *lines(f"memory = np.empty({plan.arena_bytes} + 64, np.uint8)"),
            *lines("arena = memory[-memory.ctypes.data % 64 :]", "", ""),
            *lines("def buffer(offset, shape, dtype):", "    return np.ndarray(shape, dtype, arena, offset)", "", ""),
            *(constant_line(self.names[node], op) for node, op in named_constants(self.program)),
            *(self._place(node, offset) for node, offset in plan.offsets.items() if self._has_place(node)),
            *self._ends(),
            *scratch_lines(self.program, self.names),
            *shared_lines(self.program, self.names, self.declared | self._of_tiles()),
        ]

    def _has_place(self, node: Node) -> bool:
        return node not in self.local and node not in self.program.memory.overwritten

    def _ends(self) -> Iterator[Line]:
        """The last steps of loops whose other steps are not kept."""
        for loop, tiling in self.program.tilings.items():
            for end, offset in tiling.end_offsets():
                yield buffer_line(self.names[end], self.program.memory.offsets[loop] + offset, end.type)
                self.declared.add(end)

    def _of_tiles(self) -> set[Node]:
        """What is held for a tile of time only, and the views of that."""
        ends = {end for tiling in self.program.tilings.values() for end in tiling.ends}
        found: set[Node] = set()
        for node in self.program.graph.nodes:
            if node in self.local or (node not in ends and self._is_view_of(node, found)):
                found.add(node)
        return found

    def _is_view_of(self, node: Node, values: set[Node]) -> bool:
        return self.program.roots[node] is not node and node.operands[0] in values

    def _place(self, node: Node, offset: int) -> Line:
        axes = self.program.layouts.get(node)
        if axes is None:
            return buffer_line(self.names[node], offset, node.type)
        shape, back = node.type.static_shape, tuple(int(axis) for axis in np.argsort(axes))
        laid = TensorType.of(tuple(shape[axis] for axis in axes), node.dtype)
        return Line(f"{buffer_line(self.names[node], offset, laid).text}.transpose({back})")

    def loops(self) -> list[Line]:
        """The loops over time: what they unpack, then what they do."""
        tilings = self.program.tilings
        for node in self.program.bodies:
            if node in tilings:
                repeats = tilings[node].repeats
                repeated = None if repeats is None else self.loop_writers[repeats]
                self.loop_writers[node] = TileWriter(node, self.program, self.names, repeated)
            else:
                self.loop_writers[node] = LoopWriter(node, self.program, self.names)
        declared = [line for writer in self.loop_writers.values() for line in writer.declarations()]
        functions = [line for writer in self.loop_writers.values() for line in writer.function()]
        return (
            [*lines("", "# Loops over time: what each step reads and writes."), *declared, *functions]
            if declared
            else []
        )

    def compute(self) -> list[list[Line]]:
        """The statements, in functions of bounded length."""
        written = list(self._statements()) or lines("pass")
        chunks: list[list[Line]] = []
        for start in range(0, len(written), _STATEMENTS_PER_FUNCTION):
            body = [line.indented() for line in written[start : start + _STATEMENTS_PER_FUNCTION]]
            self.chunk_names.append(self.names.fresh(f"compute_{len(chunks)}"))
            chunks.append([*lines("", "", f"def {self.chunk_names[-1]}({self.given}):"), *body])
        return chunks

    def _statements(self) -> Iterator[Line]:
        for node in self.program.staged:
            yield Line(f"np.copyto({self.names[node]}, {self.arguments[node]})")
        for node in self.program.statements:
            if node in self.tiled:
                continue
            if node in self.loop_writers:
                yield Line(f"{self.loop_writers[node].name}()" + comment(node.origin.place), node)
            elif isinstance(node.op, Join) and any(join is node for join, _ in self.program.memory.placed.values()):
                yield from self._rest_of_join(node)
            else:
                yield statement(node, self.names)

    def _rest_of_join(self, node: Node) -> Iterator[Line]:
        """What is not in its place in a join already is copied there."""
        start = offset = 0
        for part in node.operands:
            length = known(part.shape[0]) if part.ndim == node.ndim else 1
            if not self.program.memory.is_placed(self.program.roots[part], node, offset):
                place = f"{start}:{start + length}" if part.ndim == node.ndim else f"{start}, ..."
                yield Line(
                    f"np.copyto({self.names[node]}[{place}], {self.names[part]})" + comment(node.origin.place), node
                )
            start, offset = start + length, offset + part.type.nbytes

    def calls(self) -> list[Line]:
        """What a caller calls: ``compute``, then ``results``, then ``commit``; ``step`` is all three."""
        program, names = self.program, self.names
        results = [names[node] + ("[()]" if node.shape == () else ".copy()") for node in program.results]
        passed_on = any(isinstance(node.op, Input) and node not in self.staged for node in program.results)
        given = self.given if passed_on else ""
        copies = [f"    np.copyto({names[old]}, {names[new]})" for old, new in program.updates]
        return [
            *lines(
                "", "", f"def compute({self.given}):", *(f"    {chunk}({self.given})" for chunk in self.chunk_names)
            ),
            *lines("", "", f"def results({given}):", f"    return [{', '.join(results)}]"),
            *lines("", "", "def commit():", *(copies or ["    pass"])),
            *lines("", "", f"def step({self.given}):", f"    compute({self.given})"),
            *lines(f"    found = results({given})", "    commit()", "    return found"),
        ]
