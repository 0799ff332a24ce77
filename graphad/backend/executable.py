"""What a backend makes of a graph: it computes, hands out results, and then commits new parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from graphad.ir.op import Array


class Executable(Protocol):
    """One graph with integer sizes, ready to run. Calls come in the order of the methods."""

    def compute(self, arguments: Sequence[Array]) -> None:
        """Compute everything, changing no parameter and no argument. What numpy warns of is the caller's affair."""

    def results(self) -> list[Array]:
        """The outputs, as arrays of the caller's own."""

    def new_values(self) -> Sequence[Array]:
        """What `commit` will give to the updated parameters, in their order; not to be changed or kept."""

    def commit(self) -> None:
        """Give parameters their new values. It may be called again if it was interrupted."""

    @property
    def source(self) -> str:
        """The program as text."""
