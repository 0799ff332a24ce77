from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GradientError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.verify import verify
from tests.autodiff.differences import float32, value, values

POINT, DIRECTION = np.array([0.3, -1.2, 2.0]), np.array([1.0, 10.0, -0.5])


def vector(name: str = "x") -> Node:
    return ga.input(name, (3,), "float64")


def test_the_tangent_is_the_derivative_along_the_direction() -> None:
    x, v = vector(), vector("v")
    found = value(ga.jvp(ga.sin(x) * x, x, v), {x: POINT, v: DIRECTION})
    np.testing.assert_allclose(found, (np.cos(POINT) * POINT + np.sin(POINT)) * DIRECTION)


def test_tangents_of_several_nodes_add_up_and_outputs_keep_their_structure() -> None:
    x, y = vector("x"), vector("y")
    tangents = ga.jvp({"product": x * y, "rest": [ga.sum(x)]}, (x, y), (DIRECTION, POINT))
    given = {x: POINT, y: DIRECTION}
    np.testing.assert_allclose(value(tangents["product"], given), DIRECTION**2 + POINT**2)
    assert value(tangents["rest"][0], given) == pytest.approx(DIRECTION.sum())


def test_an_output_that_is_not_reached_or_is_no_float_has_tangent_zero() -> None:
    x, other = vector(), vector("other")
    untouched, place = ga.jvp([other, ga.argmax(x)], x, x)
    assert not value(untouched, {x: POINT}).any()
    assert value(place, {x: POINT}) == 0
    assert place.dtype == np.int64


def test_a_node_between_may_be_given_a_tangent() -> None:
    x = vector()
    h = ga.tanh(x)
    found = ga.jvp(h * x, [h, x], [DIRECTION, np.zeros(3)])
    np.testing.assert_allclose(value(found, {x: POINT}), DIRECTION * POINT)


def test_an_output_among_the_starts_has_the_tangent_it_was_given() -> None:
    x, v = vector(), vector("v")
    assert ga.jvp(x, x, v) is v


def test_forward_over_reverse_is_reverse_over_reverse() -> None:
    x, v = vector(), vector("v")
    loss = ga.sum(ga.sin(x) * ga.exp(x[::-1]))
    gradient = ga.grad(loss, x)
    forward, backward = ga.jvp(gradient, x, v), ga.grad(ga.sum(gradient * v), x)
    found, expected = values([forward, backward], {x: POINT, v: DIRECTION})
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_tangents_may_be_arrays_and_python_numbers() -> None:
    s = ga.input("s", (), "float64")
    assert value(ga.jvp(s * s, s, 2), {s: np.array(3.0)}) == 12


def test_tangents_that_do_not_fit_are_refused_by_name() -> None:
    x, labels = vector(), ga.input("labels", (3,), "int64")
    with pytest.raises(ShapeError, match=r"tangent .*float64\[2\].*<x: float64\[3\]>"):
        ga.jvp(x, x, np.ones(2))
    with pytest.raises(DTypeError, match=r"tangent .*float32\[3\].*<x: float64\[3\]>"):
        ga.jvp(x, x, float32([1, 1, 1]))
    with pytest.raises(ArgumentError, match="structure"):
        ga.jvp(x, [x], x)
    with pytest.raises(GradientError, match=r"labels: int64.*not differentiable"):
        ga.jvp(x * labels, labels, labels)
    with pytest.raises(GradientError, match="'x'"):
        ga.jvp(x, "x", x)


def unrolled(steps: int) -> tuple[Node, Node]:
    x = ga.input("x", (steps, 3), "float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(x_t * h + h)
        return h, h

    return x, ga.unroll(cell, np.ones(3), x)[1]


def test_the_tangents_of_an_unrolled_net_agree_with_differences() -> None:
    x, hs = unrolled(5)
    generator = np.random.default_rng(0)
    point, direction = generator.standard_normal((5, 3)), generator.standard_normal((5, 3))
    found = value(ga.jvp(hs, x, direction), {x: point})
    ahead, behind = (value(hs, {x: point + step * direction}) for step in (1e-6, -1e-6))
    np.testing.assert_allclose(found, (ahead - behind) / 2e-6, atol=1e-8)


def test_nodes_of_a_tangent_know_their_twin_and_their_step_and_share_templates_over_time() -> None:
    x, hs = unrolled(5)
    v = ga.input("v", (5, 3), "float64")
    tangents = Graph((x, v), (ga.jvp(hs, x, v), ga.jvp(hs * hs, x, v)))
    verify(tangents)
    forward = set(Graph((x,), (hs, hs * hs)).nodes)
    made = [node for node in tangents.nodes if node not in forward and node.origin.made_by and node.origin.step]
    assert all(node.origin.twin is not None and node.origin.twin.origin.step == node.origin.step for node in made)
    places = Counter((n.origin.scope, n.origin.step, n.origin.template) for n in tangents.nodes if n.origin.template)
    assert set(places.values()) == {1}
    at = [{node.origin.template for node in made if node.origin.step == step} for step in range(5)]
    assert at[2] == at[3] == at[4]
    assert len(at[2]) > 4


def test_a_chain_of_ten_thousand_steps_is_pushed_forward_without_recursion() -> None:
    x = ga.input("x", (), "float64")
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    assert value(ga.jvp(y, x, 1.0), {x: np.array(1.0)}) == pytest.approx(1.0001**10_000)
