"""Rows of the running sums and products. Among the factors are zeros: a product is smooth there too."""

from __future__ import annotations

import operator
from itertools import accumulate
from typing import Any

import numpy as np

import graphad as ga
from graphad.ir.op import Array
from graphad.ops.scan import CumProd, CumSum, LinearRecurrence, Shift
from tests.rows.sample import FunctionSample, Sample, along, few, normal


def _products(line: list[float]) -> list[float]:
    return list(accumulate(line, operator.mul))


def _backward(function: Any) -> Any:
    return lambda line: function(line[::-1])[::-1]


def _before(line: list[float]) -> list[float]:
    return list(accumulate(line[:-1], operator.mul, initial=1.0))


def _recurrence(a: Array, b: Array) -> Array:
    """h[:, i] = a[:, i] h[:, i-1] + b[:, i]."""
    lines = [
        accumulate(zip(p, q, strict=True), lambda h, ab: (0, ab[0] * h[1] + ab[1])) for p, q in zip(a, b, strict=True)
    ]
    return np.reshape([h for line in lines for _, h in line], b.shape)


OPERATIONS = (
    Sample(Shift(1), (normal(7, 3),), along(1, lambda line: [0.0, *line[:-1]])),
    Sample(Shift(0, reverse=True), (normal(3, 7),), along(0, lambda line: [*line[1:], 0.0])),
    Sample(CumSum(1), (normal(7, 3, 2),), along(1, lambda line: list(accumulate(line)))),
    Sample(CumSum(0, reverse=True), (normal(3, 7),), along(0, _backward(lambda line: list(accumulate(line))))),
    Sample(CumProd(1), (few(7, 4, 2),), along(1, _products)),
    Sample(CumProd(0, reverse=True), (few(4, 7),), along(0, _backward(_products))),
    Sample(CumProd(1, exclusive=True), (few(7, 4),), along(1, _before)),
    Sample(CumProd(1, reverse=True, exclusive=True), (few(7, 4),), along(1, _backward(_before))),
    Sample(LinearRecurrence(1), (normal(7, 4), normal(7, 4)), _recurrence),
    Sample(
        LinearRecurrence(0, reverse=True),
        (normal(3, 7), normal(3, 7)),
        lambda a, b: _recurrence(a[::-1].T, b[::-1].T).T[::-1],
    ),
)

FUNCTIONS = (
    FunctionSample("cumsum", ga.cumsum, (normal(7, 3),), lambda x: list(accumulate(x.ravel())), case="all"),
    FunctionSample("cumprod", ga.cumprod, (normal(7, 2),), lambda x: _products(x.ravel().tolist()), case="all"),
)
