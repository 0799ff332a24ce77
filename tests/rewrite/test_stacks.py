from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.node import apply
from graphad.ops.slicing import Assemble, Slice, Span, Stack
from graphad.rewrite.stacks import STACKS_OF_STEPS

X = ga.input("x", (4, 3, 5), "float64")
ARRAY = np.random.default_rng(0).normal(size=(4, 3, 5))


def rewritten(node: Node) -> Node:
    graph = Graph((X,), (node,))
    found = STACKS_OF_STEPS.run(graph)
    np.testing.assert_array_equal(evaluate(found, [ARRAY])[0], evaluate(graph, [ARRAY])[0])
    assert STACKS_OF_STEPS.run(found) is found
    return found.outputs[0]


def operations(node: Node) -> set[str]:
    return {one.op.name for one in Graph((X,), (node,)).nodes} - {"input"}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("onto", [0, 1, 2])
def test_steps_that_are_stacked_again_are_the_array_with_its_axis_moved(axis: int, onto: int) -> None:
    taken = [X[(slice(None),) * axis + (place,)] for place in range(X.type.static_shape[axis])]
    assert operations(rewritten(apply(Stack(onto), *taken))) <= {"transpose", "slice"}
    some = rewritten(apply(Stack(onto), *taken[1:3]))
    assert operations(some) <= {"transpose", "slice"}


def test_steps_put_into_zeros_in_any_order_are_a_stack() -> None:
    parts = [ga.exp(X[place]) for place in (2, 0, 3, 1)]
    indices = tuple((Span(0, 3), place, Span(0, 5)) for place in (2, 0, 3, 1))
    node = rewritten(apply(Assemble((3, 4, 5), indices), *parts))
    assert isinstance(node.op, Stack)
    assert node.op.axis == 1


def test_what_leaves_gaps_or_meets_stays_as_it_is() -> None:
    parts = [X[0], X[1]]
    for shape, places in [((3, 3, 5), (0, 2)), ((2, 3, 5), (1, 1))]:
        indices = tuple((place, Span(0, 3), Span(0, 5)) for place in places)
        node = apply(Assemble(shape, indices), *parts)
        assert rewritten(node) is node
    backwards = apply(Stack(0), X[1], X[0])
    assert rewritten(backwards) is backwards
    corner = apply(Slice((0, Span(0, 3), Span(0, 4))), X)
    assert rewritten(apply(Stack(0), corner, corner)).op == Stack(0)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_gradient_of_inputs_read_step_by_step_costs_the_same_for_any_number_of_steps(axis: int) -> None:
    def statements(steps: int) -> int:
        x = ga.input("x", (2, steps, 3) if axis else (steps, 2, 3), "float64")
        U, W = ga.parameter(np.ones((3, 4)), name="U"), ga.parameter(np.eye(4), name="W")

        def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
            h = ga.tanh(x_t @ U + h @ W)
            return h, h

        _, hs = ga.unroll(cell, ga.constant(np.zeros((2, 4))), x, axis=axis)
        report = ga.compile([x], ga.grad(ga.sum(ga.sin(hs)), x)).report()
        return report.statements + report.views

    assert statements(30) == statements(9)
