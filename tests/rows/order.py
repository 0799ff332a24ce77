"""Rows of sorting. Among the elements whose places are asked for, many are equal."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np

import graphad as ga
from graphad.ops.order import ArgSort, SearchSorted
from tests.rows.sample import FunctionSample, Operand, Sample, along, apart, few


def _ascending(*shape: int) -> Operand:
    """Sorted numbers, among which many are equal."""
    return Operand(shape, lambda generator, size: np.sort(generator.choice([-1.5, 0.0, 2.5], size)))


def _order(line: list[float]) -> list[int]:
    return sorted(range(len(line)), key=line.__getitem__)


def _down(line: list[float]) -> list[int]:
    return sorted(range(len(line)), key=lambda i: -line[i])


def _search(bisect: Callable[..., int]) -> Callable[..., list[list[int]]]:
    return lambda line, values: [[bisect(line.tolist(), x) for x in row] for row in values.tolist()]


OPERATIONS = (
    Sample(ArgSort(1), (few(7, 5, 2),), along(1, _order), smooth=False),
    Sample(ArgSort(0, descending=True), (few(5, 7),), along(0, _down), smooth=False),
    Sample(SearchSorted("left"), (_ascending(5), few(7, 3)), _search(bisect_left), smooth=False),
    Sample(SearchSorted("right"), (_ascending(5), few(7, 3)), _search(bisect_right), smooth=False),
)

FUNCTIONS = (
    FunctionSample("sort", lambda x: ga.sort(x, axis=1), (apart(7, 4, 2),), along(1, sorted)),
    FunctionSample(
        "sort",
        lambda x: ga.sort(x, axis=0, descending=True),
        (apart(4, 7),),
        along(0, lambda line: sorted(line, reverse=True)),
        case="descending",
    ),
    FunctionSample("sort", lambda x: ga.sort(x, axis=None), (apart(7, 2),), lambda x: sorted(x.ravel()), case="all"),
    FunctionSample(
        "topk",
        lambda x: ga.topk(x, 3, axis=1)[0],
        (apart(7, 5, 2),),
        along(1, lambda line: sorted(line, reverse=True)[:3]),
        case="values",
    ),
    FunctionSample(
        "topk", lambda x: ga.topk(x, 3)[1], (few(7, 5),), along(1, lambda line: _down(line)[:3]), False, case="places"
    ),
)
