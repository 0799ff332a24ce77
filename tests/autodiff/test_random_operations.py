"""Graphs of nearly all operations: what the table of operations says of each must hold of whatever is made of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Graph, Node
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, FLOAT64
from graphad.ir.verify import verify
from tests.autodiff.differences import values
from tests.ir.random_operations import OPERATIONS, ROUGH, Sample, sample, samples
from tests.samples import SAMPLES

STEPS = (2e-5, 1e-5)
"""Of central differences: where the two disagree there is a kink, or a rounding error, and no derivative to compare."""
INTERNAL = {
    "add_along_axis", "add_places", "assemble", "checkpoint", "fold_windows", "last_write", "linear_recurrence", "loop",
    "places_in_rows", "read_places", "recompute", "shift",
}  # fmt: skip
"""Made by differentiation and by passes alone."""
RANDOM = {"normal", "permutation", "randint", "uniform"}


def test_nearly_all_operations_are_drawn() -> None:
    drawn = {node.op.name for seed in range(200) for node in sample(seed, 30, rough=True).graph.nodes}
    assert {one.op.name for one in SAMPLES} - drawn == INTERNAL | RANDOM
    assert len({**OPERATIONS, **ROUGH}) > 140


def cotangent_of(node: Node) -> Array:
    """A weight for each element."""
    return np.random.default_rng(11).standard_normal(node.type.static_shape).astype(node.dtype)


def scalar(one: Sample) -> Node:
    """The output, each element with a weight of its own, summed."""
    return ga.sum(one.result * cotangent_of(one.result))


@given(samples(rough=True))
def test_the_numpy_backend_computes_what_the_reference_computes(one: Sample) -> None:
    outputs = [one.result, *ga.grad(scalar(one), one.inputs, disconnected="zero")]
    found = ga.compile(one.inputs, outputs, verify=True)(*one.arguments)
    for array, expected in zip(found, values(outputs, one.given), strict=True):
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-9 * scale)


@given(samples())
def test_the_gradient_agrees_with_central_differences(one: Sample) -> None:
    target = scalar(one)
    function = ga.compile(one.inputs, [target])
    gradient = values(ga.grad(target, one.inputs, disconnected="zero"), one.given)
    compared = total = 0
    for number, argument in enumerate(one.arguments):
        for place in np.ndindex(*argument.shape):
            far, near = (difference(function, one.arguments, number, place, step) for step in STEPS)
            total += 1
            if abs(far - near) <= 1e-7 * max(1.0, abs(near)):
                compared += 1
                np.testing.assert_allclose(gradient[number][place], near, rtol=2e-6, atol=2e-6)
    assert compared >= 0.8 * total


def difference(
    function: ga.Function, arguments: list[Array], number: int, place: tuple[int, ...], step: float
) -> float:
    """The central difference of a function for one element of one argument."""
    found = []
    for signed in (step, -step):
        moved = [argument.copy() for argument in arguments]
        moved[number][place] += signed
        found.append(float(function(*moved)[0]))
    return (found[0] - found[1]) / (2 * step)


@given(samples())
def test_the_jvp_is_the_transpose_of_the_vjp(one: Sample) -> None:
    cotangent = cotangent_of(one.result)
    generator = np.random.default_rng(12)
    tangents = [generator.standard_normal(x.shape) for x in one.arguments]
    forward = ga.jvp(one.result, one.inputs, [ga.constant(tangent) for tangent in tangents])
    pushed, *pulled = values([forward, *ga.vjp(one.result, one.inputs, cotangent, disconnected="zero")], one.given)
    there = float(np.sum(cotangent * pushed))
    here = float(sum(np.sum(v * t) for v, t in zip(pulled, tangents, strict=True)))
    scale = sum(float(np.sum(np.abs(v * t))) for v, t in zip(pulled, tangents, strict=True))
    np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-11 * (1.0 + scale))


@given(samples(most=12), st.integers(0, 1))
def test_hessians_are_symmetric(one: Sample, number: int) -> None:
    x = one.inputs[number]
    hessian = ga.hessian(scalar(one), x, disconnected="zero")
    (found,) = ga.compile(one.inputs, [hessian])(*one.arguments)
    size = one.arguments[number].size
    matrix = found.reshape(size, size)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-8, atol=1e-9 * (1.0 + float(np.abs(matrix).max())))


@given(samples("float32", rough=True))
def test_a_graph_of_float32_stays_one(one: Sample) -> None:
    outputs = (one.result, *ga.grad(scalar(one), one.inputs, disconnected="zero"))
    graph = Graph(tuple(one.inputs), outputs)
    verify(graph)
    assert not [node for node in graph.nodes if node.dtype == FLOAT64]
    for node, array in zip(graph.nodes, values(graph.nodes, one.given), strict=True):
        assert (array.dtype, array.shape) == (node.dtype, node.type.static_shape), node
    for array in ga.compile(one.inputs, outputs)(*one.arguments):
        assert array.dtype == FLOAT32


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_the_same_declaration_gives_the_same_bytes(seed: int, count: int) -> None:
    def source() -> str:
        one = sample(seed, count, rough=True)
        outputs = [one.result, *ga.grad(scalar(one), one.inputs, disconnected="zero")]
        function = ga.compile(one.inputs, outputs)
        function(*one.arguments)
        return function.source

    assert source() == source()
