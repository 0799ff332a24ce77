import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.ir.evaluation import evaluate
from graphad.ir.node import same
from graphad.ops.loop import Loop
from graphad.rewrite.pipeline import PIPELINE
from graphad.rewrite.recompute import RECOMPUTE, RecomputeAfter, computed_first
from graphad.schedule.views import roots_of

X = ga.input("x", shape=(2, 3))
DEAR = 2**20


def after(graph: Graph, last: Node, price: int = 1, fixed: tuple[Node, ...] = ()) -> RecomputeAfter:
    """The pass that computes again what is read behind ``last``; results are kept in any case."""
    roots, _ = roots_of(graph)
    statements = [node for node in graph.nodes if roots[node] is node and not node.op.traits.leaf]
    point = next(i for i, node in enumerate(statements) if node is last) + 1
    results = set(graph.outputs)
    kept = {node: node.type.nbytes for node in statements[:point] if node not in results}
    return RecomputeAfter(kept, statements[point:], roots, price, frozenset(fixed))


def copies(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.origin.made_by == RECOMPUTE]


def test_what_is_cheap_is_computed_again_just_before_it_is_read() -> None:
    a = ga.sin(X)
    total = ga.sum(a)
    other = ga.exp(X)
    late = other * a
    graph = Graph((X,), (total, late))
    found = after(graph, total).run(graph)
    (copy,) = copies(found)
    order = [node.op.name for node in found.nodes]
    assert order == ["input", "sin", "sum", "exp", "sin", "multiply"]
    assert copy.origin.twin is a
    assert copy.origin.source == a.origin.source
    assert same(copy.operands, (X,))
    assert same(found.outputs[:1], (total,))
    argument = np.arange(6, dtype=np.float32).reshape(2, 3)
    for value, expected in zip(evaluate(found, [argument]), evaluate(graph, [argument]), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_what_costs_more_than_its_bytes_are_worth_is_kept() -> None:
    w = ga.parameter(np.ones((3, 40), np.float32))
    a = X @ w @ ga.parameter(np.ones((40, 3), np.float32))  # 2 * 40 operations for 4 bytes
    total = ga.sum(a)
    graph = Graph((X,), (total, a * 2.0))
    cheap, dear = (after(graph, total, price) for price in (1, DEAR))
    assert cheap.run(graph) is graph
    assert [node.op.name for node in copies(dear.run(graph))] == ["matmul", "matmul"]


def test_what_is_smaller_is_kept_and_the_rest_computed_from_it() -> None:
    line = ga.sum(X @ ga.parameter(np.ones((3, 300), np.float32)), axis=1, keepdims=True)
    wide = ga.broadcast_to(line, (2, 50)) * 2.0
    sines = ga.sin(wide)
    total = ga.sum(sines)
    graph = Graph((X,), (total, sines + 1.0))
    found = after(graph, total).run(graph)
    assert [node.op.name for node in copies(found)] == ["multiply", "sin"]
    assert line in set(found.nodes)


def test_views_of_what_is_computed_again_are_made_again() -> None:
    a = ga.sin(X)
    total = ga.sum(a)
    graph = Graph((X,), (total, ga.exp(a.T)))
    assert [node.op.name for node in copies(after(graph, total).run(graph))] == ["sin", "transpose"]


def test_values_that_are_fixed_are_kept() -> None:
    a = ga.sin(X)
    b = ga.cos(ga.broadcast_to(a, (5, 2, 3)))
    total = ga.sum(b)
    graph = Graph((X,), (total, ga.exp(b)))

    def again(*fixed: Node) -> list[str]:
        return [node.op.name for node in copies(after(graph, total, 1, fixed).run(graph)) if not node.op.traits.view]

    assert again() == ["sin", "cos"]
    assert again(a) == ["cos"]
    assert again(b) == []


def test_what_is_drawn_at_random_is_drawn_alike() -> None:
    a = ga.normal((2, 3)) * X
    total = ga.sum(a)
    graph = Graph((X,), (total, a + 0.0))
    found = after(graph, total, DEAR).run(graph)
    assert [node.op.name for node in copies(found)] == ["normal", "multiply"]
    first, again = evaluate(found, [np.ones((2, 3), np.float32)])
    assert again.sum() == pytest.approx(first, rel=1e-6)


def test_loops_are_not_run_again() -> None:
    w = ga.parameter(np.full((4, 4), 0.5))
    x = ga.input("x", (2, 9, 4), "float64")
    h, _ = ga.unroll(lambda h, x_t: (ga.tanh(h @ w + x_t), None), ga.constant(np.ones((2, 4))), x, axis=1)
    late = ga.sin(ga.broadcast_to(h, (50, 2, 4)))
    graph = Graph((x,), (ga.max(late), late * 2.0))
    for one in PIPELINE:
        graph = one.run(graph)
    assert any(isinstance(node.op, Loop) for node in graph.nodes)
    total = next(node for node in graph.nodes if node.op.name == "max")
    found = after(graph, total, DEAR).run(graph)
    assert "sin" in {node.op.name for node in copies(found)}
    assert not any(isinstance(node.op, Loop) for node in copies(found))


def test_a_copy_of_a_copy_still_tells_what_was_computed_first() -> None:
    a = ga.sin(X)
    total = ga.sum(a)
    graph = Graph((X,), (total, ga.exp(a), ga.cos(a)))
    once = after(graph, total).run(graph)
    (exp,) = (node for node in once.nodes if node.op.name == "exp")
    twice = after(once, exp).run(once)
    assert same([computed_first(node) for node in copies(twice)], [a, a])
    assert computed_first(total) is total


def test_what_waits_for_a_later_value_does_not_bring_an_old_one_back() -> None:
    """In a checkpoint the copies read what was kept through a view that waits for a cotangent."""
    layer = ga.checkpoint(lambda x: ga.sin(ga.cos(x)))
    kept = ga.exp(X)
    loss = ga.sum(ga.square(layer(kept)))
    graph = Graph((X,), (loss, ga.grad(loss, kept)))
    found = after(graph, loss, DEAR, (kept,)).run(graph)
    assert "checkpoint" in {node.op.name for node in copies(found)}
    names = [node.op.name for node in found.nodes if not node.op.traits.view]
    again = [node.op.name for node in copies(found) if not node.op.traits.view]
    before = [node.op.name for node in graph.nodes if not node.op.traits.view]
    assert sorted(names) == sorted([*before, *again])
