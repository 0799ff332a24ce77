"""The node: one operation on operands, one value; and its origin: when it computes and why it exists.

Origins are not written by those who build nodes. Builders call `apply`, and whoever gives nodes a reason (an unrolled
step, reverse mode, a rewrite) opens a `labels` block around them; every node built inside it is labelled alike.
"""

from __future__ import annotations

import itertools
import operator
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, Self, TypeAlias

import numpy as np

from graphad.errors import ArgumentError, GraphadError, SymbolicValueError
from graphad.ir.leaves import Parameter
from graphad.ir.op import Array, Op
from graphad.ir.operators import Operators
from graphad.ir.tensor_type import Shape, TensorType

SourceLine: TypeAlias = tuple[str, int]
Template: TypeAlias = tuple[Any, ...]
COTANGENT = "cotangent"
"""The ``made_by`` of a node that is the whole cotangent of its twin, and not a step on the way to one."""
PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"
RANK, _TYPE = operator.attrgetter("origin.rank"), operator.attrgetter("type")


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A place in the declaration that repeats over time; each is its own, whatever its name."""

    name: str
    parent: Scope | None = None

    @property
    def path(self) -> str:
        """The names from the outermost scope to this one."""
        return self.name if self.parent is None else f"{self.parent.path}/{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where a node comes from; rewrites hand it on.

    ``source``: file and line of the user's code. ``scope``, ``step``, ``template``: which repeated place, which time
    step, and which node of the step it is: copies of one node at different steps share their template. ``twin``: the
    forward node that it was made for by differentiation. ``made_by``: the rule or rewrite that made it; None: the
    user did. ``rank``: its place in the order of declaration, never less than that of its operands.
    """

    source: SourceLine | None = None
    scope: Scope | None = None
    step: int | None = None
    template: Template | None = None
    twin: Node | None = None
    made_by: str | None = None
    rank: int = 0

    @property
    def place(self) -> str:
        """The time step and the user's line, as errors and comments show them."""
        step = "" if self.step is None else f"step {self.step}"
        line = "" if self.source is None else f"{Path(self.source[0]).name}:{self.source[1]}"
        return " ".join(part for part in (step, line) if part)


def _located(ask: Callable[..., Node]) -> Callable[..., Node]:
    """What is asked of a function of numpy's and refused says so, and in which line of the user's code."""

    def asked(self: Node, function: Any, *arguments: Any, **keywords: Any) -> Node:
        try:
            return ask(self, function, *arguments, **keywords)
        except GraphadError as error:
            error.locate(f"{function.__name__} of nodes", current_place())
            raise

    return asked


class Node(Operators):
    """A symbolic value. Nodes are immutable and compared by identity; merging equal ones is a pass."""

    __slots__ = ("name", "op", "operands", "origin", "type")
    op: Op
    operands: tuple[Node, ...]
    type: TensorType
    name: str | None
    origin: Origin

    def __init__(
        self, op: Op, operands: tuple[Node, ...], type: TensorType, name: str | None = None, origin: Origin = Origin()
    ) -> None:
        assign = object.__setattr__
        assign(self, "op", op)
        assign(self, "operands", operands)
        assign(self, "type", type)
        assign(self, "name", name)
        assign(self, "origin", origin)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "value":
            raise AttributeError(f"{self!r} is immutable: build another node instead of assigning to .{name}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self!r} is immutable: .{name} cannot be deleted")

    __array_ufunc__ = _located(Operators.__array_ufunc__)
    __array_function__ = _located(Operators.__array_function__)

    @property
    def shape(self) -> Shape:
        """The sizes of the axes: integers, or expressions over named sizes."""
        return self.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.type.ndim

    @property
    def value(self) -> Array:
        """A parameter's value, a read-only copy; assign to replace it. An ArgumentError for any other node."""
        return _parameter_of(self).storage.read()

    @value.setter
    def value(self, value: Any) -> None:
        _parameter_of(self).storage.write(value, self.name or "without a name")

    def named(self, name: str) -> Node:
        """The same computation under a name that pictures, listings and emitted programs show."""
        return Node(self.op, self.operands, self.type, name, self.origin)

    @property
    def label(self) -> str:
        """What messages call the node: its name, for a cotangent ``d_`` and its twin's, else its operation."""
        depth, node = 0, self
        while node.name is None and node.origin.made_by == COTANGENT and node.origin.twin is not None:
            depth, node = depth + 1, node.origin.twin
        return "d_" * depth + (node.name or node.op.name)

    def __len__(self) -> int:
        if not self.shape:
            raise SymbolicValueError(f"{self!r} has no axes, so it has no length")
        if not isinstance(self.shape[0], int):
            raise SymbolicValueError(
                f"{self!r} has the named size {self.shape[0]}: its length is known at the call only"
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Node]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<{self.label}: {self.type}>"


def _parameter_of(node: Node) -> Parameter:
    if not isinstance(node.op, Parameter):
        raise ArgumentError(f"{node!r} has no value: only parameters do; compile and call a function to get numbers")
    return node.op


class labels:  # noqa: N801 (a context manager that reads as a word)
    """Inside ``with labels(...)``, every node that `apply` builds carries these labels.

    ``template`` is the common beginning of the templates; the nodes built in the block are numbered after it. Without
    ``source``, each node remembers the line of the user's code that is running.
    """

    __slots__ = ("count", "made_by", "rank", "scope", "source", "step", "template", "token", "twin")

    def __init__(
        self,
        scope: Scope | None = None,
        step: int | None = None,
        template: Template | None = None,
        source: SourceLine | None = None,
        twin: Node | None = None,
        made_by: str | None = None,
    ) -> None:
        self.scope, self.step, self.template = scope, step, template
        self.source, self.twin, self.made_by = source, twin, made_by
        self.rank: int | None = None
        self.count = 0
        self.token: Token[labels] | None = None

    def __enter__(self) -> Self:
        self.token = _labels.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self.token is not None:
            _labels.reset(self.token)

    def follow(self, origin: Origin, made_by: str) -> None:
        """Label what is built next as made in place of a node of this origin."""
        self.scope, self.step, self.source, self.twin = origin.scope, origin.step, origin.source, origin.twin
        self.template = None if origin.template is None else (origin.template, made_by)
        self.made_by, self.rank, self.count = made_by, origin.rank, 0

    def next_origin(self) -> Origin:
        """The origin of the next node of the block."""
        template = None if self.template is None else (*self.template, self.count)
        self.count += 1
        rank = next(_ranks) if self.rank is None else self.rank
        return Origin(self.source or user_line(), self.scope, self.step, template, self.twin, self.made_by, rank)


_ranks = itertools.count(1)


def next_rank() -> int:
    """A place in the order of declaration: behind all nodes that there are, before those that will be declared."""
    return next(_ranks)


_unlabelled = labels()
_labels: ContextVar[labels] = ContextVar("labels", default=_unlabelled)


def labels_from(
    origin: Origin, made_by: str, twin: Node | None = None, position: int = 0, template: Template | None = None
) -> labels:
    """Labels for nodes that are made for a node of this origin: same step, same line, a template below its own (or
    below the one given).
    """
    above = origin.template if template is None else template
    below = None if above is None else (above, made_by, position)
    return labels(origin.scope, origin.step, below, origin.source, origin.twin if twin is None else twin, made_by)


def current_scope() -> Scope | None:
    """The scope in whose block we are."""
    return _labels.get().scope


def current_place() -> str:
    """The time step, and the user's line, of what is being built now."""
    return Origin(user_line(), step=_labels.get().step).place


def user_line() -> SourceLine | None:
    """The innermost line on the stack that is not graphad's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def apply(op: Op, *operands: Node, name: str | None = None) -> Node:
    """Build the node of ``op`` on ``operands``; a misfit raises the op's typed error, with operands, step and line."""
    origin = _after(operands, _labels.get().next_origin())
    return Node(op, operands, _inferred(op, operands, origin), name, origin)


def _inferred(op: Op, operands: tuple[Node, ...], origin: Origin) -> TensorType:
    try:
        return op.infer(*map(_TYPE, operands))
    except GraphadError as error:
        error.locate(application_text(op, operands), origin.place)
        raise


def application_text(op: Op, operands: tuple[Node, ...]) -> str:
    """The op on its operands, with their types, as messages show it."""
    return f"{op.name}({', '.join(f'{operand.label}: {operand.type}' for operand in operands)})"


def rebuild(node: Node, op: Op, operands: tuple[Node, ...]) -> Node:
    """The node with another op or operands, keeping its name and origin."""
    origin = _after(operands, node.origin)
    known = op is node.op and [*map(_TYPE, operands)] == [*map(_TYPE, node.operands)]
    type = node.type if known else _inferred(op, operands, origin)
    return Node(op, operands, type, node.name, origin)


def same(first: Sequence[Node], second: Sequence[Node]) -> bool:
    """Whether both hold the very same nodes: ``==`` builds a node that compares values."""
    return len(first) == len(second) and all(map(operator.is_, first, second))


def _after(operands: tuple[Node, ...], origin: Origin) -> Origin:
    """The origin, with a rank that is not less than the operands'."""
    for operand in operands:
        if operand.origin.rank > origin.rank:
            origin = replace(origin, rank=operand.origin.rank)
    return origin
