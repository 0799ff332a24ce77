from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GradientError, ShapeError, UnreachedError
from graphad.ir.graph import Graph
from graphad.ir.leaves import Constant
from graphad.ir.node import COTANGENT, Node
from graphad.ir.verify import verify
from tests.autodiff.differences import central_gradient_of, float32, value, values


def vector(name: str = "x", size: int = 3) -> Node:
    return ga.input(name, (size,), "float64")


POINT = np.array([0.3, -1.2, 2.0])


class Pair(NamedTuple):
    first: Node
    second: Node


def test_the_gradient_has_the_structure_of_what_it_is_taken_by() -> None:
    x, y = vector("x"), vector("y")
    loss = ga.sum(x * y)
    gradient = ga.grad(loss, {"a": x, "b": [y, (x,)], "c": Pair(y, x)})
    assert list(gradient) == ["a", "b", "c"]
    assert isinstance(gradient["b"], list)
    assert isinstance(gradient["b"][1], tuple)
    assert isinstance(gradient["c"], Pair)
    given = {x: POINT, y: 2 * POINT}
    np.testing.assert_array_equal(value(gradient["a"], given), 2 * POINT)
    np.testing.assert_array_equal(value(gradient["b"][0], given), POINT)
    np.testing.assert_array_equal(value(gradient["c"].second, given), 2 * POINT)
    assert ga.grad(loss, []) == []


def test_a_gradient_can_be_asked_of_a_node_between() -> None:
    x = vector()
    h = ga.tanh(x)
    loss = ga.sum(h * h + x)
    for_h, for_x = values(ga.grad(loss, [h, x]), {x: POINT})
    np.testing.assert_allclose(for_h, 2 * np.tanh(POINT))
    np.testing.assert_allclose(for_x, 2 * np.tanh(POINT) * (1 - np.tanh(POINT) ** 2) + 1)


def test_the_gradient_of_a_loss_by_itself_is_one() -> None:
    loss = ga.sum(vector())
    gradient = ga.grad(loss, loss)
    assert gradient.type == loss.type
    assert value(gradient) == 1


def test_every_use_of_a_node_adds_to_its_gradient() -> None:
    x = vector()
    loss = ga.sum(x * x * x + ga.sin(x) * x + x[0] * x)
    np.testing.assert_allclose(value(ga.grad(loss, x), {x: POINT}), central_gradient_of(loss, x, {x: POINT}), atol=1e-8)


def test_one_node_may_be_asked_for_twice() -> None:
    x = vector()
    first, second = ga.grad(ga.sum(x * x), [x, x])
    assert first is second


def test_a_node_that_the_loss_does_not_reach_is_an_error_that_names_it_and_its_line() -> None:
    x, other = vector(), vector("other")
    with pytest.raises(UnreachedError, match=r'<other: float64\[3\]>.*test_reverse\.py:\d+.*disconnected="zero"'):
        ga.grad(ga.sum(x), [x, other])
    with pytest.raises(ValueError, match="other"):
        ga.vjp(x, other, x)


def test_a_node_that_the_loss_does_not_reach_has_gradient_zero_if_one_says_so() -> None:
    x, other = vector(), ga.input("other", ("batch", 2))
    zero = ga.grad(ga.sum(x), [other], disconnected="zero")[0]
    assert zero.type == other.type
    assert not ga.compile([other], zero)(np.ones((4, 2))).any()
    with pytest.raises(ArgumentError, match="'none'"):
        ga.grad(ga.sum(x), [other], disconnected="none")  # type: ignore[arg-type]


def test_a_node_that_the_loss_reaches_with_slope_zero_is_connected() -> None:
    x = vector()
    np.testing.assert_array_equal(value(ga.grad(ga.sum(0.0 * x), x), {x: POINT}), [0, 0, 0])
    np.testing.assert_array_equal(value(ga.grad(ga.sum(ga.sign(x)), x), {x: POINT}), [0, 0, 0])


@pytest.mark.parametrize(
    "loss", [vector(), ga.input("n", (), "int64"), 3.0, None], ids=["vector", "integer", "number", "none"]
)
def test_a_gradient_is_of_a_float_scalar(loss: Any) -> None:
    with pytest.raises(GradientError, match="float scalar"):
        ga.grad(loss, [])


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_no_gradient_is_taken_by_what_is_no_float(dtype: str) -> None:
    x, labels = vector(), ga.input("labels", (3,), dtype)
    with pytest.raises(GradientError, match=rf"labels.*{dtype}"):
        ga.grad(ga.sum(x * labels), labels)
    with pytest.raises(GradientError, match="is no node"):
        ga.grad(ga.sum(x), "x")
    with pytest.raises(GradientError, match="labels"):
        ga.vjp(labels, x, labels)


def test_parameters_are_differentiated_like_inputs() -> None:
    W = ga.parameter(POINT, "W")
    np.testing.assert_allclose(value(ga.grad(ga.sum(ga.sin(W)), W)), np.cos(POINT))


def test_a_vjp_is_the_transposed_jacobian_times_the_cotangents_of_all_outputs() -> None:
    x, c, d = vector(), vector("c"), ga.input("d", (), "float64")
    outputs = {"a": ga.sin(x), "b": [ga.sum(x * x)]}
    found = value(ga.vjp(outputs, x, {"a": c, "b": [d]}), {x: POINT, c: POINT + 1, d: np.array(3.0)})
    np.testing.assert_allclose(found, np.cos(POINT) * (POINT + 1) + 6 * POINT)


def test_an_output_given_twice_counts_twice() -> None:
    x = vector()
    y = ga.sin(x)
    found = ga.vjp([y, y, x], x, [np.ones(3), POINT, 10 * POINT])
    np.testing.assert_allclose(value(found, {x: POINT}), np.cos(POINT) * (1 + POINT) + 10 * POINT)


def test_cotangents_may_be_arrays_and_python_numbers() -> None:
    x, s = vector(), ga.input("s", (), "float64")
    np.testing.assert_array_equal(value(ga.vjp(x * x, x, POINT), {x: POINT}), 2 * POINT**2)
    assert value(ga.vjp(s * s, s, 2), {s: np.array(3.0)}) == 12


def test_cotangents_that_do_not_fit_are_refused_by_name() -> None:
    x = vector()
    y = ga.sin(x)
    with pytest.raises(ShapeError, match=r"cotangent .*float64\[2\].*<sin: float64\[3\]>"):
        ga.vjp(y, x, np.ones(2))
    with pytest.raises(DTypeError, match=r"cotangent .*float32\[3\].*<sin: float64\[3\]>"):
        ga.vjp(y, x, float32([1, 1, 1]))
    with pytest.raises(ArgumentError, match="structure"):
        ga.vjp([y], x, y)


def test_a_gradient_graph_is_valid_and_computes_the_forward_nodes_once() -> None:
    x = vector()
    h = ga.tanh(x)
    loss = ga.sum(h * h)
    gradient = ga.grad(loss, x)
    verify(Graph((x,), (loss, gradient)))
    assert [node.op.name for node in Graph((x,), (gradient,)).nodes].count("tanh") == 1
    assert h in set(Graph((x,), (gradient,)).nodes)


def test_second_and_third_derivatives() -> None:
    x = vector()
    third = ga.sum(ga.sin(2.0 * x))
    for _ in range(3):
        third = ga.sum(ga.grad(third, x))
    np.testing.assert_allclose(value(third, {x: POINT}), np.sum(-8 * np.cos(2 * POINT)))


def test_mixed_second_derivatives_are_equal() -> None:
    x, y = ga.input("x", (), "float64"), ga.input("y", (), "float64")
    f = ga.sin(x * y) + x**2 * ga.exp(y)
    by_x, by_y = ga.grad(f, [x, y])
    given = {x: np.array(0.7), y: np.array(-0.4)}
    assert value(ga.grad(by_x, y), given) == pytest.approx(float(value(ga.grad(by_y, x), given)), rel=1e-14)


def test_a_float32_loss_has_float32_gradients_whatever_else_is_in_it() -> None:
    x = ga.input("x", (3,))
    loss = ga.mean((2 * x + 1) ** 2 / 3 - x / 7.0) + ga.sum(ga.constant([1, 2, 3]) * x)
    gradient = ga.grad(loss, x)
    assert {node.dtype for node in Graph((x,), (gradient,)).nodes if node.type.is_float} == {np.dtype("float32")}


def test_a_chain_of_ten_thousand_steps_is_differentiated_without_recursion() -> None:
    x = ga.input("x", (), "float64")
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    gradient = ga.grad(y, x)
    assert value(gradient, {x: np.array(1.0)}) == pytest.approx(1.0001**10_000)


# What each node of a gradient knows of itself.


def unrolled(steps: int = 6) -> tuple[Node, list[Node], Node]:
    """A cell whose nodes are read several times: gates that are cut apart, and a node that is read twice."""
    x = ga.input("x", (steps, 4), "float64")
    U, W = (ga.parameter(np.random.default_rng(i).standard_normal((4, 4)), name) for i, name in enumerate("UW"))

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        before = x_t @ U
        gates = before * (ga.concatenate([h, h]) @ W)
        h = ga.tanh(gates[:2]) * ga.sigmoid(gates[2:]) + before[:2] * h * ga.sum(before)
        return h, ga.sum(h)

    _, outputs = ga.unroll(cell, np.zeros(2), x)
    return x, [U, W], ga.sum(outputs)


def made_for(forward: list[Node], *gradients: Node) -> list[Node]:
    """The nodes of gradients that are not in the forward graph."""
    old = set(Graph((), tuple(forward)).nodes)
    return [node for node in Graph((), gradients).nodes if node not in old]


def test_every_node_of_a_gradient_knows_the_forward_node_it_was_made_for() -> None:
    _, parameters, loss = unrolled()
    forward = set(Graph((), (loss,)).nodes)
    made = made_for([loss], *ga.grad(loss, parameters))
    seeds = {node for node in made if node.origin.twin is None}
    assert all(isinstance(node.op, Constant) for node in seeds)
    assert len(seeds) == 1
    assert all(node.origin.twin in forward for node in made if node not in seeds)
    assert all(node.origin.made_by for node in made if node not in seeds)


def test_a_cotangent_is_called_after_its_twin_and_has_its_type() -> None:
    x = vector()
    h = ga.tanh(x).named("h")
    loss = ga.sum(h * h)
    for_h, for_x = ga.grad(loss, [h, x])
    assert (for_h.label, for_x.label) == ("d_h", "d_x")
    assert (for_h.origin.twin, for_x.origin.twin) == (h, x)
    assert ga.grad(ga.sum(for_x), h).label == "d_h"
    made = made_for([loss], for_h, for_x)
    for node in made:
        if node.origin.made_by == COTANGENT:
            assert node.origin.twin is not None
            assert node.type == node.origin.twin.type


def repeated(nodes: list[Node]) -> dict[Any, int]:
    """How often each place (scope, step, template) is taken, where it is more than once."""
    places = [(n.origin.scope, n.origin.step, n.origin.template) for n in nodes if n.origin.template is not None]
    return {place: count for place, count in Counter(places).items() if count > 1}


def test_no_two_nodes_of_a_step_share_a_template() -> None:
    _, parameters, loss = unrolled()
    nodes = Graph((), (loss, *ga.grad(loss, parameters))).nodes
    assert len({node.origin.template for node in nodes}) > 20
    assert repeated(list(nodes)) == {}


def test_two_gradients_of_one_graph_share_no_template_within_a_step() -> None:
    x, parameters, loss = unrolled()
    gradients = [*ga.grad(loss, parameters), *ga.grad(loss * loss, [*parameters, x])]
    assert repeated(list(Graph((), tuple(gradients)).nodes)) == {}


def test_second_derivatives_share_no_template_with_first_ones_within_a_step() -> None:
    _, parameters, loss = unrolled()
    slope = ga.sum(ga.sin(ga.grad(loss, parameters[0])))
    assert repeated(list(Graph((), tuple(ga.grad(slope, parameters))).nodes)) == {}


def test_an_output_given_several_times_shares_no_template_within_a_step() -> None:
    x = ga.input("x", (2, 3), "float64")
    inside: list[Node] = []

    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        inside.append(ga.tanh(h + x_t))
        return inside[-1], None

    ga.unroll(cell, np.zeros(3), x)
    found = ga.vjp([inside[0]] * 4, x, [np.ones(3)] * 4)
    assert repeated(list(Graph((), (found,)).nodes)) == {}


def test_copies_at_inner_steps_share_their_templates_forward_and_backward() -> None:
    _, parameters, loss = unrolled(steps=6)
    for graph in (Graph((), (loss,)), Graph((), tuple(ga.grad(loss, parameters)))):
        at = [{n.origin.template: n.op for n in graph.nodes if n.origin.step == step} for step in range(6)]
        assert len(at[2]) > 8
        assert at[1].keys() == at[2].keys() == at[3].keys() == at[4].keys()
        assert all(at[1][template].name == at[4][template].name for template in at[1])


def test_the_step_of_a_cotangent_is_that_of_the_node_whose_rule_made_it() -> None:
    _, parameters, loss = unrolled(steps=4)
    made = made_for([loss], *ga.grad(loss, parameters))
    for node in made:
        if node.origin.made_by != COTANGENT and node.origin.twin is not None:
            assert (node.origin.scope, node.origin.step) == (
                node.origin.twin.origin.scope,
                node.origin.twin.origin.step,
            )
            assert node.origin.source == node.origin.twin.origin.source


def test_a_sum_over_time_is_a_chain_of_additions_with_one_link_at_each_step() -> None:
    _, (U, _), loss = unrolled(steps=5)
    link, steps = ga.grad(loss, U), []
    while link.op.name == "add" and link.origin.twin is U:
        steps.append(link.origin.step)
        link = link.operands[0]
    assert steps == [0, 1, 2, 3]


def test_errors_of_differentiation_say_what_was_asked_and_in_which_line() -> None:
    x, n = vector(), ga.input("n", (3,), "int64")
    loss = ga.sum(x)
    asked: list[tuple[Callable[[], Any], str]] = [
        (lambda: ga.grad(x, x), r"grad\("),
        (lambda: ga.grad(loss, n), r"grad\(sum: .*n: int64\[3\]"),
        (lambda: ga.vjp(x, n, x), r"vjp\("),
        (lambda: ga.jvp(loss, n, n), r"jvp\("),
        (lambda: ga.hessian(x, x), r"grad\("),
    ]
    for ask, call in asked:
        with pytest.raises(GradientError, match=rf"{call}.*\(at test_reverse\.py:\d+\)"):
            ask()
