"""Every row of the table, an operation's or a function's, put to every question that can be asked of both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.operators import builders
from graphad.ir.tensor_type import FLOAT32, FLOAT64
from tests.autodiff.differences import STEP, central_gradient_of, value, values
from tests.rows.sample import BATCH, Row, inputs_for
from tests.samples import FUNCTIONS, ROWS, SAMPLES

TOLERANCE = {FLOAT64: 1e-13, FLOAT32: 2e-6}
LEAVES = {"constant", "input", "parameter"}
every = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
smooth = pytest.mark.parametrize("row", [row for row in ROWS if row.smooth], ids=lambda row: row.label)
batched = pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.is_batched], ids=lambda row: row.label)
floats = pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)


def node_of(row: Row, arrays: list[Array]) -> tuple[Node, dict[Node, Array]]:
    inputs = inputs_for(arrays)
    return row.build(*inputs), dict(zip(inputs, arrays, strict=True))


def assert_close(found: Array, expected: Any, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_every_public_function_that_builds_nodes_has_a_row() -> None:
    public = {name for name, build in builders().items() if getattr(ga, name, None) is build}
    assert len(public) > 60
    missing = public - {sample.op.name for sample in SAMPLES} - {row.name for row in FUNCTIONS} - LEAVES
    assert not missing, f"tests/samples.py has no row for {sorted(missing)}"


@every
@floats
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_backends_agree_with_the_oracle(row: Row, dtype: np.dtype[Any], backend: str) -> None:
    arrays = row.arrays(dtype=dtype)
    node, given = node_of(row, arrays)
    found = ga.compile(list(given), node, backend=backend, verify=True)(*arrays)
    assert_close(found, row.expected(arrays), TOLERANCE[FLOAT32 if FLOAT32 in (found.dtype, dtype) else FLOAT64])
    assert (found.shape, found.dtype) == (node.shape, node.dtype)


@batched
@pytest.mark.parametrize("batch", [BATCH, 11, 1])
def test_functions_take_named_sizes(row: Row, batch: int) -> None:
    arrays = row.arrays(batch=batch)
    inputs = named_inputs(row)
    found = ga.compile(inputs, row.build(*inputs), verify=True)(*arrays)
    assert_close(found, row.expected(arrays), 1e-13 if found.dtype == FLOAT64 else TOLERANCE[FLOAT32])


@batched
def test_functions_of_no_examples_are_what_the_reference_says(row: Row) -> None:
    arrays, inputs = row.arrays(batch=0), named_inputs(row)
    node = row.build(*inputs)
    found, expected = (ga.compile(inputs, node, backend=backend)(*arrays) for backend in ("numpy", "reference"))
    np.testing.assert_array_equal(found, expected)
    assert found.shape == node.type.specialise({"batch": 0}).shape


def named_inputs(row: Row) -> list[Node]:
    """Inputs with the size "batch" where the row says `BATCH`."""
    pairs = zip(row.operands, row.arrays(), strict=True)
    shapes = [(tuple("batch" if size == BATCH else size for size in operand.shape), x) for operand, x in pairs]
    return [ga.input(f"x{i}", shape, x.dtype) for i, (shape, x) in enumerate(shapes)]


@every
def test_operands_need_not_be_contiguous_in_memory(row: Row) -> None:
    arrays = row.arrays()
    node, given = node_of(row, arrays)
    function = ga.compile(list(given), node)
    loose = [np.flip(np.repeat(np.flip(x), 2, axis=-1))[..., ::2] if x.ndim else x for x in arrays]
    assert_close(function(*loose), function(*arrays), 1e-14)


class Derivatives:
    """One row's derivatives as nodes: cotangent and tangents are inputs, drawn like the operands."""

    def __init__(self, row: Row) -> None:
        generator = np.random.default_rng(5)
        self.arrays = row.arrays()
        self.node, given = node_of(row, self.arrays)
        self.wrt = [x for x in given if x.type.is_float]
        self.cotangent = ga.input("cotangent", self.node.shape, self.node.dtype)
        self.tangents = [ga.input(f"tangent_{x.name}", x.shape, x.dtype) for x in self.wrt]
        drawn = [self.cotangent, *self.tangents]
        self.given = {**given, **{x: generator.standard_normal(x.type.static_shape) for x in drawn}}

    def moved(self, step: float) -> list[Array]:
        """The operands, a step along the tangents."""
        tangents = dict(zip(self.wrt, self.tangents, strict=True))
        operands = list(self.given)[: len(self.arrays)]
        return [self.given[x] + step * self.given[tangents[x]] if x in tangents else self.given[x] for x in operands]

    @property
    def pulled_back(self) -> list[Node]:
        found: list[Node] = ga.vjp(self.node, self.wrt, self.cotangent)
        return found

    @property
    def pushed_forward(self) -> Node:
        found: Node = ga.jvp(self.node, self.wrt, self.tangents)
        return found

    def projection(self, nodes: list[Node]) -> Node:
        """The sum of all elements, each with a weight of its own."""
        weights = [np.random.default_rng(i).standard_normal(node.type.static_shape) for i, node in enumerate(nodes)]
        terms = [ga.sum(node * weight) for node, weight in zip(nodes, weights, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total


@smooth
def test_the_vjp_agrees_with_central_differences(row: Row) -> None:
    case = Derivatives(row)
    projected = ga.sum(case.cotangent * case.node)
    for x, found in zip(case.wrt, values(case.pulled_back, case.given), strict=True):
        assert_close(found, central_gradient_of(projected, x, case.given), 1e-8)


@smooth
def test_the_jvp_agrees_with_central_differences(row: Row) -> None:
    case = Derivatives(row)
    difference = row.run(*case.moved(STEP)) - row.run(*case.moved(-STEP))
    assert_close(value(case.pushed_forward, case.given), difference / (2 * STEP), 1e-8)


@smooth
def test_vjp_and_jvp_are_adjoint(row: Row) -> None:
    case = Derivatives(row)
    backward, forward = values(case.pulled_back, case.given), value(case.pushed_forward, case.given)
    over_there = float(np.sum(case.given[case.cotangent] * forward))
    over_here = math.fsum(float(np.sum(v * case.given[t])) for v, t in zip(backward, case.tangents, strict=True))
    assert over_here == pytest.approx(over_there, rel=1e-10, abs=1e-12)


@smooth
def test_the_gradient_can_be_differentiated_again(row: Row) -> None:
    case = Derivatives(row)
    scalar = case.projection(case.pulled_back)
    wrt = [*case.wrt, case.cotangent]
    for x, found in zip(wrt, values(ga.grad(scalar, wrt, disconnected="zero"), case.given), strict=True):
        assert_close(found, central_gradient_of(scalar, x, case.given), 1e-7)


@smooth
def test_the_tangent_can_be_differentiated_again(row: Row) -> None:
    case = Derivatives(row)
    scalar = case.projection([case.pushed_forward])
    wrt = [*case.wrt, *case.tangents]
    for x, found in zip(wrt, values(ga.grad(scalar, wrt, disconnected="zero"), case.given), strict=True):
        assert_close(found, central_gradient_of(scalar, x, case.given), 1e-7)


@smooth
def test_gradients_of_float32_are_float32(row: Row) -> None:
    node, given = node_of(row, row.arrays(dtype=FLOAT32))
    cotangent = np.ones(node.type.static_shape, node.dtype)
    wrt = [x for x in given if x.type.is_float]
    for x, found in zip(wrt, ga.vjp(node, wrt, ga.constant(cotangent)), strict=True):
        assert found.type == x.type
