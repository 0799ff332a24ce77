"""The numpy backend: emits a module, compiles it section by section, and runs it on the parameters' own memory."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np

from graphad.backend.flush import subnormals_flushed
from graphad.backend.numpy_source import Blocks, Module, emit
from graphad.backend.numpy_watch import Watch, watched
from graphad.ir.evaluation import failure
from graphad.ir.leaves import Parameter, Storage
from graphad.ir.node import Node
from graphad.ir.op import KERNEL_ERRORS, Array
from graphad.schedule.program import Program

_numbers = itertools.count()


class NumpyExecutable:
    """A program as a loaded module."""

    def __init__(self, program: Program, header: str, blocks: Blocks = MappingProxyType({})) -> None:
        self.program = program
        self.module: Module = emit(program, header, blocks)
        self._file = f"<graphad program {next(_numbers)}>"
        self._names: dict[str, Any] = {}
        self._new_values: list[Array] = []
        self._moves = -1
        self._bind()
        self._arguments: Sequence[Array] = ()

    @property
    def source(self) -> str:
        """The module's text."""
        return self.module.source

    def compute(self, arguments: Sequence[Array]) -> None:
        """Run the statements; what a kernel raises becomes an error that names its node."""
        if self._moves != Storage.moves:
            self._bind()
        try:
            with subnormals_flushed():
                self._names["compute"](*arguments)
        except KERNEL_ERRORS as error:
            node = self._failed_node(error.__traceback__)
            if node is None:
                raise
            raise failure(error, node) from error
        self._arguments = arguments

    def _bind(self) -> None:
        """Load the module on the parameters' memory; again, if they were moved into a block since."""
        self._moves = Storage.moves
        bound = ((self._names.get(name), _array(node)) for name, node in self.module.parameters.items())
        if not self._names or any(before is not now for before, now in bound):
            self._names = _load(self.module, self._file)
            self._new_values = [self._names[name] for name in self.module.new_values]

    def statements(self) -> dict[Node, str]:
        """The text of the statement that computes each node."""
        written = (line for section in self.module.sections for line in section.lines)
        return {line.node: line.text.strip() for line in written if line.node is not None}

    def standalone(self) -> str:
        """The module's text with the values that the parameters have now."""
        values = {name: _array(node) for name, node in self.module.parameters.items()}
        return self.module.with_values(values).source

    def run_watched(self, arguments: Sequence[Array], watch: Watch) -> None:
        """Compute once, in memory of its own, telling ``watch`` of each statement; no parameter changes."""
        module, statements = watched(self.module)
        names = _load(module, self._file)
        names["clock"] = time.perf_counter_ns
        names["watch"] = lambda number, begin, end, values: watch(statements[number], begin, end, values)
        with subnormals_flushed(), np.errstate(all="ignore"):
            names["compute"](*arguments)

    def _failed_node(self, traceback: TracebackType | None) -> Node | None:
        found = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self._file:
                line = self.module.node_of_line(traceback.tb_lineno)
                found = found if line is None else line
            traceback = traceback.tb_next
        return found

    def results(self) -> list[Array]:
        """Copies of the outputs."""
        function = self._names["results"]
        found: list[Array] = function(*self._arguments) if function.__code__.co_argcount else function()
        self._arguments = ()
        return found

    def new_values(self) -> Sequence[Array]:
        """The buffers that hold the new values."""
        return self._new_values

    def commit(self) -> None:
        """Copy new values over old ones."""
        self._names["commit"]()


def _load(module: Module, file: str) -> dict[str, Any]:
    """Run the sections in one namespace; parameters are not made anew but are the storages themselves."""
    namespace: dict[str, Any] = {}
    first_line = 1
    for section in module.sections:
        if section.title == "parameters":
            namespace.update({name: _array(node) for name, node in module.parameters.items()})
        else:
            text = "\n" * (first_line - 1) + "".join(f"{line.text}\n" for line in section.lines)
            exec(compile(text, file, "exec"), namespace)
        first_line += len(section.lines)
    return namespace


def _array(node: Node) -> Array:
    if not isinstance(node.op, Parameter):
        raise TypeError(f"{node!r} is no parameter")
    return node.op.storage.array
