"""The rows of the table of operations, each with the same function written for autograd.

An operation of numpy's name, whose attributes are numpy's positional arguments, and a public function of numpy's name
that is called as it is, need not be written down: autograd has them under the same name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import graphad as ga
from tests.oracles import along_axes, elementwise, learning, places, products
from tests.oracles.peer import np
from tests.rows.sample import FunctionSample, Row, Sample

OPERATIONS = {
    **elementwise.OPERATIONS,
    **along_axes.OPERATIONS,
    **places.OPERATIONS,
    **products.OPERATIONS,
}
"""By the name of the operation: a function of the operands, and of the attributes by keyword."""

FUNCTIONS = {
    **elementwise.FUNCTIONS,
    **along_axes.FUNCTIONS,
    **places.FUNCTIONS,
    **products.FUNCTIONS,
    **learning.FUNCTIONS,
}
"""By the label of the row: a function of the operands."""

UNCOVERED: tuple[tuple[str, str], ...] = ()
"""The labels of smooth rows that are not compared, each with the reason."""


def peer_of(row: Row) -> Callable[..., Any] | None:
    """The function of arrays that autograd can differentiate; None if there is none."""
    found = _of_operation(row) if isinstance(row, Sample) else _of_function(row)
    return None if found is None else lambda *arrays: np.array(found(*arrays))


def _of_operation(row: Sample) -> Callable[..., Any] | None:
    attributes = {field.name: getattr(row.op, field.name) for field in dataclasses.fields(row.op)}
    if row.op.name in OPERATIONS:
        return partial(OPERATIONS[row.op.name], **attributes)
    same = getattr(np, row.op.name, None)
    return same and (lambda *arrays: same(*arrays, *attributes.values()))


def _of_function(row: Row) -> Callable[..., Any] | None:
    assert isinstance(row, FunctionSample)
    if row.label in FUNCTIONS:
        return FUNCTIONS[row.label]
    as_it_is = row.call is getattr(ga, row.name, None)
    return getattr(np, row.name, None) if as_it_is else None
