"""Jacobians, Hessians, and products with Hessians, built of sweeps of both modes.

A Jacobian has one sweep for each row (reverse mode) or each column (forward mode), whichever are fewer. The sweeps are
labelled as the steps of a cell are, so a compiled function folds them: one product for all rows, not one for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphad.autodiff.forward import jvp, tangents_of
from graphad.autodiff.reverse import (
    Disconnected,
    check_choice,
    check_differentiable,
    cotangents_of,
    grad,
    refuse_unreached,
)
from graphad.autodiff.sweep import Rows, Sweep
from graphad.errors import ShapeError
from graphad.ir import nest
from graphad.ir.builder import located
from graphad.ir.collection import without_collection
from graphad.ir.node import Node, Scope, current_scope, labels
from graphad.ir.tensor_type import Dimension, TensorType, known
from graphad.ops.build import cast
from graphad.ops.filled import eye
from graphad.ops.getitem import getitem
from graphad.ops.shaping import reshape, stack, transpose
from graphad.ops.structure import zeros


@located
@without_collection
def jacobian(y: Node, x: Any, disconnected: Disconnected = "raise") -> Any:
    """The derivative of each element of ``y`` by each of ``x``, of shape ``y.shape + x.shape`` and dtype of ``x``.

    ``x`` is a node, or a tuple, list or dict of nodes: the result has its structure. There are as many sweeps as ``y``
    or ``x`` has elements, whichever are fewer, so one of them needs integer sizes: a ShapeError says if none has.
    GradientError for what is no float; UnreachedError if ``y`` does not depend on one of ``x``, unless
    ``disconnected="zero"``.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 3))
    >>> jacobian(ga.sum(ga.tanh(x), axis=0), x)
    <stack: float32[3, batch, 3]>
    """
    check_choice(disconnected)
    starts = nest.leaves(x)
    check_differentiable([y, *starts])
    by_rows = _reverse_is_shorter(y, starts)
    blocks = _by_rows(y, starts) if by_rows else [_by_columns(y, start) for start in starts]
    pairs = zip(blocks, starts, strict=True)
    return nest.rebuilt(x, iter([_or_zeros(block, y, start, disconnected) for block, start in pairs]))


def _reverse_is_shorter(y: Node, starts: Sequence[Node]) -> bool:
    rows: Dimension = y.type.size
    columns: Dimension = sum((start.type.size for start in starts), start=0)
    if isinstance(rows, int):
        return not isinstance(columns, int) or rows < columns
    if isinstance(columns, int):
        return False
    raise ShapeError(
        f"of a Jacobian, {y!r} by {starts}, one side needs integer sizes: {rows} and {columns} are known at the call "
        "only. Declare one with integers, or use ga.vjp or ga.jvp"
    )


def _by_rows(y: Node, starts: Sequence[Node]) -> list[Node | None]:
    """For each of the starts: its cotangents, given that of each element of ``y``; None if it is not reached."""
    rows = Rows(Scope("jacobian", current_scope()))
    found = [
        cotangents_of([y], [direction], starts, Sweep(rows, row)) for row, direction in enumerate(_basis(y, rows.scope))
    ]
    return [_side_by_side([row.get(start) for row in found], y, start) for start in starts]


def _by_columns(y: Node, start: Node) -> Node | None:
    """The tangents of ``y``, given that of each element of the start; None if none arrives."""
    rows = Rows(Scope("jacobian", current_scope()))
    found = [
        tangents_of([y], [start], [direction], Sweep(rows, column)).get(y)
        for column, direction in enumerate(_basis(start, rows.scope))
    ]
    columns = _side_by_side(found, start, y)
    if columns is None:
        return None
    order = (*range(start.ndim, columns.ndim), *range(start.ndim))
    return cast(transpose(columns, order), start.dtype)


def _basis(node: Node, scope: Scope) -> Iterator[Node]:
    """For each element of the node, the direction along it, labelled as the direction of its sweep."""
    size = known(node.type.size)
    directions = reshape(eye(size, dtype=node.dtype), (size, *node.shape))
    for element in range(size):
        with labels(scope, element, template=(scope, "direction")):
            direction = getitem(directions, element)
        yield direction


def _side_by_side(parts: Sequence[Node | None], by: Node, of: Node) -> Node | None:
    """Parts of the shape of ``of``, one for each element of ``by``."""
    found = [part for part in parts if part is not None]
    return reshape(stack(found), (*by.shape, *of.shape)) if found else None


def _or_zeros(block: Node | None, y: Node, x: Node, disconnected: Disconnected) -> Node:
    if block is not None:
        return block
    if y.type.size != 0 and x.type.size != 0:
        refuse_unreached(x, disconnected)
    return zeros(TensorType((*y.shape, *x.shape), x.dtype))


@located
def hessian(loss: Node, x: Any, disconnected: Disconnected = "raise") -> Any:
    """The second derivatives of a scalar, of shape ``x.shape + x.shape``: the Jacobian of its gradient.

    Of a tuple, list or dict of nodes, blocks: in the structure of ``x``, for each node the derivatives of its gradient
    by each, again in that structure. What a gradient does not depend on gives zeros. Errors are those of `grad` and
    `jacobian`.

    >>> import graphad as ga
    >>> x, y = ga.input("x", shape=(3,)), ga.input("y", shape=(2,))
    >>> hessian(ga.sum(x) * ga.sum(y * y), {"x": x, "y": y})["x"]["y"]
    <stack: float32[3, 2]>
    """
    gradients = grad(loss, x, disconnected)
    return nest.mapped(lambda gradient: jacobian(gradient, x, disconnected="zero"), gradients)


@located
def hvp(loss: Node, x: Any, v: Any, disconnected: Disconnected = "raise") -> Any:
    """The Hessian of a scalar by ``x``, times ``v``: forward mode over reverse mode, two sweeps whatever the size.

    ``v`` has the structure and the types of ``x``, and so has the result. Errors are those of `grad` and `jvp`.

    >>> import graphad as ga
    >>> x, v = ga.input("x", shape=("batch", 3)), ga.input("v", shape=("batch", 3))
    >>> hvp(ga.sum(ga.tanh(x)), x, v)
    <multiply: float32[batch, 3]>
    """
    return jvp(grad(loss, x, disconnected), x, v)
