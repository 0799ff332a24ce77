"""What moves elements: structure, slicing, indexing, gathering, scattering, padding, joining.

Reading is numpy's own indexing, which autograd knows how to differentiate. Writing is a product with one-hot rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.oracles.peer import np

Function = Callable[..., Any]
Array = Any


def each_example(function: Function, *arrays: Array) -> Array:
    """A function of what the arrays hold at each place of their first axis."""
    return np.stack([function(*example) for example in zip(*arrays, strict=True)])


def take(x: Array, indices: Array, axis: int, batch: int = 0) -> Array:
    """The slabs at the indices."""
    if batch:
        return each_example(lambda part, i: take(part, i, axis - 1, batch - 1), x, indices)
    return x[(slice(None),) * axis + (indices,)]


def take_along_axis(x: Array, indices: Array, axis: int) -> Array:
    """The elements at the indices, all other places being the same."""
    return x[tuple(indices if i == axis else place for i, place in enumerate(np.indices(indices.shape)))]


def add_along_axis(x: Array, indices: Array, size: int, axis: int) -> Array:
    """The elements, added at the indices."""
    one_hot = np.eye(size)[indices]
    return np.moveaxis(np.sum(np.expand_dims(x, -1) * one_hot, axis=axis), -1, axis)


def spread(slabs: Array, rows: Array, axis: int) -> Array:
    """Each slab along an axis, times its row, added up: one-hot rows send slabs to places."""
    return np.moveaxis(np.tensordot(slabs, rows, ((axis,), (0,))), -1, axis)


def flat_along(updates: Array, axis: int, indices: Array) -> Array:
    """The updates with one axis in place of those of the indices."""
    return np.reshape(updates, (*updates.shape[:axis], indices.size, *updates.shape[axis + indices.ndim :]))


def scatter_add(x: Array, updates: Array, indices: Array, axis: int, batch: int = 0) -> Array:
    """The slabs of x, and the updates added to those at the indices."""
    if batch:
        return each_example(lambda part, u, i: scatter_add(part, u, i, axis - 1, batch - 1), x, updates, indices)
    return x + spread(flat_along(updates, axis, indices), np.eye(x.shape[axis])[np.ravel(indices)], axis)


def scatter(x: Array, updates: Array, indices: Array, axis: int, batch: int = 0) -> Array:
    """The slabs of x, but at the indices the last update to each."""
    if batch:
        return each_example(lambda part, u, i: scatter(part, u, i, axis - 1, batch - 1), x, updates, indices)
    rows = np.eye(x.shape[axis])[np.ravel(indices)]
    later = np.cumsum(rows[::-1], axis=0)[::-1] - rows
    last = rows * (later == 0)
    kept = np.reshape(1.0 - np.sum(last, axis=0), (-1,) + (1,) * (x.ndim - axis - 1))
    return x * kept + spread(flat_along(updates, axis, indices), last, axis)


def placed(part: Array, places: Sequence[Any], shape: Sequence[int]) -> Array:
    """Zeros of the shape with the part at the places, which are given for each axis."""
    for axis, (place, size) in enumerate(zip(places, shape, strict=True)):
        part = spread(part, np.eye(size)[place], axis)
    return part


def spots(span: Any) -> Any:
    """The places of a span."""
    return [span.start + span.step * i for i in range(span.length)]


def sliced(x: Array, index: tuple[Any, ...]) -> Array:
    """One axis after another, from the last."""
    for axis, part in reversed(list(enumerate(index))):
        x = take(x, part if isinstance(part, int) else spots(part), axis)
    return x


def assemble(*parts: Array, shape: tuple[int, ...], indices: tuple[Any, ...]) -> Array:
    """The parts, each at its index, added up."""
    places = [[[part] if isinstance(part, int) else spots(part) for part in index] for index in indices]
    wholes = [np.reshape(part, [len(one) for one in where]) for part, where in zip(parts, places, strict=True)]
    return sum(placed(whole, where, shape) for whole, where in zip(wholes, places, strict=True))


def dynamic_slice(x: Array, starts: Array, sizes: tuple[int, ...]) -> Array:
    """The window that begins at the starts."""
    if starts.ndim > 1:
        return each_example(lambda part, start: dynamic_slice(part, start, sizes), x, starts)
    return x[tuple(slice(int(start), int(start) + size) for start, size in zip(starts, sizes, strict=True))]


def dynamic_update_slice(x: Array, update: Array, starts: Array) -> Array:
    """What x holds, but the update in the window that begins at the starts."""
    if starts.ndim > 1:
        return each_example(dynamic_update_slice, x, update, starts)
    places = [start + np.arange(size) for start, size in zip(starts, update.shape, strict=True)]
    return x * (1.0 - placed(np.ones(update.shape), places, x.shape)) + placed(update, places, x.shape)


def pad(x: Array, value: Array, widths: tuple[tuple[int, int], ...]) -> Array:
    """What x holds in the midst of values, one for each of the first axes' places."""
    shape = [before + size + after for (before, after), size in zip(widths, x.shape, strict=True)]
    places = [before + np.arange(size) for (before, _), size in zip(widths, x.shape, strict=True)]
    around = 1.0 - placed(np.ones(x.shape), places, shape)
    values = np.reshape(value, value.shape + (1,) * (x.ndim - value.ndim))
    return placed(1.0 * x, places, shape) + around * values


def diagonal(x: Array, offset: int, axis1: int, axis2: int) -> Array:
    """The diagonal in the last axis."""
    matrices = np.moveaxis(x, (axis1, axis2), (-2, -1))
    return matrices[(..., *np.nonzero(np.eye(*matrices.shape[-2:], k=offset)))]


def diagonal_matrix(x: Array, sizes: tuple[int, int], offset: int, axis1: int, axis2: int) -> Array:
    """Zeros but for a diagonal."""
    rows, columns = np.nonzero(np.eye(*sizes, k=offset))
    matrices = np.tensordot(
        x, np.eye(sizes[0])[rows][:, :, None] * np.eye(sizes[1])[columns][:, None, :], ((-1,), (0,))
    )
    return np.moveaxis(matrices, (-2, -1), (axis1, axis2))


def roll(x: Array, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """Each place reads the one that many before it."""
    for shift, axis in zip(shifts, axes, strict=True):
        x = take(x, (np.arange(x.shape[axis]) - shift) % x.shape[axis], axis)
    return 1.0 * x


OPERATIONS: dict[str, Function] = {
    "broadcast_to": lambda x, shape: x * np.ones(shape),  # autograd's rule takes no new axes
    "concatenate": lambda *parts, axis: np.concatenate(parts, axis),
    "stack": lambda *parts, axis: np.stack(parts, axis),
    "slice": sliced,
    "assemble": assemble,
    "take_along_axis": take_along_axis,
    "add_along_axis": add_along_axis,
    "read_places": lambda x, places: x[places],
    "add_places": lambda x, values, places: scatter_add(x, values, places, 0),
    "roll": roll,
    "pad": pad,
    "diagonal": diagonal,
    "diag": diagonal_matrix,
    "take": take,
    "scatter_add": scatter_add,
    "scatter": scatter,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
}
_MASK = [[True, False, True], [False, True, True]]
FUNCTIONS: dict[str, Function] = {
    "swapaxes": lambda x: np.swapaxes(x, 0, -1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "moveaxis(axes)": lambda x: np.moveaxis(x, (0, 3), (-1, 0)),
    "expand_dims": lambda x: np.expand_dims(x, -2),
    "expand_dims(axes)": lambda x: x[None, ..., None],
    "squeeze": lambda x: np.squeeze(x, 1),
    "squeeze(one)": lambda x: np.squeeze(x, 1),
    "squeeze(all)": np.squeeze,
    "broadcast_arrays": lambda x, y: np.stack([x + 0.0 * y, 0.0 * x + y]),
    "concatenate(flat)": lambda x, y: np.concatenate([np.ravel(x), y]),
    "roll(flat)": lambda x: np.roll(x, 4),
    "flip": lambda x: x[::-1, ::-1],
    "flip(axes)": lambda x: x[::-1, :, ::-1],
    "repeat": lambda x: np.repeat(x, 2),
    "repeat(axis)": lambda x: np.repeat(x, 4, axis=1),
    "repeat(each)": lambda x: x[:, [0, 0, 2]],
    "tile": lambda x: np.tile(x, (2, 1, 4)),
    "vstack": lambda x, y: np.vstack([x, y]),
    "hstack": lambda x, y: np.hstack([x, y]),
    "hstack(vectors)": lambda x, y: np.hstack([x, y]),
    "dstack": lambda x, y: np.concatenate([x[:, :, None], y], axis=2),
    "column_stack": lambda x, y: np.column_stack([x, y]),
    "split": lambda x: np.stack([x[:, :2], x[:, 2:4], x[:, 4:]]),
    "split(places)": lambda x: np.concatenate([x[:, 1:], x[:, 4:1], x[:, :4]], axis=1),
    "split(sizes)": lambda x, y: np.concatenate([x[:, 2:], y], axis=1),
    "array_split": lambda x: np.concatenate([x[:, 4:], x[:, 2:4], x[:, :2]], axis=1),
    "unstack": lambda x: np.stack([x[:, 2], x[:, 1], x[:, 0]]),
    "pad(zeros)": lambda x: np.pad(x, 1, "constant"),
    "pad(sides)": lambda x: np.pad(x, (1, 2), "constant", constant_values=((0.5, -1.0), (2.0, 3.0))),
    "pad(edge)": lambda x: x[:, [0, 0, 0, 1, 2, 2]],
    "pad(reflect)": lambda x: x[:, [2, 1, 0, 1, 2, 1, 0]],
    "diag": lambda x: np.diag(x, 2),
    "diag(matrix)": lambda x: diagonal(x, -1, 0, 1),
    "trace(offset)": lambda x: x[:, 1, 0] + x[:, 2, 1],
    "full": lambda x: np.stack([x] * 4),
    "full_like": lambda x, value: x * value,
    "arange": lambda x: np.arange(3, 0, -1) * x,
    "meshgrid": lambda x, y: np.stack([x + 0.0 * y[:, None], 0.0 * x + y[:, None]]),
    "getitem(one index)": lambda x, i: x[:, i],
    "getitem(neighbours)": lambda x, i, j: x[:, i, j],
    "getitem(apart)": lambda x, i, j: x[i, ..., j],
    "getitem(known)": lambda x: x[:, [2, 0, 2, -1], ::-2],
    "getitem(mask)": lambda x: x[:, np.array(_MASK)],
    "getitem(last)": lambda x: x[::-1, None, -1],
    "take(flat)": lambda x, i: np.ravel(x)[i],
    "gather": lambda x, i: take(x, i, axis=1, batch=1),
    "embedding": lambda x, i: x[i],
    "scatter_add(broadcast)": lambda x, i, u: scatter_add(x, 0.0 * x[:, :1] + u, i, 1),
    "scatter(broadcast)": lambda x, i, u: scatter(x, 0.0 * x[:, :1] + u, i, 1),
    "dynamic_slice": lambda x, t: x[:, int(t) : int(t) + 2],
    "dynamic_update_slice": lambda x, update, t: np.concatenate([x[:, :t], update, x[:, t + 2 :]], axis=1),
}
