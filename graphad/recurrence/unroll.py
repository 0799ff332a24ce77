"""Unrolling: a step function, called T times, becomes T labelled copies of one cell.

Every node of a copy carries the scope of this unrolling, its step, and its number within the step, so that the copies
can be recognised as one cell again, forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir import nest
from graphad.ir.builder import builder
from graphad.ir.collection import without_collection
from graphad.ir.node import Node, Scope, apply, current_place, current_scope, labels
from graphad.ir.tensor_type import INT64, TensorType
from graphad.ops.build import as_node, broadcast, cast, normalize_axis
from graphad.ops.control import stop_gradient
from graphad.ops.selection import where
from graphad.ops.shaping import expand_dims, stack
from graphad.ops.slicing import Slice, full_index
from graphad.ops.structure import zeros

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


@builder
@without_collection
def unroll(
    cell: StepFunction,
    init: Any,
    xs: Any = None,
    *,
    axis: int = 0,
    steps: int | None = None,
    reverse: bool = False,
    truncate: int | None = None,
    lengths: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Call ``cell(carry, x_t) -> (carry, output)`` once per step; return the last carry and the outputs, stacked.

    ``init`` is the first carry: a node, or a tuple, list or dict of nodes; the cell returns the like. ``xs`` is a
    node whose ``axis`` is time, or a structure of such nodes, or None with ``steps=T`` (then x_t is None). The
    outputs are stacked on ``axis``; None among them stays None. ``reverse`` goes from the last step to the first; the
    outputs stay in the order of time. ``truncate=k`` stops the gradient through the carry every k steps. ``lengths``
    (one integer per sequence, the first axis of every carry) lets a finished sequence keep its carry. No steps give
    the initial carry.

    >>> import graphad as ga, numpy as np
    >>> x, W = ga.input("x", shape=("batch", 5, 3)), ga.parameter(np.ones((3, 3), "float32"), "W")
    >>> def cell(h, x_t):
    ...     h = ga.tanh(x_t + h @ W)
    ...     return h, h
    >>> unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    (<tanh: float32[batch, 3]>, <stack: float32[batch, 5, 3]>)
    """
    if truncate is not None and truncate < 1:
        raise ArgumentError(f"truncate is a number of steps, at least 1, or None; got {truncate!r}")
    carry = nest.mapped(as_node, init)
    inputs = nest.mapped(lambda leaf: None if leaf is None else as_node(leaf), xs)
    count = _count_steps(inputs, axis, steps)
    scope = Scope(name or _called(cell), current_scope())
    if count == 0:
        return carry, _no_outputs(cell, carry, inputs, axis, scope)
    ends = None if lengths is None else _as_lengths(lengths)
    outputs: list[Any] = []
    for done, step in enumerate(reversed(range(count)) if reverse else range(count)):
        if truncate and done and done % truncate == 0:
            with labels(scope, step, template=(scope, "truncate")):  # the nodes of the step keep their numbers
                carry = nest.mapped(stop_gradient, carry)
        with labels(scope, step, template=(scope,)):
            x_t = nest.mapped(partial(_at, axis=axis, step=step), inputs)
            after, output = _one_step(cell, carry, x_t)
            carry = after if ends is None else _keep_finished(carry, after, ends, step)
            outputs.append(output)
    return carry, _stacked(outputs[::-1] if reverse else outputs, axis)


def _count_steps(inputs: Any, axis: int, steps: int | None) -> int:
    lengths = [leaf.shape[normalize_axis(axis, leaf.ndim)] for leaf in nest.leaves(inputs) if leaf is not None]
    named = [length for length in lengths if not isinstance(length, int)]
    if named:
        raise ShapeError(
            f"unroll needs to know the number of steps; the time axis of xs has the size {named[0]}: use an integer"
        )
    counts = {*lengths, *(() if steps is None else (steps,))}
    if len(counts) != 1:
        given = "neither is given" if not counts else f"{sorted(counts)} are given"
        raise ArgumentError(f"unroll needs one number of steps, from xs or from steps=: {given}")
    (count,) = counts
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ArgumentError(f"the number of steps is an integer >= 0; got {count!r}")
    return count


def _at(leaf: Node | None, axis: int, step: int) -> Node | None:
    if leaf is None:
        return None
    place = normalize_axis(axis, leaf.ndim)
    index = full_index(leaf.shape)
    return apply(Slice((*index[:place], step, *index[place + 1 :])), leaf)


def _one_step(cell: StepFunction, carry: Any, x_t: Any) -> tuple[Any, Any]:
    result = cell(carry, x_t)
    try:
        return _checked_step(carry, result)
    except GraphadError as error:
        error.locate(f"the step function {_called(cell)}", current_place())
        raise


def _checked_step(carry: Any, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(f"it must return (carry, output); it returned {result!r}")
    after = nest.mapped(as_node, result[0])
    nest.check_alike(carry, after)
    for old, new in zip(nest.leaves(carry), nest.leaves(after), strict=True):
        if old.type != new.type:
            kind = DTypeError if old.shape == new.shape else ShapeError
            raise kind(f"it got a carry of {old.type} and returned {new.type} in its place: they must be alike")
    return after, result[1]


def _called(cell: StepFunction) -> str:
    return str(getattr(cell, "__name__", "cell"))


def _as_lengths(lengths: Any) -> Node:
    node = as_node(lengths)
    if node.dtype.kind not in "iu":
        raise DTypeError(f"lengths are integers, one for each sequence; got {node!r}")
    return cast(node, INT64)


def _keep_finished(before: Any, after: Any, ends: Node, step: int) -> Any:
    running = ends > step

    def choose(old: Node, new: Node) -> Node:
        aligned = running.reshape(*running.shape, *(1,) * (new.ndim - running.ndim))
        return where(broadcast(aligned, new.shape), new, old)

    return nest.mapped(choose, before, after)


def _stacked(outputs: list[Any], axis: int) -> Any:
    for later in outputs[1:]:
        nest.check_alike(outputs[0], later)
    columns = zip(*(nest.leaves(output) for output in outputs), strict=True)
    return nest.rebuilt(outputs[0], iter([_stacked_column(column, axis) for column in columns]))


def _stacked_column(column: tuple[Any, ...], axis: int) -> Node | None:
    absent = sum(part is None for part in column)
    if absent not in (0, len(column)):
        raise ArgumentError(f"an output is None at {absent} of {len(column)} steps: let it be None at all or at none")
    return None if absent else stack(column, axis)


def _no_outputs(cell: StepFunction, carry: Any, inputs: Any, axis: int, scope: Scope) -> Any:
    """Outputs of no steps: the cell is asked for their types once, on zeros."""
    with labels(scope, 0, template=(scope,)):
        x_t = nest.mapped(lambda leaf: None if leaf is None else _blank(leaf, axis), inputs)
        _, output = _one_step(cell, carry, x_t)

    def empty(leaf: Node | None) -> Node | None:
        if leaf is None:
            return None
        shape = expand_dims(as_node(leaf), axis).shape
        place = normalize_axis(axis, len(shape))
        return zeros(TensorType((*shape[:place], 0, *shape[place + 1 :]), leaf.dtype))

    return nest.mapped(empty, output)


def _blank(leaf: Node, axis: int) -> Node:
    place = normalize_axis(axis, leaf.ndim)
    return zeros(TensorType(leaf.shape[:place] + leaf.shape[place + 1 :], leaf.dtype))
