from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.ir.cut import Cut
from graphad.ir.op import Array
from graphad.schedule.tiling import cuts_of

T, B, INPUTS, H = 6, 2, 3, 5
STACKED, ROWS = ga.input("x", (T, B, INPUTS), "float64"), ga.input("rows", (T * B, INPUTS), "float64")
U, REPEATED = ga.input("U", (INPUTS, H), "float64"), ga.input("v", (T, 1, INPUTS), "float64")


def part(array: Array, cut: Cut | None, start: int, stop: int) -> Array:
    if cut is None:
        return array
    index = slice((start - cut.first) * cut.rows, (stop - cut.first) * cut.rows)
    return array[(slice(None),) * cut.axis + (index,)]


COMPUTED: dict[str, tuple[Node, Cut]] = {
    "elementwise": (ga.exp(STACKED) * STACKED, Cut(0, 1, 0)),
    "product of rows": (ROWS @ U, Cut(0, B, 0)),
    "transpose": (ga.transpose(STACKED, (1, 2, 0)), Cut(0, 1, 0)),
    "sum of another axis": (ga.sum(STACKED, axis=2), Cut(0, 1, 0)),
    "sum of another axis, kept": (ga.sum(STACKED, axis=1, keepdims=True), Cut(0, 1, 0)),
    "concatenate": (ga.concatenate([STACKED, STACKED], axis=2), Cut(0, 1, 0)),
    "later steps than the first": (ga.exp(STACKED) - STACKED, Cut(0, 1, -2)),
}
RESHAPED = {
    "steps to rows": (ga.reshape(STACKED, (T * B, INPUTS)), Cut(0, 1, 0)),
    "rows to steps": (ga.reshape(ROWS, (T, B, INPUTS)), Cut(0, B, 0)),
    "flat": (ga.reshape(STACKED, (T * B * INPUTS,)), Cut(0, 1, 0)),
    "behind an axis of size 1": (ga.reshape(STACKED, (1, T * B, INPUTS)), Cut(0, 1, 0)),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_an_operation_on_some_steps_gives_those_steps_of_its_result(case: str) -> None:
    node, known = COMPUTED[case]
    cuts = cuts_of(node, 1, known)
    assert cuts is not None
    assert cuts[0] is not None
    assert cuts_of(node, 0, cuts[0]) == cuts
    arrays = [np.random.default_rng(0).normal(size=x.type.static_shape) for x in node.operands]
    whole = node.op.kernel(*arrays)
    for start in range(known.first, known.first + T):
        stop = min(start + 2, known.first + T)
        parts = [part(array, cut, start, stop) for array, cut in zip(arrays, cuts[1:], strict=True)]
        np.testing.assert_allclose(node.op.kernel(*parts), part(whole, cuts[0], start, stop), rtol=1e-15)


@pytest.mark.parametrize("case", RESHAPED)
@given(start=st.integers(0, T), count=st.integers(0, T))
def test_steps_in_another_shape_are_the_same_elements(case: str, start: int, count: int) -> None:
    node, known = RESHAPED[case]
    cuts = cuts_of(node, 1, known)
    assert cuts is not None
    assert cuts_of(node, 0, cuts[0] or known) == cuts
    array = np.arange(float(np.prod(node.type.static_shape))).reshape(node.operands[0].type.static_shape)
    found = part(array.reshape(node.type.static_shape), cuts[0], start, min(start + count, T))
    np.testing.assert_array_equal(found.reshape(-1), part(array, known, start, min(start + count, T)).reshape(-1))


@pytest.mark.parametrize(
    ("node", "place", "known"),
    [
        (ga.reshape(STACKED, (T * B * INPUTS // 4, 4)), 1, Cut(0, 1, 0)),  # a step is no number of rows
        (ga.reshape(ROWS, (B, T, INPUTS)), 1, Cut(1, 1, 0)),
        (ga.max(STACKED, axis=0), 1, Cut(0, 1, 0)),
        (STACKED[3], 1, Cut(0, 1, 0)),
        (STACKED[::2], 1, Cut(0, 1, 0)),
        (ROWS[1:], 1, Cut(0, B, 0)),
        (ga.concatenate([STACKED, STACKED], axis=0), 1, Cut(0, 1, 0)),
        (ga.cumsum(STACKED, axis=0), 1, Cut(0, 1, 0)),
    ],
)
def test_what_needs_all_steps_or_parts_of_steps_can_not_be_cut(node: Node, place: int, known: Cut) -> None:
    assert cuts_of(node, place, known) is None


def test_a_product_that_contracts_over_time_is_a_sum_over_the_steps() -> None:
    columns = ga.input("columns", (H, T * B), "float64")
    assert cuts_of(columns @ ROWS, 2, Cut(0, B, 0)) == (None, Cut(1, B, 0), Cut(0, B, 0))
    assert cuts_of(ga.sum(STACKED, axis=0), 1, Cut(0, 1, 0)) == (None, Cut(0, 1, 0))


def test_what_is_repeated_over_time_is_read_whole() -> None:
    over_time = ga.broadcast_to(ga.input("b", (INPUTS,), "float64"), (T, B, INPUTS))
    assert cuts_of(over_time, 0, Cut(0, 1, 0)) == (Cut(0, 1, 0), None)
    within = ga.broadcast_to(REPEATED, (T, H, INPUTS))
    assert cuts_of(within, 0, Cut(0, 1, 0)) == (Cut(0, 1, 0), Cut(0, 1, 0))


def test_a_slice_of_the_axis_of_time_begins_at_a_later_step() -> None:
    assert cuts_of(STACKED[2:], 1, Cut(0, 1, -1)) == (Cut(0, 1, 1), Cut(0, 1, -1))
    assert cuts_of(ROWS[B : 3 * B], 0, Cut(0, B, 0)) == (Cut(0, B, 0), Cut(0, B, -1))
    assert cuts_of(ga.transpose(STACKED, (1, 0, 2))[0, 1:], 1, Cut(1, 1, 0)) == (Cut(0, 1, 1), Cut(1, 1, 0))
