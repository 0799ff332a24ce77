"""What both modes of differentiation share: the directions they are given, and the labels of what one sweep makes.

A graph can be differentiated many times, and so can the graph of its gradient. Each time is a sweep of its own: what it
makes for a node of a repeated step has another template than what any other sweep makes for the same node.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphad.errors import DTypeError, ShapeError
from graphad.ir.node import Node, Origin, labels, labels_from
from graphad.ops.build import as_node, constant

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Sweep:
    """One walk over a graph, forward or in reverse."""

    number: int = field(default_factory=lambda: next(_numbers))

    def labels(self, origin: Origin, made_by: str, twin: Node, position: int = 0) -> labels:
        """Labels for nodes that this sweep makes for a node of this origin."""
        template = origin.template and (origin.template, self.number)
        return labels_from(replace(origin, template=template), made_by, twin, position)


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
