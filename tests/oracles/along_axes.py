"""Reductions, running sums and products, sorting, and measures of spread."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

from tests.oracles.peer import np, special

Function = Callable[..., Any]


def along(axis: int, function: Callable[[list[Any]], Iterable[Any]]) -> Callable[[Any], Any]:
    """A function of the list of slabs along an axis, which makes such a list."""
    return lambda x: np.stack(list(function(list(np.moveaxis(x, axis, 0)))), axis=axis)


def product(slabs: Iterable[Any]) -> Any:
    """One factor after another: autograd's own rule divides by each, and some are 0."""
    return functools.reduce(operator.mul, slabs)


def prod(x: Any, axis: int, keepdims: bool) -> Any:
    """The product along an axis."""
    result = product(np.moveaxis(x, axis, 0))
    return np.expand_dims(result, axis) if keepdims else result


def backward(function: Function) -> Function:
    """The function of the list read from its end."""
    return lambda slabs: list(function(slabs[::-1]))[::-1]


def cumsum(x: Any, axis: int, reverse: bool) -> Any:
    """Running sums."""

    def sums(slabs: list[Any]) -> list[Any]:
        return [sum(slabs[: end + 1]) for end in range(len(slabs))]

    return along(axis, backward(sums) if reverse else sums)(x)


def cumprod(x: Any, axis: int, reverse: bool, exclusive: bool) -> Any:
    """Running products; the exclusive ones leave out the element itself."""

    def products(slabs: list[Any]) -> list[Any]:
        ends = range(len(slabs)) if exclusive else range(1, len(slabs) + 1)
        return [product([np.ones(slabs[0].shape), *slabs[:end]]) for end in ends]

    return along(axis, backward(products) if reverse else products)(x)


def shift(x: Any, axis: int, reverse: bool) -> Any:
    """Each slab one place later; the first is zero."""

    def later(slabs: list[Any]) -> list[Any]:
        return [np.zeros(slabs[0].shape), *slabs[:-1]]

    return along(axis, backward(later) if reverse else later)(x)


def linear_recurrence(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    """h of the place before, times a, plus b."""

    def walk(pairs: list[Any]) -> list[Any]:
        states = [pairs[0][1]]
        for factor, term in pairs[1:]:
            states.append(factor * states[-1] + term)
        return states

    pairs = list(zip(np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0), strict=True))
    return np.stack((backward(walk) if reverse else walk)(pairs), axis=axis)


def norm(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The root of the sum of squares."""
    return np.sqrt(np.sum(x * x, axis=axes, keepdims=keepdims))


def sort(x: Any, axis: int) -> Any:
    """The elements, taken in their order."""
    places = np.indices(x.shape)
    return x[tuple(np.argsort(x, axis=axis) if i == axis else place for i, place in enumerate(places))]


def median(x: Any, axis: int) -> Any:
    """The middle of an axis, or the mean of its two middles."""
    slabs = list(np.moveaxis(sort(x, axis), axis, 0))
    return (slabs[(len(slabs) - 1) // 2] + slabs[len(slabs) // 2]) / 2


def without_nan(x: Any) -> Any:
    """0 in place of NaN."""
    return np.where(np.isnan(x), 0.0, x)


def softmax(x: Any) -> Any:
    """Along the last axis."""
    powers = np.exp(x)
    return powers / np.sum(powers, axis=-1, keepdims=True)


OPERATIONS: dict[str, Function] = {
    **{
        name: lambda x, axes, keepdims, reduce=reduce: reduce(x, axis=axes, keepdims=keepdims)
        for name, reduce in {"sum": np.sum, "max": np.max, "min": np.min, "window_max": np.max}.items()
    },
    "prod": prod,
    "shift": shift,
    "cumsum": cumsum,
    "cumprod": cumprod,
    "linear_recurrence": linear_recurrence,
    "norm": norm,
}
FUNCTIONS: dict[str, Function] = {
    "mean": lambda x: np.mean(x, axis=1),
    "prod(two axes)": lambda x: product(x[i, :, j] for i in range(3) for j in range(2)),
    "ptp": lambda x: np.max(x, axis=1) - np.min(x, axis=1),
    "cumsum(all)": lambda x: np.cumsum(np.ravel(x)),
    "cumprod(all)": lambda x: cumprod(np.ravel(x), 0, False, False),
    "sort": lambda x: sort(x, 1),
    "sort(descending)": lambda x: sort(x, 0)[::-1],
    "sort(all)": lambda x: sort(np.ravel(x), 0),
    "topk(values)": lambda x: sort(x, 1)[:, ::-1][:, :3],
    "norm(1)": lambda x: np.sum(np.abs(x), axis=1),
    "norm(inf)": lambda x: np.max(np.abs(x), axis=1),
    "var": lambda x: np.var(x, axis=1),
    "var(ddof=1)": lambda x: np.var(x, axis=1, ddof=1),
    "var(all)": np.var,
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "average": lambda x: np.mean(x, axis=1),
    "average(weights)": lambda x, w: np.sum(x * w, axis=1) / np.sum(w),
    "median(odd)": lambda x: median(x, 1),
    "median(even)": lambda x: median(np.reshape(np.transpose(x, (1, 0, 2)), (x.shape[1], -1)), 1),
    "nansum": lambda x: np.sum(without_nan(x), axis=1),
    "nanmean": lambda x: np.sum(without_nan(x), axis=1) / np.sum(~np.isnan(x), axis=1),
    "logsumexp": lambda x: special.logsumexp(x, axis=1),
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
}
