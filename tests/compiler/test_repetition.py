from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad import Node
from graphad.compiler.function import Function
from graphad.errors import MemoryBudgetError
from graphad.ir import cut
from graphad.optim import SGD

B, H = 8, 48


@pytest.fixture(autouse=True)
def _small_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A net of the size of a test is too large for it, and so is run in tiles."""
    monkeypatch.setattr(cut, "CACHE_BYTES", 0)


def step(steps: int, memory: int | str | None) -> tuple[Function, np.ndarray, list[Node]]:
    numbers = np.random.default_rng(0)
    shapes = {"U": (1, H), "W": (H, H), "b": (H,)}
    w = [ga.parameter(numbers.normal(0, 0.1, shape).astype(np.float32), name=name) for name, shape in shapes.items()]
    x = ga.input("x", (B, steps, 1))
    h, _ = ga.unroll(ga.rnn_cell(*w), xs=x, axis=1)
    loss = ga.mean(ga.square(ga.sum(h, axis=1)))
    given = numbers.normal(size=(B, steps, 1)).astype(np.float32)
    return ga.compile([x], loss, updates=SGD(0.1).updates(loss, w), memory=memory), given, w


def test_a_long_net_learns_the_same_within_a_fourth_of_the_memory() -> None:
    free, given, weights = step(150, None)
    budgeted, _, same = step(150, free.report().arena_bytes // 4)
    assert budgeted.report().arena_bytes <= free.report().arena_bytes // 4
    for _ in range(3):
        assert budgeted(given) == pytest.approx(free(given), rel=1e-4)
    for one, other in zip(same, weights, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-3, atol=1e-5)


def test_the_report_says_that_states_are_kept_between_tiles_only_and_what_it_costs() -> None:
    free, budgeted = (step(150, memory)[0].report() for memory in (None, "200kB"))
    text = str(budgeted)
    assert "the states of loops are kept between tiles only, and each tile is run again on the way back" in text
    assert "for the budget of 200,000 bytes: an arena smaller by" in text
    assert free.flops < budgeted.flops < 1.6 * free.flops


def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    free, enough = step(150, None)[0], step(150, "1GB")[0]
    assert enough.source == free.source


def test_a_budget_below_what_one_tile_needs_is_refused_with_the_least_that_is_possible() -> None:
    with pytest.raises(MemoryBudgetError, match=r"the budget is 1,000; computing values again got them down to [\d,]+"):
        step(150, 1_000)
