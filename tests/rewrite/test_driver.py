from dataclasses import fields, replace

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.errors import VerificationError
from graphad.ir.evaluation import evaluate
from graphad.ir.node import Origin, Scope, apply, labels
from graphad.ops.arithmetic import Add, Multiply, Negative, Square
from graphad.ops.transcendental import Exp, Tanh
from graphad.rewrite.driver import Rewrites


def square_of_product(node: Node) -> Node | None:
    """X * x -> square(x)."""
    is_square = isinstance(node.op, Multiply) and node.operands[0] is node.operands[1]
    return apply(Square(), node.operands[0]) if is_square else None


def double_of_sum(node: Node) -> Node | None:
    """X + x -> 2 * x, by two nodes."""
    if not isinstance(node.op, Add) or node.operands[0] is not node.operands[1]:
        return None
    return apply(Negative(), apply(Negative(), node.operands[0])) * 2.0


def never(node: Node) -> Node | None:
    """Nothing -> nothing."""
    return None


def test_a_graph_in_which_no_rule_applies_is_the_same_object() -> None:
    x = ga.input("x", shape=(2, 3))
    graph = Graph((x,), (ga.tanh(x), x))
    assert Rewrites("nothing", (never, square_of_product), exact=True).run(graph) is graph


def test_rules_see_operands_that_are_rewritten_already() -> None:
    x = ga.input("x", shape=(2, 3))
    graph = Graph((x,), ((x * x) * (x * x),))
    (found,) = Rewrites("squares", (square_of_product,), exact=True).run(graph).outputs
    assert isinstance(found.op, Multiply)
    assert isinstance(found.operands[0].op, Square)
    shared = x * x
    (found,) = Rewrites("squares", (square_of_product,), exact=True).run(Graph((x,), (shared * shared,))).outputs
    assert [found.op, found.operands[0].op] == [Square(), Square()]


def test_rules_are_tried_on_what_rules_make_until_none_applies() -> None:
    def to_exp(node: Node) -> Node | None:
        return apply(Exp(), *node.operands) if isinstance(node.op, Tanh) else None

    def to_square(node: Node) -> Node | None:
        return apply(Square(), *node.operands) if isinstance(node.op, Exp) else None

    x = ga.input("x", shape=(2, 3))
    (found,) = Rewrites("chain", (to_square, to_exp), exact=False).run(Graph((x,), (ga.tanh(x),))).outputs
    assert (found.op, found.operands) == (Square(), (x,))


def test_what_a_rule_makes_takes_the_name_and_the_origin_of_what_it_replaces() -> None:
    x = ga.input("x", shape=(2, 3))
    with labels(Scope("cell"), 5, template=("cell",), twin=x):
        before = (x + x).named("double")
    graph = Graph((x,), (before,))
    (after,) = Rewrites("sums", (double_of_sum,), exact=True).run(graph).outputs
    assert (after.name, after.origin) == ("double", before.origin)
    inner = after.operands[0]
    assert inner.name is None
    expected = replace(before.origin, made_by="sums", template=inner.origin.template)
    kept = [field.name for field in fields(Origin) if field.name != "twin"]
    assert all(getattr(inner.origin, name) == getattr(expected, name) for name in kept)
    assert inner.origin.twin is expected.twin
    assert inner.origin.template is not None
    assert inner.origin.template[:2] == (before.origin.template, "sums")


def test_a_rule_that_keeps_an_operand_keeps_its_name() -> None:
    def first_operand(node: Node) -> Node | None:
        return node.operands[0] if isinstance(node.op, Add) else None

    x = ga.input("x", shape=(2, 3))
    h = ga.tanh(x).named("h")
    (found,) = Rewrites("first", (first_operand,), exact=False).run(Graph((x,), ((h + x).named("sum"),))).outputs
    assert found is h


def test_a_rule_that_changes_the_type_is_named_with_its_pass() -> None:
    def total(node: Node) -> Node | None:
        return ga.sum(node.operands[0]) if isinstance(node.op, Tanh) else None

    x = ga.input("x", shape=(2, 3))
    with pytest.raises(VerificationError, match=r"pass evil, total: <tanh.* became <sum.* of another type"):
        Rewrites("evil", (never, total), exact=True).run(Graph((x,), (ga.tanh(x),)))


def test_rules_that_undo_each_other_are_stopped_and_their_pass_is_named() -> None:
    def there(node: Node) -> Node | None:
        return apply(Exp(), *node.operands) if isinstance(node.op, Tanh) else None

    def back(node: Node) -> Node | None:
        return apply(Tanh(), *node.operands) if isinstance(node.op, Exp) else None

    x = ga.input("x", shape=(2, 3))
    with pytest.raises(VerificationError, match=r"pass restless does not come to rest at <.*, at test_driver.py:\d+"):
        Rewrites("restless", (there, back), exact=False).run(Graph((x,), (ga.tanh(x),)))


def test_deep_graphs_are_rewritten_without_recursion() -> None:
    x = ga.input("x", shape=(3,))
    deep = x
    for _ in range(20_000):
        deep = -deep
    deep = deep * deep
    found = Rewrites("squares", (square_of_product,), exact=True).run(Graph((x,), (deep,)))
    assert isinstance(found.outputs[0].op, Square)
    assert len(found.nodes) == 20_002


def test_rewriting_keeps_the_order_of_declaration() -> None:
    x = ga.input("x", shape=(2, 3))
    first, second = x + x, ga.exp(x)
    third = first * second
    found = Rewrites("sums", (double_of_sum,), exact=True).run(Graph((x,), (third, second)))
    names = [node.op.name for node in found.nodes]
    assert names.index("multiply") < names.index("exp")
    array = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
    np.testing.assert_array_equal(evaluate(found, [array])[0], 2 * array * np.exp(array))
