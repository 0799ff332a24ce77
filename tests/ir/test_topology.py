import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.ir.node import same
from graphad.ir.topology import dependence_graph, reachable, topological_order
from tests.ir.random_graphs import Sample, samples


@given(samples())
def test_operands_come_first_each_node_once_and_in_the_order_of_declaration(sample: Sample) -> None:
    order = topological_order(sample.graph.outputs)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[operand] < place[node] for node in order for operand in node.operands)
    ranks = [node.origin.rank for node in order]
    assert ranks == sorted(ranks)


@given(samples(), st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_outputs(sample: Sample, shuffler: random.Random) -> None:
    outputs = list(sample.graph.outputs)
    shuffler.shuffle(outputs)
    assert topological_order(outputs) == topological_order(sample.graph.outputs)


@given(samples())
def test_the_order_holds_all_that_the_outputs_depend_on_and_nothing_else(sample: Sample) -> None:
    graph = dependence_graph(topological_order(sample.graph.outputs))
    needed = set(sample.graph.outputs).union(*(nx.ancestors(graph, output) for output in sample.graph.outputs))
    assert set(graph) == needed


@given(samples())
def test_reachable_nodes_lie_between_the_sources_and_the_outputs(sample: Sample) -> None:
    order = topological_order(sample.graph.outputs)
    graph = dependence_graph(order)
    sources = sample.graph.inputs[:2]
    between = {node for s in sources if s in graph for node in (s, *nx.descendants(graph, s))}
    assert same(reachable(sources, sample.graph.outputs), [node for node in order if node in between])


def test_nothing_is_reachable_from_what_the_outputs_do_not_depend_on() -> None:
    x, y = ga.input("x", shape=(2,)), ga.input("y", shape=(3,))
    assert reachable([y], [ga.tanh(x)]) == ()
    assert reachable([], [x]) == ()
    assert reachable([x], [x]) == (x,)


@pytest.mark.parametrize("doubling", [True, False])
def test_shared_nodes_are_visited_once(doubling: bool) -> None:
    """A ladder has 2^50 paths, a chain one; both have one node for each rung."""
    node: Node = ga.input("x")
    for _ in range(50):
        node = node + node if doubling else ga.negative(node)
    assert len(topological_order([node])) == 51


@given(samples(), st.integers(0, 30))
def test_the_order_can_be_ended_before_what_was_declared_earlier(sample: Sample, skipped: int) -> None:
    order = topological_order(sample.graph.outputs)
    limit = order[min(skipped, len(order) - 1)].origin.rank
    found = topological_order(sample.graph.outputs, lambda node: node.origin.rank > limit)
    outputs = set(sample.graph.outputs)
    assert same(found, [node for node in order if node.origin.rank > limit or node in outputs])
