"""Rows of comparisons, choices and functions made of pieces."""

from __future__ import annotations

import math

import graphad as ga
from graphad.ops.selection import (
    Absolute,
    Clip,
    Equal,
    FMax,
    FMin,
    Greater,
    GreaterEqual,
    Heaviside,
    IsFinite,
    IsInf,
    IsNan,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    LogicalXor,
    Maximum,
    Minimum,
    NotEqual,
    Relu,
    Sign,
    Where,
)
from tests.rows.sample import FunctionSample, Sample, apart, each, few, fractional, nonzero, normal, truth, wild, within

OPERATIONS = (
    Sample(Equal(), (few(7, 3), few(7, 3)), each(lambda x, y: x == y), smooth=False),
    Sample(NotEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x != y), smooth=False),
    Sample(Less(), (few(7, 3), few(7, 3)), each(lambda x, y: x < y), smooth=False),
    Sample(LessEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x <= y), smooth=False),
    Sample(Greater(), (few(7, 3), few(7, 3)), each(lambda x, y: x > y), smooth=False),
    Sample(GreaterEqual(), (few(7, 3), few(7, 3)), each(lambda x, y: x >= y), smooth=False),
    Sample(LogicalAnd(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x and y), smooth=False),
    Sample(LogicalOr(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x or y), smooth=False),
    Sample(LogicalXor(), (truth(7, 3), truth(7, 3)), each(lambda x, y: x != y), smooth=False),
    Sample(LogicalNot(), (truth(7, 3),), each(lambda x: not x), smooth=False),
    Sample(IsFinite(), (wild(7, 3),), each(math.isfinite), smooth=False),
    Sample(IsInf(), (wild(7, 3),), each(math.isinf), smooth=False),
    Sample(IsNan(), (wild(7, 3),), each(math.isnan), smooth=False),
    Sample(Where(), (truth(7, 3), normal(7, 3), normal(7, 3)), each(lambda c, x, y: x if c else y)),
    Sample(Absolute(), (nonzero(7, 3),), each(abs)),
    Sample(Sign(), (nonzero(7, 3),), each(lambda x: float((x > 0) - (x < 0)))),
    Sample(Heaviside(), (nonzero(7, 3), normal(7, 3)), each(lambda x, _: 1.0 if x > 0 else 0.0)),
    Sample(Relu(), (nonzero(7, 3),), each(lambda x: max(x, 0.0))),
    Sample(Maximum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(max)),
    Sample(Minimum(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(min)),
    Sample(FMax(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(max)),
    Sample(FMin(), (apart(7, 3), apart(7, 3, offset=1 / 16)), each(min)),
    Sample(
        Clip(),
        (fractional(7, 3), within(-1.1, -0.9, 7, 3), within(0.9, 1.1, 7, 3)),
        each(lambda x, low, high: sorted((low, x, high))[1]),
    ),
)

FUNCTIONS = (
    FunctionSample("clip", lambda x: ga.clip(x, -1.0), (fractional(7, 3),), each(lambda x: max(x, -1.0)), case="below"),
    FunctionSample("clip", lambda x: ga.clip(x, max=1), (fractional(7, 3),), each(lambda x: min(x, 1.0)), case="above"),
    FunctionSample("fabs", ga.fabs, (nonzero(7, 3),), each(math.fabs)),
)
