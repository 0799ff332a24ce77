"""Contractions, windows, convolutions and pooling; the latter add up one place of the kernel after another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tests.oracles.peer import np
from tests.oracles.places import spread, take

Function = Callable[..., Any]
Array = Any
Pairs = Sequence[tuple[int, int]]


def windows(
    x: Array, axes: tuple[int, ...], sizes: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Array:
    """Windows along axes; the places in them come last."""
    for axis, size, stride, dilation in zip(axes, sizes, strides, dilations, strict=True):
        first = np.arange(0, x.shape[axis] - (size - 1) * dilation, stride)
        x = np.moveaxis(take(x, first[:, None] + dilation * np.arange(size), axis), axis + 1, -1)
    return x


def fold_windows(
    x: Array, shape: tuple[int, ...], axes: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Array:
    """Windows along one axis, added up where they came from."""
    (axis,), (stride,), (dilation,) = axes, strides, dilations
    count, size = x.shape[axis], x.shape[-1]
    places = stride * np.arange(count)[:, None] + dilation * np.arange(size)
    together = np.reshape(np.moveaxis(x, -1, axis + 1), (*x.shape[:axis], count * size, *x.shape[axis + 1 : -1]))
    return spread(together, np.eye(shape[axis])[np.ravel(places)], axis)


def convolve(
    x: Array,
    w: Array,
    stride: Sequence[int] | None = None,
    padding: Pairs | None = None,
    dilation: Sequence[int] | None = None,
) -> Array:
    """Examples, space, channels by kernel, channels of a group, filters: a matrix product for each place and group."""
    *space, seen, filters = w.shape
    stride, dilation = stride or [1] * len(space), dilation or [1] * len(space)
    padded = np.pad(x, [(0, 0), *(padding or [(0, 0)] * len(space)), (0, 0)], "constant")
    groups = padded.shape[-1] // seen
    each = filters // groups

    def of_group(group: int) -> Array:
        channels = padded[..., group * seen : (group + 1) * seen]
        products = []
        for place in itertools.product(*map(range, space)):
            reached = [
                slice(i * d, size - (k - 1 - i) * d, s)
                for i, d, s, k, size in zip(place, dilation, stride, space, padded.shape[1:], strict=False)
            ]
            products.append(np.dot(channels[(slice(None), *reached)], w[place][:, group * each : (group + 1) * each]))
        return sum(products)

    return np.concatenate([of_group(group) for group in range(groups)], axis=-1)


def pool(
    x: Array, reduce: Function, size: Sequence[int], stride: Sequence[int], first: Sequence[int], counts: Sequence[int]
) -> Array:
    """The reduction of one window after another; what lies outside the array does not count."""
    axes = tuple(range(1, x.ndim - 1))
    parts = []
    for place in itertools.product(*map(range, counts)):
        begins = [f + i * s for f, i, s in zip(first, place, stride, strict=True)]
        window = tuple(slice(max(b, 0), b + k) for b, k in zip(begins, size, strict=True))
        parts.append(reduce(x[(slice(None), *window)], axis=axes))
    return np.reshape(np.stack(parts, axis=1), (len(x), *counts, x.shape[-1]))


def multi_dot(*factors: Array) -> Array:
    """From the right."""
    *others, product = factors
    for factor in reversed(others):
        product = np.dot(factor, product)
    return product


_SUBSCRIPTS = ("bij->jb", "bi,io", "bi,bi->b", "bihd,bjhd->bhij", "ijb,jil->bl", "b,i,j->jib", "bi,bi,bj->", ",b->b")
_ELLIPSES = ("...i,oi->...o", "b...i,...io->...bo")

OPERATIONS: dict[str, Function] = {"windows": windows, "fold_windows": fold_windows}
FUNCTIONS: dict[str, Function] = {
    "vdot": lambda x, y: np.sum(x * y),
    "vecdot": lambda x, y: np.sum(x * y, axis=-1),
    "vecdot(axis=0)": lambda x, y: np.sum(x * y, axis=0),
    "outer": lambda x, y: np.outer(x, np.ravel(y)),
    "tensordot(pairs)": lambda x, y: np.tensordot(x, y, ((-1, 1), (0, 2))),
    "tensordot(axes=0)": lambda x, y: np.tensordot(x, y, 0),
    "multi_dot": multi_dot,
    **{f"einsum({subscripts})": partial(np.einsum, subscripts) for subscripts in _SUBSCRIPTS + _ELLIPSES},
    # autograd differentiates no sum along a diagonal
    "einsum(bii->b)": lambda x: sum(x[:, i, i] for i in range(3)),
    "einsum(bijij->ji)": lambda x: np.array([[np.sum(x[:, i, j, i, j]) for i in range(3)] for j in range(2)]),
    "einsum(iii)": lambda x: x[0, 0, 0] + x[1, 1, 1] + x[2, 2, 2],
    "einsum(bi,ij,jk,kk->b)": lambda x, y, z, w: multi_dot(x, y, z, np.diag(w)),
    "conv1d(valid)": convolve,
    "conv1d(one channel)": convolve,
    "conv1d(same, stride 2)": partial(convolve, stride=(2,), padding=((0, 1),)),
    "conv1d(causal, dilation 2)": partial(convolve, padding=((4, 0),), dilation=(2,)),
    "conv1d(3 groups)": partial(convolve, padding=((2, 2),)),
    "conv2d(valid)": convolve,
    "conv2d(one channel)": convolve,
    "conv2d(one place)": convolve,
    "conv2d(stride, padding, dilation)": partial(convolve, stride=(2, 1), padding=((1, 2), (0, 1)), dilation=(1, 2)),
    "conv2d(same, 2 groups)": partial(convolve, padding=((0, 1), (1, 1))),
    "max_pool1d": partial(pool, reduce=np.max, size=(2,), stride=(2,), first=(0,), counts=(2,)),
    "max_pool1d(causal)": partial(pool, reduce=np.max, size=(3,), stride=(1,), first=(-2,), counts=(5,)),
    "max_pool2d": partial(pool, reduce=np.max, size=(3, 2), stride=(3, 2), first=(0, 0), counts=(2, 2)),
    "max_pool2d(same)": partial(pool, reduce=np.max, size=(3, 3), stride=(2, 2), first=(0, -1), counts=(2, 3)),
    "avg_pool1d": partial(pool, reduce=np.mean, size=(3,), stride=(1,), first=(-1,), counts=(5,)),
    "avg_pool2d": partial(pool, reduce=np.mean, size=(3, 2), stride=(3, 2), first=(0, 0), counts=(2, 2)),
    "avg_pool2d(same)": partial(pool, reduce=np.mean, size=(3, 3), stride=(2, 2), first=(0, -1), counts=(2, 3)),
}
