import numpy as np
from hypothesis import given

import graphad as ga
from graphad import Graph
from graphad.ir.evaluation import evaluate
from graphad.ir.verify import verify_pass
from graphad.rewrite.pipeline import PIPELINE
from tests.ir.random_graphs import Sample, samples


def rewritten(graph: Graph) -> Graph:
    for one in PIPELINE:
        graph = one.run(graph)
    return graph


@given(samples(rounding=True))
def test_exact_passes_change_no_bit_and_a_second_run_finds_nothing_to_do(sample: Sample) -> None:
    graph = sample.whole
    for one in PIPELINE:
        after = one.run(graph)
        verify_pass(graph, after, one.name)
        assert one.run(after) is after
        if one.exact:
            with np.errstate(all="ignore"):
                pairs = zip(evaluate(graph, sample.arguments), evaluate(after, sample.arguments), strict=True)
            for before, found in pairs:
                np.testing.assert_array_equal(found, before)
        graph = after


@given(samples())
def test_names_lines_and_order_survive(sample: Sample) -> None:
    found = rewritten(sample.whole)
    assert found.inputs == sample.graph.inputs
    known = {node.origin.source for node in sample.whole.nodes}
    assert all(node.origin.source in known for node in found.nodes)
    names = {node.name for node in sample.whole.nodes if node.name}
    assert {node.name for node in found.nodes if node.name} <= names
    ranks = [node.origin.rank for node in found.nodes]
    assert ranks == sorted(ranks)


def test_no_rewrite_makes_nan_out_of_a_number_or_a_number_out_of_nan() -> None:
    x = ga.input("x", shape=(3,))
    outputs = (x * 0.0, x - x, x / x, 0.0 * ga.log(x), ga.maximum(x, x), x**0.0)
    array = np.array([np.nan, np.inf, -1.0], np.float32)
    before, after = (evaluate(graph, [array]) for graph in (Graph((x,), outputs), rewritten(Graph((x,), outputs))))
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_become_smaller_and_stay_what_they_were() -> None:
    x, w = ga.input("x", shape=(7, 3)), ga.parameter(np.linspace(-1, 1, 15).reshape(3, 5).astype("float32"), name="w")
    loss = ga.mean(ga.square(ga.tanh(x @ w)) * 1.0 + 0.0)
    graph = Graph((x,), (loss, ga.grad(loss, w), ga.grad(loss, w)))
    found = rewritten(graph)
    assert len(found.nodes) < 0.8 * len(graph.nodes)
    assert found.outputs[1] is found.outputs[2]
    array = np.linspace(-2, 2, 21).reshape(7, 3).astype("float32")
    for a, b in zip(evaluate(graph, [array]), evaluate(found, [array]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
