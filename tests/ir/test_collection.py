"""The collector is paused while graphs are built, and afterwards does what it did before."""

import gc

import pytest

import graphad as ga
from graphad.ir.collection import without_collection


def test_the_collector_runs_again_after_an_error() -> None:
    def fail() -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        without_collection(fail)()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        assert not without_collection(gc.isenabled)()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_paused_while_a_cell_is_unrolled() -> None:
    seen: list[bool] = []

    def cell(h: ga.Node, _: None) -> tuple[ga.Node, None]:
        seen.append(gc.isenabled())
        return ga.tanh(h), None

    ga.unroll(cell, ga.input("h", shape=(2,)), steps=3)
    assert seen == [False] * 3
    assert gc.isenabled()
