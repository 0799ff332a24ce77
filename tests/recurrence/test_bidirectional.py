from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, GraphadError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from tests.autodiff.differences import central_gradient_of, value, values

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 2
GENERATOR = np.random.default_rng(0)
SEQUENCES = GENERATOR.standard_normal((BATCH, STEPS, FEATURES))
LENGTHS = np.array([1, 4, STEPS, 0])


def lstm(seed: int) -> Any:
    generator = np.random.default_rng(seed)
    return ga.lstm_cell(
        *(generator.standard_normal(shape) for shape in ((FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,)))
    )


AHEAD, BACK = lstm(1), lstm(2)


def test_outputs_are_those_of_both_directions_side_by_side_and_carries_their_last() -> None:
    (ahead, back), outputs = ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1)
    first, second = ga.unroll(AHEAD, xs=SEQUENCES, axis=1), ga.unroll(BACK, xs=SEQUENCES, axis=1, reverse=True)
    np.testing.assert_array_equal(value(outputs), np.concatenate(values([first[1], second[1]], {}), axis=2))
    for found, expected in zip((*ahead, *back), (*first[0], *second[0]), strict=True):
        np.testing.assert_array_equal(value(found), value(expected))


def test_the_backward_direction_starts_at_each_sequences_own_end() -> None:
    (ahead, back), outputs = ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1, lengths=LENGTHS)
    found, h, after = values([outputs, back[0], ahead[0]], {})
    for i, length in enumerate(LENGTHS):
        (own_ahead, own_back), own = ga.bidirectional(AHEAD, BACK, SEQUENCES[i, :length])
        np.testing.assert_allclose(found[i, :length], value(own), rtol=1e-13)
        np.testing.assert_array_equal(found[i, length:], 0)
        np.testing.assert_allclose(h[i], value(own_back[0]), rtol=1e-13)
        np.testing.assert_allclose(after[i], value(own_ahead[0]), rtol=1e-13)


def test_a_mask_is_for_both_directions() -> None:
    mask = np.arange(STEPS) < LENGTHS[:, None]
    found, expected = (
        ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1, **options)[1]
        for options in ({"mask": mask}, {"lengths": LENGTHS})
    )
    np.testing.assert_array_equal(value(found), value(expected))


@pytest.mark.parametrize(
    ("merge", "join"),
    [
        ("concat", lambda a, b: np.concatenate([a, b], axis=-1)),
        ("sum", lambda a, b: a + b),
        ("mul", lambda a, b: a * b),
        ("ave", lambda a, b: (a + b) / 2),
    ],
)
def test_outputs_are_merged_as_keras_names_it(merge: str, join: Any) -> None:
    _, merged = ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1, merge=merge)
    _, (a, b) = ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1, merge=None)
    np.testing.assert_allclose(value(merged), join(value(a), value(b)), rtol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_features_are_joined_along_the_last_axis_that_is_not_time(axis: int) -> None:
    def scaled(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = 0.5 * h + x_t
        return h, h

    x = ga.input("x", np.moveaxis(SEQUENCES, 1, axis).shape, "float64")
    start = np.zeros((BATCH, FEATURES))
    _, outputs = ga.bidirectional(scaled, scaled, x, (start, start), axis=axis)
    found = np.moveaxis(value(outputs, {x: np.moveaxis(SEQUENCES, 1, axis)}), axis, 1)
    assert found.shape == (BATCH, STEPS, 2 * FEATURES)
    np.testing.assert_allclose(found[:, 0, :FEATURES], SEQUENCES[:, 0])
    np.testing.assert_allclose(found[:, -1, FEATURES:], SEQUENCES[:, -1])


def test_outputs_may_be_structures_and_none() -> None:
    def cell(h: Node, x_t: Node) -> tuple[Node, dict[str, Any]]:
        return h + x_t, {"h": h + x_t, "none": None}

    start = np.zeros((BATCH, FEATURES))
    (ahead, back), outputs = ga.bidirectional(cell, cell, SEQUENCES, (start, start + 1), axis=1)
    assert outputs["none"] is None
    assert outputs["h"].shape == (BATCH, STEPS, 2 * FEATURES)
    np.testing.assert_allclose(value(back), value(ahead) + 1)


def test_the_gradient_of_both_directions_agrees_with_central_differences() -> None:
    x = ga.input("x", SEQUENCES.shape, "float64")
    (_, (h, c)), outputs = ga.bidirectional(AHEAD, BACK, x, axis=1, lengths=LENGTHS)
    loss = ga.sum(ga.sin(outputs)) + ga.sum(h * c)
    found = ga.compile([x], ga.grad(loss, x), verify=True)(SEQUENCES)
    np.testing.assert_allclose(found, central_gradient_of(loss, x, {x: SEQUENCES}), atol=1e-8)


def test_the_directions_are_two_scopes() -> None:
    x = ga.input("x", SEQUENCES.shape, "float64")
    _, outputs = ga.bidirectional(AHEAD, BACK, x, axis=1, name="reader")
    scopes = {node.origin.scope for node in Graph((x,), (outputs,)).nodes} - {None}
    assert sorted(scope.name for scope in scopes if scope) == ["reader/backward", "reader/forward"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"merge": "concatenate"}, ArgumentError, "merge is one of 'concat', 'sum', 'mul', 'ave', None; got 'concat"),
        ({"init": np.zeros((4, 2))}, ArgumentError, "init is a pair of first carries"),
        ({"init": (None, None, None)}, ArgumentError, "init is a pair"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_users_line(
    options: dict[str, Any], error: type[GraphadError], message: str
) -> None:
    with pytest.raises(
        error, match=rf"(?s)bidirectional\(<lstm cell of 2 units>.*{message}.*\(at test_bidirectional\.py:\d+\)"
    ):
        ga.bidirectional(AHEAD, BACK, SEQUENCES, axis=1, **options)


def test_scalars_have_no_features_to_join() -> None:
    def total(h: Node, x_t: Node) -> tuple[Node, Node]:
        return h + x_t, h

    with pytest.raises(ShapeError, match=r"no axis to join.*test_bidirectional\.py"):
        ga.bidirectional(total, total, np.zeros(3, np.float32), (0.0, 0.0))
    _, outputs = ga.bidirectional(total, total, np.ones(3, np.float32), (0.0, 0.0), merge="sum")
    np.testing.assert_array_equal(value(outputs), [2, 2, 2])
