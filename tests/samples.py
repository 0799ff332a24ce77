"""The table of operations: one row for each, at least, and one for each public function that is more than one of them.

The rows stand in tests/rows, in modules that mirror graphad/ops. An operation without a row fails
tests/ops/test_samples.py, a public function without one tests/ops/test_rows.py.
"""

from __future__ import annotations

from tests.rows import (
    arithmetic,
    contraction,
    indexing,
    loop,
    losses,
    recurrent,
    reduction,
    selection,
    shaping,
    slicing,
    softmax,
    structure,
    transcendental,
)
from tests.rows.sample import FunctionSample, Row, Sample

SAMPLES: tuple[Sample, ...] = (
    *arithmetic.OPERATIONS,
    *transcendental.OPERATIONS,
    *selection.OPERATIONS,
    *reduction.OPERATIONS,
    *contraction.OPERATIONS,
    *structure.OPERATIONS,
    *slicing.OPERATIONS,
    *indexing.OPERATIONS,
    *loop.OPERATIONS,
)
FUNCTIONS: tuple[FunctionSample, ...] = (
    *losses.FUNCTIONS,
    *recurrent.FUNCTIONS,
    *reduction.FUNCTIONS,
    *shaping.FUNCTIONS,
    *softmax.FUNCTIONS,
)
ROWS: tuple[Row, ...] = (*SAMPLES, *FUNCTIONS)
