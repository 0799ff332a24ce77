"""Interrupts: a call leaves all parameters old or all new, wherever it is stopped."""

from collections.abc import Sequence

import pytest

import graphad as ga
from graphad import Node
from graphad.backend.executable import Executable
from graphad.ir.op import Array


class Interrupted:
    """An executable that is interrupted ``times`` times at a place."""

    def __init__(self, real: Executable, place: str, times: int) -> None:
        self.real, self.place, self.times = real, place, times

    def _reach(self, place: str) -> None:
        if place == self.place and self.times:
            self.times -= 1
            raise KeyboardInterrupt

    def compute(self, arguments: Sequence[Array]) -> None:
        self.real.compute(arguments)
        self._reach("compute")

    def results(self) -> list[Array]:
        self._reach("results")
        return self.real.results()

    def new_values(self) -> Sequence[Array]:
        self._reach("new_values")
        return self.real.new_values()

    def commit(self) -> None:
        self._reach("before commit")
        self.real.commit()
        self._reach("after commit")

    @property
    def source(self) -> str:
        return self.real.source


def interrupted(place: str, times: int) -> tuple[ga.Function, list[Node]]:
    """A function that adds 1 to two parameters, and is interrupted."""
    parameters = [ga.parameter([1.0, 1.0], name=name) for name in "vw"]
    step = ga.compile([], [], updates={node: node + 1.0 for node in parameters})
    ready = step.specialise()
    object.__setattr__(ready, "executable", Interrupted(ready.executable, place, times))
    return step, parameters


@pytest.mark.parametrize(
    ("place", "expected"),
    [("compute", 1.0), ("results", 1.0), ("new_values", 1.0), ("before commit", 2.0), ("after commit", 2.0)],
)
@pytest.mark.parametrize("times", [1, 3])
def test_an_interrupt_leaves_all_parameters_old_or_all_new(place: str, expected: float, times: int) -> None:
    step, parameters = interrupted(place, times)
    for _ in range(times if expected == 1.0 else 1):
        with pytest.raises(KeyboardInterrupt):
            step()
        assert all((node.value == expected).all() for node in parameters)
    step()
    assert all((node.value == expected + 1.0).all() for node in parameters)


def test_an_interrupt_between_two_parameters_of_a_commit_gives_both_their_new_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    v, w = ga.parameter([1.0, 1.0], name="v"), ga.parameter([5.0, 5.0], name="w")
    step = ga.compile([], [], updates={v: w, w: v})
    executable = step.specialise().executable
    whole, calls = executable.commit, []

    def half() -> None:
        calls.append("commit")
        if len(calls) == 1:
            v.value = [5.0, 5.0]
            raise KeyboardInterrupt
        whole()

    monkeypatch.setattr(executable, "commit", half)
    with pytest.raises(KeyboardInterrupt):
        step()
    assert (v.value.tolist(), w.value.tolist()) == ([5, 5], [1, 1])


@pytest.mark.parametrize(
    ("place", "calls"), [("compute", 0), ("new_values", 0), ("before commit", 1), ("after commit", 1)]
)
def test_an_interrupted_call_counts_if_its_parameters_are_new(place: str, calls: int) -> None:
    w, noise = ga.parameter([1.0, 1.0], name="w"), ga.uniform((2,), 1.0, 2.0)
    step = ga.compile([], noise, updates={w: w + noise})
    ready = step.specialise()
    object.__setattr__(ready, "executable", Interrupted(ready.executable, place, times=1))
    with pytest.raises(KeyboardInterrupt):
        step()
    assert step.state().calls == calls
    assert (w.value != 1).all() == bool(calls)
