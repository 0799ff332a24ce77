"""How an emitted program calls things: Python names for nodes, numpy's names for functions, literals for attributes."""

from __future__ import annotations

import builtins
import dis
import inspect
import keyword
import re
import textwrap
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from graphad.ir.leaves import Constant
from graphad.ir.node import Node

_OF_MODULES = (
    "np",
    "base64",
    "buffer",
    "memory",
    "arena",
    "compute",
    "results",
    "commit",
    "step",
    "watch",
    "clock",
    "__builtins__",
)
RESERVED = (*_OF_MODULES, *dir(builtins))


class Names:
    """A Python name for each node: after its label and its step, told apart by a number where two would be the same."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._names: ChainMap[Node, str] = ChainMap()
        self._scratch: dict[Node, str] = {}
        self._taken: dict[str, int] = dict.fromkeys((*RESERVED, *reserved), 1)

    def __getitem__(self, node: Node) -> str:
        if node not in self._names:
            step = "" if node.origin.step is None else f"_t{node.origin.step}"
            self._names[node] = self.fresh(identifier(node.label) + step)
        return self._names[node]

    def scratch(self, node: Node) -> str:
        """What the node's kernel needs while it runs."""
        if node not in self._scratch:
            self._scratch[node] = self.fresh(f"{self[node]}_scratch")
        return self._scratch[node]

    def alias(self, node: Node, name: str) -> None:
        """Call a node what another is called: they are one array."""
        self._names[node] = name

    def renamed(self, names: Mapping[Node, str]) -> Names:
        """The same names, but for nodes that are called something else in some place."""
        inner = Names()
        inner._names, inner._scratch, inner._taken = self._names.new_child(dict(names)), self._scratch, self._taken
        return inner

    def fresh(self, wanted: str) -> str:
        """The name that is wanted, or the next one like it that nobody has."""
        name = wanted
        while name in self._taken:
            self._taken[wanted] = self._taken.get(wanted, 1) + 1
            name = f"{wanted}_{self._taken[wanted]}"
        self._taken[name] = 1
        return name


def identifier(label: str) -> str:
    """The label as a Python identifier.

    >>> identifier("W:0"), identifier("class"), identifier("1st")
    ('W_0', 'class_', '_1st')
    """
    name = re.sub(r"\W", "_", label, flags=re.ASCII) or "_"
    name = f"_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def function_name(function: Callable[..., Any]) -> str:
    """How the program calls a function: ``np.tanh``, ``np.add.reduce``, or the name of a kernel of ours."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    return function.__name__ if is_own_kernel(function) else f"np.{function.__name__}"


def is_own_kernel(function: Callable[..., Any]) -> bool:
    """Whether numpy has no such function, so that the program must carry it."""
    return inspect.isfunction(function) and function.__module__.startswith("graphad.")


def kernel_sources(functions: Iterable[Callable[..., Any]]) -> dict[str, str]:
    """Our own kernels, and the functions of ours that they call, by name, each once, callees first."""
    sources: dict[str, str] = {}
    pending = [function for function in dict.fromkeys(functions) if is_own_kernel(function)][::-1]
    while pending:
        function = pending.pop()
        missing = [called for called in _called(function) if called.__name__ not in sources]
        if missing:
            pending += [function, *missing]
        elif function.__name__ not in sources:
            sources[function.__name__] = _plain_source(function)
    return sources


def _called(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    loaded = (code.argval for code in dis.get_instructions(function) if code.opname == "LOAD_GLOBAL")
    return [f for f in map(function.__globals__.get, loaded) if f is not None and is_own_kernel(f)]


def _plain_source(function: Callable[..., Any]) -> str:
    """The source without annotations, which name types that the program does not import."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    end = next(i for i, line in enumerate(lines) if line.rstrip().endswith(":"))
    signature = inspect.signature(function).parameters.values()
    parameters = [str(parameter.replace(annotation=inspect.Parameter.empty)) for parameter in signature]
    return "\n".join([f"def {function.__name__}({', '.join(parameters)}):", *lines[end + 1 :]])


def comment(text: str) -> str:
    """The text as a comment of one line, whatever it holds: it may come from the name of a file.

    >>> comment("step 3 a file.py:12")
    '  # step 3 a file.py:12'
    """
    return "  # " + " ".join(text.split()).encode("utf-8", "backslashreplace").decode() if text else ""


def scalar_literal(node: Node) -> str | None:
    """The number of a 0-d constant, as the shortest text that reads back as the same number; None for all else."""
    op = node.op
    if not isinstance(op, Constant) or op.type.shape != () or not np.isfinite(op.value):
        return None
    number = op.value[()]
    return repr(number.item()) if op.type.dtype.kind != "f" else repr(float(str(number)))
