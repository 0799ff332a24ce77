"""Every smooth row of the table against autograd: its value, its vjp, and the gradient of a projection of that vjp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.oracles.peer import autograd
from tests.oracles.table import FUNCTIONS, OPERATIONS, UNCOVERED, peer_of
from tests.rows.sample import FunctionSample, Row, Sample, inputs_for
from tests.samples import ROWS

SMOOTH = [row for row in ROWS if row.smooth]
COVERED = [row for row in SMOOTH if peer_of(row)]
smooth = pytest.mark.parametrize("row", COVERED, ids=lambda row: row.label)
# a derivative that is zero everywhere is what some rows are there for
pytestmark = pytest.mark.filterwarnings("ignore:Output seems independent of input:UserWarning")


class Question:
    """A row's operands, a cotangent of its result, and the weights of a projection of its vjp."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.arrays = row.arrays(seed=1)
        self.floats = [i for i, x in enumerate(self.arrays) if x.dtype.kind == "f"]
        generator = np.random.default_rng(2)
        self.cotangent = generator.standard_normal(row.run(*self.arrays).shape)
        self.weights = [generator.standard_normal(self.arrays[i].shape) for i in self.floats]

    def projection(self, gradients: Sequence[Any], sum: Callable[[Any], Any]) -> Any:
        """All elements of the gradients, each with its weight, added up."""
        first, *others = (sum(g * w) for g, w in zip(gradients, self.weights, strict=True))
        for other in others:
            first = first + other
        return first


class Ours(Question):
    """The answers of compiled programs."""

    def __init__(self, row: Row) -> None:
        super().__init__(row)
        self.inputs = inputs_for(self.arrays)
        self.wrt = [self.inputs[i] for i in self.floats]
        self.node = row.build(*self.inputs)
        self.cotangent_node = ga.input("cotangent", self.node.shape, self.node.dtype)

    def _computed(self, nodes: Any) -> Any:
        return ga.compile([*self.inputs, self.cotangent_node], nodes)(*self.arrays, self.cotangent)

    def _pulled_back(self) -> list[Node]:
        found: list[Node] = ga.vjp(self.node, self.wrt, self.cotangent_node)
        return found

    def value(self) -> Array:
        found: Array = ga.compile(self.inputs, self.node)(*self.arrays)
        return found

    def first(self) -> Sequence[Array]:
        found: Sequence[Array] = self._computed(self._pulled_back())
        return found

    def second(self) -> Sequence[Array]:
        scalar = self.projection(self._pulled_back(), ga.sum)
        gradients = ga.grad(scalar, [*self.wrt, self.cotangent_node], disconnected="zero")
        found: Sequence[Array] = self._computed(gradients)
        return found


class Theirs(Question):
    """The answers of autograd."""

    def _function(self, *floats: Any) -> Any:
        operands: list[Any] = list(self.arrays)
        for i, x in zip(self.floats, floats, strict=True):
            operands[i] = x
        peer = peer_of(self.row)
        assert peer is not None
        return peer(*operands)

    def _pulled_back(self, *floats_and_cotangent: Any) -> Any:
        *floats, cotangent = floats_and_cotangent
        vjp, _ = autograd.make_vjp(self._function, tuple(range(len(floats))))(*floats)
        return vjp(cotangent)

    @property
    def _given(self) -> list[Any]:
        return [*(self.arrays[i] for i in self.floats), self.cotangent]

    def value(self) -> Any:
        return self._function(*self._given[:-1])

    def first(self) -> Any:
        return self._pulled_back(*self._given)

    def second(self) -> Any:
        def scalar(*given: Any) -> Any:
            return self.projection(self._pulled_back(*given), autograd.numpy.sum)

        return autograd.grad(scalar, tuple(range(len(self._given))))(*self._given)


def assert_same(found: Sequence[Any], expected: Sequence[Any], tolerance: float) -> None:
    """Relative to each number; one that has cancelled has an absolute error, a thousandth of that of the greatest."""
    for ours, theirs in zip(found, expected, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        greatest = np.max(np.abs(theirs), initial=1.0)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-3 * tolerance * greatest)


@smooth
def test_the_value_is_autograds(row: Row) -> None:
    assert_same([Ours(row).value()], [Theirs(row).value()], 1e-12)


@smooth
def test_the_vjp_is_autograds(row: Row) -> None:
    assert_same(Ours(row).first(), Theirs(row).first(), 1e-9)


@smooth
def test_the_second_derivative_is_autograds(row: Row) -> None:
    assert_same(Ours(row).second(), Theirs(row).second(), 1e-7)


def test_nearly_every_smooth_row_is_compared_and_the_others_tell_why_not() -> None:
    without = {row.label for row in SMOOTH} - {row.label for row in COVERED}
    assert without == {label for label, _ in UNCOVERED}
    assert len(COVERED) > 0.95 * len(SMOOTH) > 300


def test_nothing_is_written_for_a_row_that_is_no_more() -> None:
    assert set(OPERATIONS) <= {row.op.name for row in SMOOTH if isinstance(row, Sample)}
    assert set(FUNCTIONS) <= {row.label for row in SMOOTH if isinstance(row, FunctionSample)}
