"""Rows of comparisons, choices and functions made of pieces."""

from __future__ import annotations

import math

from graphad.ops.selection import (
    Absolute,
    Equal,
    Greater,
    GreaterEqual,
    IsFinite,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    Maximum,
    Minimum,
    NotEqual,
    Relu,
    Sign,
    Where,
)
from tests.rows.sample import Sample, apart, each, few, nonzero, normal, truth, wild

OPERATIONS = (
    Sample(Equal(), (few(7, 3), few(7, 3)), each(lambda x, y: x == y), smooth=False),
    Sample(NotEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x != y), smooth=False),
    Sample(Less(), (few(7, 3), few(7, 3)), each(lambda x, y: x < y), smooth=False),
    Sample(LessEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x <= y), smooth=False),
    Sample(Greater(), (few(7, 3), few(7, 3)), each(lambda x, y: x > y), smooth=False),
    Sample(GreaterEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x >= y), smooth=False),
    Sample(LogicalAnd(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x and y), smooth=False),
    Sample(LogicalOr(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x or y), smooth=False),
    Sample(LogicalNot(), (truth(7, 3),), each(lambda x: not x), smooth=False),
    Sample(IsFinite(), (wild(7, 3),), each(math.isfinite), smooth=False),
    Sample(Where(), (truth(7, 3), normal(7, 3), normal(7, 3)), each(lambda c, x, y: x if c else y)),
    Sample(Absolute(), (nonzero(7, 3),), each(abs)),
    Sample(Sign(), (nonzero(7, 3),), each(lambda x: float((x > 0) - (x < 0)))),
    Sample(Relu(), (nonzero(7, 3),), each(lambda x: max(x, 0.0))),
    Sample(Maximum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(max)),
    Sample(Minimum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(min)),
)
