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
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, Scope, apply, current_place, current_scope, labels
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import as_node, normalize_axis
from graphad.ops.control import stop_gradient
from graphad.ops.shaping import expand_dims, stack
from graphad.ops.slicing import Slice, full_index
from graphad.ops.structure import zeros
from graphad.recurrence.masks import blanked, blanked_if_own, kept, mask_of, without

StepFunction = Callable[[Any, Any], tuple[Any, Any]]


@builder
@without_collection
def unroll(
    cell: StepFunction,
    init: Any = None,
    xs: Any = None,
    *,
    axis: int = 0,
    steps: int | None = None,
    reverse: bool = False,
    truncate: int | None = None,
    lengths: Any = None,
    mask: Any = None,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Call ``cell(carry, x_t) -> (carry, output)`` once per step; return the last carry and the outputs, stacked.

    ``init`` is the first carry: a node, or a tuple, list or dict of nodes; the cell returns the like. Cells that know
    their first carry, such as `lstm_cell`, need none. ``xs`` is a node whose ``axis`` is time, or a structure of such
    nodes, or None with ``steps=T`` (then x_t is None). The outputs are stacked on ``axis``; None among them stays
    None. ``reverse`` goes from the last step to the first; the outputs stay in the order of time. ``truncate=k`` stops
    the gradient through the carry every k steps. No steps give the initial carry.

    Sequences of different lengths: ``mask`` (bool, (batch, time) whatever ``axis`` is; or (time,) for all alike) says
    which steps count, ``lengths`` (integers, (batch,)) that the first so many do. Where a step does not count, the
    carry stays as it was and the output is 0, and the cell is given 0 for what ``xs`` hold for that sequence: so what
    fills the place, NaN too, reaches neither a value nor a gradient. Carries, outputs, and those of ``xs`` that hold
    one entry per sequence, begin with the axis of the batch.

    >>> import graphad as ga, numpy as np
    >>> x, W = ga.input("x", shape=("batch", 5, 3)), ga.parameter(np.ones((3, 3), "float32"), "W")
    >>> def cell(h, x_t):
    ...     h = ga.tanh(x_t + h @ W)
    ...     return h, h
    >>> unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    (<tanh: float32[batch, 3]>, <stack: float32[batch, 5, 3]>)
    """
    if not callable(cell):
        raise ArgumentError(f"the cell is a step function, cell(carry, x_t) -> (carry, output); got {cell!r}")
    if truncate is not None and not (is_integer(truncate) and truncate > 0):
        raise ArgumentError(f"truncate is a number of steps, at least 1, or None; got {truncate!r}")
    inputs = nest.mapped(lambda leaf: None if leaf is None else as_node(leaf), xs)
    carry = nest.mapped(as_node, _initial(cell, inputs, axis) if init is None else init)
    count = _count_steps(inputs, axis, steps)
    counting = mask_of(lengths, mask, count)
    scope = Scope(name or _called(cell), current_scope())
    if count == 0:
        return carry, _no_outputs(cell, carry, inputs, axis, scope)
    if counting is not None:
        inputs = nest.mapped(partial(blanked_if_own, counting, axis=axis), inputs)
    outputs: list[Any] = []
    for done, step in enumerate(reversed(range(count)) if reverse else range(count)):
        if truncate and done and done % truncate == 0:
            with labels(scope, step, template=(scope, "truncate")):  # the nodes of the step keep their numbers
                carry = nest.mapped(stop_gradient, carry)
        with labels(scope, step, template=(scope,)):
            x_t = nest.mapped(partial(_at, axis=axis, step=step), inputs)
            after, output = _one_step(cell, carry, x_t)
            carry = after if counting is None else kept(counting, step, carry, after)
            outputs.append(output)
    stacked = _stacked(outputs[::-1] if reverse else outputs, axis)
    return carry, stacked if counting is None else nest.mapped(partial(blanked, counting, axis=axis), stacked)


def _initial(cell: StepFunction, inputs: Any, axis: int) -> Any:
    """The first carry of a cell that knows it, for the batch that the inputs have."""
    known = getattr(cell, "initial", None)
    first = next((leaf for leaf in nest.leaves(inputs) if leaf is not None), None)
    if known is None or first is None:
        raise ArgumentError(f"{_called(cell)} starts from nothing: give the first carry as init")
    place = normalize_axis(axis, first.ndim)
    return known(*without(first.shape, place)[:-1])


def _count_steps(inputs: Any, axis: int, steps: int | None) -> int:
    lengths = [leaf.shape[normalize_axis(axis, leaf.ndim)] for leaf in nest.leaves(inputs) if leaf is not None]
    named = [length for length in lengths if not isinstance(length, int)]
    if named:
        raise ShapeError(
            f"unroll needs to know the number of steps; the time axis of xs has the size {named[0]}: use an integer"
        )
    if steps is not None and not (is_integer(steps) and steps >= 0):
        raise ArgumentError(f"the number of steps is an integer >= 0; got {steps!r}")
    counts = {*lengths, *(() if steps is None else (int(steps),))}
    if len(counts) != 1:
        given = "neither is given" if not counts else f"{sorted(counts)} are given"
        raise ArgumentError(f"unroll needs one number of steps, from xs or from steps=: {given}")
    (count,) = counts
    return int(count)


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
    return nest.rebuilt(carry, iter(nest.leaves(after))), result[1]


def _called(cell: StepFunction) -> str:
    """What the scope is called after: the name of a function, or of a cell."""
    return str(getattr(cell, "__name__", getattr(cell, "name", "cell")))


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
    return zeros(TensorType(without(leaf.shape, place), leaf.dtype))
