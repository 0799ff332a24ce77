"""Which time steps are drawn."""

import pytest

from graphad.ir.node import Scope
from graphad.render.steps import Fold, framed


def titles(scope: Scope, steps: int, fold: Fold) -> list[str]:
    frames = framed([(scope, step) for step in range(steps)], fold)
    return list(dict.fromkeys(frames[scope, step].title for step in range(steps)))


def test_six_steps_are_drawn_one_by_one() -> None:
    assert titles(Scope("cell"), 6, "auto") == [f"cell · t = {step}" for step in range(6)]


def test_of_seven_steps_the_first_two_and_the_last_are_drawn() -> None:
    assert titles(Scope("cell"), 7, "auto") == ["cell · t = 0", "cell · t = 1", "… 4 more steps …", "cell · t = 6"]


def test_always_leaves_out_from_four_steps_on() -> None:
    assert len(titles(Scope("cell"), 3, "always")) == 3
    assert titles(Scope("cell"), 4, "always") == ["cell · t = 0", "cell · t = 1", "… 1 more step …", "cell · t = 3"]


def test_never_leaves_nothing_out() -> None:
    assert len(titles(Scope("cell"), 50, "never")) == 50


def test_a_frame_for_many_steps_knows_how_many() -> None:
    scope = Scope("cell")
    frames = framed([(scope, step) for step in range(32)], "auto")
    assert [frames[scope, step].hidden for step in (0, 1, 2, 30, 31)] == [0, 0, 29, 29, 0]


def test_steps_are_in_the_order_of_time_whatever_the_order_of_declaration() -> None:
    scope = Scope("backwards")
    frames = framed([(scope, step) for step in reversed(range(9))], "auto")
    assert not frames[scope, 0].hidden
    assert not frames[scope, 8].hidden
    assert frames[scope, 7].hidden == 6


def test_two_unrollings_of_one_name_are_two_series() -> None:
    one, other = Scope("cell"), Scope("cell")
    frames = framed([(one, 0), (other, 0)], "auto")
    assert frames[one, 0].series is not frames[other, 0].series


def test_an_inner_repetition_is_numbered_and_left_out_with_its_outer_step() -> None:
    outer = Scope("outer")
    inner = [Scope("inner", outer) for _ in range(10)]
    frames = framed([(scope, step) for scope in inner for step in range(2)], "auto")
    assert frames[inner[0], 1].title == "outer/inner 1 · t = 1"
    assert frames[inner[9], 0].title == "outer/inner 10 · t = 0"
    assert frames[inner[5], 0] is frames[inner[2], 1]
    assert frames[inner[5], 0].title == "… 7 more of outer/inner …"


@pytest.mark.parametrize("name", ["two\nlines", "\x00", "x" * 500])
def test_a_title_is_one_short_printable_line(name: str) -> None:
    (title,) = titles(Scope(name), 1, "auto")
    assert title.isprintable()
    assert len(title) < 60
