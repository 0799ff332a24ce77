"""What a backend makes of a graph: it computes, hands out results, and then commits new parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from graphad.errors import ExecutionError, GraphadError, IndexRangeError
from graphad.ir.node import Node, located
from graphad.ir.op import Array


class Executable(Protocol):
    """One graph with integer sizes, ready to run. Calls come in the order of the methods."""

    def compute(self, arguments: Sequence[Array]) -> None:
        """Compute everything, changing no parameter and no argument."""

    def results(self) -> list[Array]:
        """The outputs, as arrays of the caller's own."""

    def commit(self) -> None:
        """Give parameters their new values. It may be called again if it was interrupted."""

    @property
    def source(self) -> str:
        """The program as text."""


def failure(error: Exception, node: Node) -> GraphadError:
    """The typed error for an exception that the node's kernel raised."""
    kind = IndexRangeError if isinstance(error, IndexError) else ExecutionError
    return kind(located(str(error), node.op, node.operands, node.origin))
