from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.blocks import in_blocks
from graphad.errors import DivergenceError
from graphad.ir.graph import Graph
from graphad.ir.leaves import Parameter, Storage
from graphad.ir.node import Node
from graphad.optim.rules import SGD, Adam

SHAPES = [(3, 4), (4,), (4, 2), ()]


def weights(count: int = 4) -> list[Node]:
    generator = np.random.default_rng(0)
    shapes = [SHAPES[i % 4] for i in range(count)]
    return [ga.parameter(generator.standard_normal(s).astype("f4"), name=f"w{i}") for i, s in enumerate(shapes)]


def loss_of(parameters: list[Node]) -> Node:
    total: Node = sum(ga.sum(ga.sin(w) * w) for w in parameters)  # type: ignore[assignment]
    return total


def storage(node: Node) -> Storage:
    assert isinstance(node.op, Parameter)
    return node.op.storage


@pytest.mark.parametrize("rule", [SGD(0.1), SGD(0.1, momentum=0.9, nesterov=True), Adam(0.1)])
def test_rules_on_blocks_do_what_they_do_to_each_parameter(rule: SGD | Adam) -> None:
    blocked, plain = weights(), weights()
    step = ga.compile([], loss_of(blocked), updates=rule.updates(loss_of(blocked), blocked), verify=True)
    slow = ga.compile([], loss_of(plain), updates=rule.updates(loss_of(plain), plain), backend="reference")
    for _ in range(3):
        np.testing.assert_allclose(step(), slow(), rtol=1e-5)
    for one, other in zip(blocked, plain, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-5)
        assert one.value.shape == other.value.shape


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.1)])
def test_an_update_costs_as_many_statements_for_three_parameters_as_for_three_hundred(rule: SGD | Adam) -> None:
    def update_statements(count: int) -> int:
        parameters = weights(count)
        gradients = [ga.input(f"g{i}", w.shape) for i, w in enumerate(parameters)]
        loss: Node = sum(ga.sum(g * w) for g, w in zip(gradients, parameters, strict=True))  # type: ignore[assignment]
        step = ga.compile(gradients, [], updates=rule.updates(loss, parameters))
        return step.report().statements

    assert update_statements(3) == update_statements(300)


def test_parameters_keep_their_values_and_can_be_set() -> None:
    parameters = weights()
    before = [w.value for w in parameters]
    step = ga.compile([], loss_of(parameters), updates=SGD(0.0).updates(loss_of(parameters), parameters))
    step()
    for w, value in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(w.value, value)
    parameters[1].value = np.full(4, 7.0)
    np.testing.assert_array_equal(parameters[1].value, np.full(4, 7.0))
    expected = sum(float(np.sum(np.sin(w.value) * w.value)) for w in parameters)
    assert step() == pytest.approx(expected, rel=1e-5)


def test_functions_compiled_before_a_block_was_made_see_what_training_does() -> None:
    parameters = weights()
    look = ga.compile([], [w * 1.0 for w in parameters])
    look()
    step = ga.compile([], [], updates=SGD(0.1).updates(loss_of(parameters), parameters))
    step()
    for seen, w in zip(look(), parameters, strict=True):
        np.testing.assert_array_equal(seen, w.value)


def test_a_second_function_over_some_of_a_block_leaves_the_block_and_trains_its_parameters() -> None:
    parameters = weights()
    whole = ga.compile([], [], updates=SGD(0.1).updates(loss_of(parameters), parameters))
    block = storage(parameters[0]).block
    part = ga.compile([], [], updates={w: w + 1.0 for w in parameters[:2]})
    assert storage(parameters[0]).block is block is not None
    before = [w.value for w in parameters]
    part()
    for i, (w, value) in enumerate(zip(parameters, before, strict=True)):
        np.testing.assert_array_equal(w.value, value + 1 if i < 2 else value)
    whole()


def test_a_block_is_made_once_for_the_same_parameters() -> None:
    parameters = weights()
    graph = Graph((), tuple(w * 0.5 for w in parameters))
    _, updated, (first,) = in_blocks(graph, parameters)
    _, _, (second,) = in_blocks(graph, parameters)
    assert len(updated) == 1
    assert storage(first.vector) is storage(second.vector)
    assert storage(parameters[3]).array.base is not None


def test_parameters_of_different_dtypes_or_rules_are_in_different_blocks() -> None:
    a, b, c, d = weights()
    e, f = (ga.parameter(np.zeros(3), name=name) for name in "ef")
    values = (a * 0.5, b * 0.5, c * 0.25, d * 0.25, e * 0.5, f * 0.5)
    _, updated, blocks = in_blocks(Graph((), values), [a, b, c, d, e, f])
    assert [{node.name for node in block.members} for block in blocks] == [{"w0", "w1"}, {"w2", "w3"}, {"e", "f"}]
    assert len(updated) == 3


def test_a_parameter_that_would_not_be_finite_is_named_though_it_is_in_a_block() -> None:
    parameters = weights()
    x = ga.input("x", ())
    step = ga.compile([x], [], updates={w: w * x if w.name == "w2" else w * 2.0 for w in parameters})
    both = ga.compile([x], [], updates={w: w - x * w * (1.0 if w.name == "w1" else 0.0) for w in weights()})
    before = [w.value for w in parameters]
    for function, name in ((step, "w2"), (both, "w1")):
        with pytest.raises(DivergenceError, match=f"the new value of <{name}"):
            function(np.inf if name == "w2" else 3e38)
    for w, value in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(w.value, value)
