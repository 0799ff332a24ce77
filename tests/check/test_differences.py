"""A slope is exact where the function is smooth, and says so where it is not."""

import math
from collections.abc import Callable

import pytest

from graphad.check.differences import Slope, Verdict, slope

FLOOR, TOLERANCE = 1e-9, 1e-6


def slope_of(function: Callable[[float], float], number: float) -> Slope:
    return slope(function, 1.0, number, TOLERANCE, FLOOR)


def verdict(function: Callable[[float], float], number: float) -> Verdict:
    return slope_of(function, number).verdict(number, TOLERANCE, FLOOR)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (math.exp, 1.0),
        (lambda x: math.sin(3 * x + 1), 3 * math.cos(1)),
        (lambda x: 5 * x - 2, 5.0),
        (lambda x: math.tanh(100 * x), 100.0),
        (lambda x: 1e-7 * x * x + 1e-7 * x, 1e-7),
    ],
)
def test_of_a_smooth_function_the_right_number_is_right_and_one_a_little_off_is_wrong(
    function: Callable[[float], float], derivative: float
) -> None:
    assert slope_of(function, derivative).value == pytest.approx(derivative, rel=1e-8)
    assert verdict(function, derivative) is Verdict.RIGHT
    assert verdict(function, derivative * (1 + 1e-5)) is Verdict.WRONG
    assert verdict(function, 0.0) is Verdict.WRONG
    assert verdict(function, math.nan) is Verdict.WRONG
    assert verdict(function, math.inf) is Verdict.WRONG


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-5, -2e-4])
def test_a_kink_close_by_does_not_blame_a_right_number_nor_hide_a_wrong_one(distance: float) -> None:
    def kinked(x: float) -> float:
        return 2 * x + abs(x - distance)

    right = 1.0 if distance > 0 else 3.0
    assert verdict(kinked, right) is Verdict.RIGHT
    assert verdict(kinked, 2.0) is Verdict.WRONG


def test_at_a_kink_any_slope_between_the_sides_cannot_be_told_and_one_beyond_them_is_wrong() -> None:
    def kinked(x: float) -> float:
        return max(0.0, x) + math.sin(x)

    found = slope_of(kinked, 1.0)
    assert found.value == pytest.approx(1.5)
    assert found.jump == pytest.approx(1.0)
    assert [verdict(kinked, number) for number in (1.0, 1.2, 2.0)] == [Verdict.ROUGH] * 3
    assert [verdict(kinked, number) for number in (0.99, 2.01, -1.5)] == [Verdict.WRONG] * 3


def test_a_curve_is_no_kink() -> None:
    assert slope_of(lambda x: 50 * x * x, 1.0).jump == 0.0
    assert verdict(lambda x: 50 * x * x, 0.01) is Verdict.WRONG


def test_at_a_jump_nothing_can_be_told() -> None:
    assert verdict(lambda x: 0.0 if x <= 0 else 1.0, 0.0) is Verdict.ROUGH


def test_at_the_edge_of_a_domain_nothing_can_be_told_but_a_number_that_is_none_is_wrong() -> None:
    def edge(x: float) -> float:
        return x if x >= 0 else math.nan

    assert verdict(edge, 1.0) is Verdict.ROUGH
    assert verdict(edge, math.inf) is Verdict.WRONG


def test_an_edge_close_by_does_no_harm() -> None:
    def edge(x: float) -> float:
        return math.log(x + 1e-4) if x > -1e-4 else math.nan

    assert verdict(edge, 1e4) is Verdict.RIGHT
    assert verdict(edge, 0.0) is Verdict.WRONG


def test_great_numbers_are_moved_in_their_own_measure() -> None:
    value = 3e6
    found = slope(lambda step: (value + step) ** 2 / value, value, 6.0, TOLERANCE, FLOOR)
    assert found.verdict(6.0, TOLERANCE, FLOOR) is Verdict.WRONG
    assert slope(lambda step: (value + step) ** 2 / value, value, 2.0, TOLERANCE, FLOOR).value == pytest.approx(2.0)
