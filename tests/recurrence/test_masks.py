"""What does not count is not there: masked sequences are compared with the same sequences made shorter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import central_gradient_of, value, values

BATCH, STEPS, FEATURES = 4, 6, 3
GENERATOR = np.random.default_rng(0)
W = ga.parameter(0.5 * GENERATOR.standard_normal((FEATURES, FEATURES)), "W")
SEQUENCES = GENERATOR.standard_normal((BATCH, STEPS, FEATURES))
START = GENERATOR.standard_normal((BATCH, FEATURES))
LENGTHS = np.array([0, 1, 4, STEPS])
PREFIXES = np.arange(STEPS) < LENGTHS[:, None]
GAPS = np.array([[1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 1], [1, 1, 1, 1, 1, 1]], bool)


def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
    h = ga.tanh(x_t + h @ W)
    return h, ga.sin(h) + 1.0


def loss_of(last: Node, outputs: Node) -> Node:
    return ga.sum(ga.cos(last)) + ga.sum(ga.square(outputs))


def masked(counting: Array, reverse: bool = False, sequences: Array = SEQUENCES) -> list[Array]:
    """The last state, the outputs, and the gradients by W, x and the first state, in one batch, by mask or lengths."""
    x, h = ga.input("x", ("batch", STEPS, FEATURES), "float64"), ga.input("h", ("batch", FEATURES), "float64")
    of = "mask" if counting.ndim == 2 else "lengths"
    given = ga.input(of, ("batch", STEPS)[: counting.ndim], counting.dtype)
    options: dict[str, Any] = {of: given}
    last, outputs = ga.unroll(cell, h, x, axis=1, reverse=reverse, **options)
    gradients = ga.grad(loss_of(last, outputs), [W, x, h])
    found: list[Array] = ga.compile([x, h, given], [last, outputs, *gradients], verify=True)(sequences, START, counting)
    return found


def one_by_one(mask: Array, reverse: bool) -> list[Array]:
    """The same, each sequence alone and without the steps that do not count."""
    by_W, rows = np.zeros((FEATURES, FEATURES)), []
    for counts, sequence, start in zip(mask, SEQUENCES, START, strict=True):
        x, h = ga.input("x", (int(counts.sum()), FEATURES), "float64"), ga.input("h", (FEATURES,), "float64")
        last, outputs = ga.unroll(cell, h, x, reverse=reverse)
        gradients = ga.grad(loss_of(last, outputs), [W, x, h], disconnected="zero")
        end, short, own_by_W, short_by_x, by_h = values([last, outputs, *gradients], {x: sequence[counts], h: start})
        whole, by_x = np.zeros((2, STEPS, FEATURES))
        whole[counts], by_x[counts] = short, short_by_x
        by_W += own_by_W
        rows.append((end, whole, by_x, by_h))
    last_states, all_outputs, all_by_x, all_by_h = (np.stack(column) for column in zip(*rows, strict=True))
    return [last_states, all_outputs, by_W, all_by_x, all_by_h]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("mask", [PREFIXES, GAPS], ids=["prefixes", "gaps"])
def test_a_step_that_does_not_count_keeps_the_carry_and_adds_nothing(mask: Array, reverse: bool) -> None:
    for found, expected in zip(masked(mask, reverse), one_by_one(mask, reverse), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("reverse", [False, True])
def test_lengths_are_the_mask_of_the_first_so_many_steps(reverse: bool) -> None:
    for found, expected in zip(masked(LENGTHS, reverse), masked(PREFIXES, reverse), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("filling", [np.nan, np.inf, 1e300])
def test_what_fills_the_place_of_a_missing_step_reaches_neither_values_nor_gradients(filling: float) -> None:
    sequences = np.where(GAPS[..., None], SEQUENCES, filling)
    for found, expected in zip(masked(GAPS, sequences=sequences), masked(GAPS), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_masked_net_agrees_with_central_differences() -> None:
    x, h = ga.input("x", SEQUENCES.shape, "float64"), ga.input("h", START.shape, "float64")
    loss = loss_of(*ga.unroll(cell, h, x, axis=1, mask=GAPS))
    given = {x: SEQUENCES, h: START}
    for node, found in zip(given, values(ga.grad(loss, list(given)), given), strict=True):
        np.testing.assert_allclose(found, central_gradient_of(loss, node, given), atol=1e-8)


def test_sequences_that_never_begin_give_the_initial_carry_and_outputs_of_zero() -> None:
    last, outputs, by_W, by_x, _ = masked(np.zeros_like(GAPS))
    np.testing.assert_array_equal(last, START)
    assert not any(array.any() for array in (outputs, by_W, by_x))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_mask_is_batch_by_time_whichever_axis_is_time(axis: int) -> None:
    x = ga.constant(np.moveaxis(SEQUENCES, 1, axis))
    last, outputs = values(list(ga.unroll(cell, START, x, axis=axis, mask=GAPS)), {})
    expected_last, expected = masked(GAPS)[:2]
    np.testing.assert_allclose(last, expected_last, rtol=1e-13)
    np.testing.assert_allclose(np.moveaxis(outputs, axis, 1), expected, rtol=1e-13)


def test_a_mask_of_time_alone_holds_for_every_sequence_and_for_one_without_a_batch() -> None:
    mask = GAPS[2]
    last, outputs = values(list(ga.unroll(cell, START, SEQUENCES, axis=1, mask=mask)), {})
    alone, own = values(list(ga.unroll(cell, START[3], SEQUENCES[3], mask=mask)), {})
    np.testing.assert_allclose(last[3], alone, rtol=1e-13)
    np.testing.assert_allclose(outputs[3], own, rtol=1e-13)
    np.testing.assert_allclose(outputs, masked(np.tile(mask, (BATCH, 1)))[1], rtol=1e-13)


def test_outputs_of_any_dtype_and_structure_are_zero_where_a_step_does_not_count() -> None:
    def counting(carry: dict[str, Node], x_t: Node) -> tuple[dict[str, Node], dict[str, Any]]:
        total = carry["total"] + x_t
        outputs = {"count": carry["count"] + 1, "large": x_t > -9.0, "none": None, "total": total}
        return {"total": total, "count": carry["count"] + 1}, outputs

    start = {"count": np.zeros((2, 1, 1), np.int64), "total": np.zeros((2,), np.float32)}
    last, outputs = ga.unroll(counting, start, np.ones((2, 3), np.float32), axis=1, lengths=[1, 3])
    assert outputs["none"] is None
    assert [str(outputs[key].dtype) for key in ("count", "large", "total")] == ["int64", "bool", "float32"]
    np.testing.assert_array_equal(value(outputs["count"])[..., 0, 0], [[1, 0, 0], [1, 2, 3]])
    np.testing.assert_array_equal(value(outputs["large"]), [[True, False, False], [True, True, True]])
    np.testing.assert_array_equal(value(outputs["total"]), [[1, 0, 0], [1, 2, 3]])
    np.testing.assert_array_equal(value(last["total"]), [1, 3])
    np.testing.assert_array_equal(value(last["count"])[:, 0, 0], [1, 3])


def test_inputs_that_all_sequences_share_are_read_as_they_are() -> None:
    xs = {"own": ga.constant(np.ones((STEPS, 2, 1))), "shared": ga.constant(np.full((STEPS, 1), 10.0))}
    seen: list[Node] = []

    def adding(h: Node, at: dict[str, Node]) -> tuple[Node, Node]:
        seen.append(at["shared"])
        return h + at["own"] + at["shared"], h

    last, _ = ga.unroll(adding, np.zeros((2, 1)), xs, lengths=[2, STEPS])
    np.testing.assert_array_equal(value(last)[:, 0], [22, 66])
    np.testing.assert_array_equal(values(seen, {}), np.full((STEPS, 1), 10.0))


def test_a_masked_net_is_as_long_for_60_steps_as_for_6() -> None:
    def statements(steps: int) -> int:
        x, lengths = ga.input("x", (2, steps, FEATURES), "float64"), ga.input("lengths", (2,), "int64")
        last, outputs = ga.unroll(cell, np.zeros((2, FEATURES)), x, axis=1, lengths=lengths)
        loss = loss_of(last, outputs)
        return ga.compile([x, lengths], [loss, ga.grad(loss, W)]).report().statements

    assert statements(60) == statements(6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mask": GAPS, "lengths": LENGTHS}, ArgumentError, "give one of them"),
        ({"mask": GAPS.astype(int)}, DTypeError, r"mask is bool.*int64\[4, 6\].*compare"),
        ({"mask": GAPS[:, :5]}, ShapeError, r"of 6 steps here; got .*bool\[4, 5\]"),
        ({"mask": np.array(True)}, ShapeError, r"\(batch, time\) or \(time,\)"),
        ({"mask": GAPS[:3]}, ShapeError, r"shape \(4, 3\) does not begin with the batch \(3,\)"),
        ({"lengths": [1, 2, 3]}, ShapeError, r"does not begin with the batch \(3,\)"),
        ({"lengths": LENGTHS / 2}, DTypeError, r"lengths are integers.*float64\[4\]"),
    ],
)
def test_masks_that_do_not_fit_are_refused_by_name(
    options: dict[str, Any], error: type[GraphadError], message: str
) -> None:
    with pytest.raises(error, match=rf"unroll\(cell.*{message}.*\(at .*test_masks\.py:\d+\)"):
        ga.unroll(cell, START, SEQUENCES, axis=1, **options)


def test_an_output_that_is_not_one_for_each_sequence_cannot_be_masked() -> None:
    with pytest.raises(ShapeError, match=r"output of shape \(\) does not begin with the batch \(4,\)"):
        ga.unroll(lambda h, _: (h, ga.sum(h)), START, steps=STEPS, mask=GAPS)
