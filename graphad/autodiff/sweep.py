"""What both modes of differentiation share: the directions they are given, and the labels of what one sweep makes.

A graph can be differentiated many times, and so can the graph of its gradient. Each time is a sweep of its own: what it
makes for a node of a repeated step has another template than what any other sweep makes for the same node. The sweeps
of a Jacobian are alike, one for each of its rows, so rows are to them what time steps are to a cell: what they make
for one node shares its template, and can be folded.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphad.errors import DTypeError, ShapeError
from graphad.ir.node import Node, Origin, Scope, Template, labels, labels_from
from graphad.ops.build import as_node, constant

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Rows:
    """Sweeps that are alike: the scope of them all, and a number for whatever they make something for."""

    scope: Scope
    numbers: dict[object, int] = field(default_factory=dict)

    def template(self, *what: object) -> Template:
        """The template of what all these sweeps make for some things."""
        return (self.scope, *(self.numbers.setdefault(one, len(self.numbers)) for one in what))


@dataclass(frozen=True, slots=True)
class Sweep:
    """One walk over a graph, forward or in reverse; number ``row`` of ``rows``, if they are given."""

    rows: Rows | None = None
    row: int = 0
    number: int = field(default_factory=lambda: next(_numbers))

    def labels(self, origin: Origin, made_by: str, twin: Node, position: int = 0) -> labels:
        """Labels for nodes that this sweep makes for a node of this origin."""
        if origin.template is not None:
            return labels_from(origin, made_by, twin, position, (origin.template, self.number))
        if self.rows is not None:
            origin = replace(origin, scope=self.rows.scope, step=self.row, template=self.rows.template(origin, twin))
        return labels_from(origin, made_by, twin, position)


def directions(given: Sequence[Any], nodes: Sequence[Node], what: str) -> list[Node]:
    """The cotangents or tangents (``what``) of nodes, as nodes of the same types; Python numbers take the dtype."""
    weak = [isinstance(value, (bool, int, float)) for value in given]
    found = [
        constant(value, node.dtype) if w else as_node(value) for value, node, w in zip(given, nodes, weak, strict=True)
    ]
    for direction, node in zip(found, nodes, strict=True):
        if direction.type != node.type:
            kind = DTypeError if direction.shape == node.shape else ShapeError
            raise kind(f"the {what} {direction!r} must be of the type of {node!r}, whose {what} it is")
    return found
