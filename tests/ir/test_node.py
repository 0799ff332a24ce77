import contextlib
import sys
import threading
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, ShapeError, SymbolicValueError
from graphad.ir.node import (
    COTANGENT,
    Node,
    Origin,
    Scope,
    apply,
    current_scope,
    labels,
    labels_from,
    next_rank,
    rebuild,
)
from graphad.ir.tensor_type import TensorType
from graphad.ops.arithmetic import Add
from graphad.ops.transcendental import Tanh


@pytest.fixture
def x() -> Node:
    return ga.input("x", shape=(2, 3))


def line() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


@pytest.mark.parametrize("attribute", ["op", "operands", "type", "name", "origin", "other"])
def test_a_node_cannot_be_changed(x: Node, attribute: str) -> None:
    with pytest.raises(AttributeError, match="is immutable"):
        setattr(x, attribute, None)
    with pytest.raises(AttributeError, match="is immutable"):
        delattr(x, attribute)
    assert x.type == TensorType.of((2, 3))


def test_nodes_are_told_apart_by_identity_in_sets_and_dictionaries(x: Node) -> None:
    a, b = ga.tanh(x), ga.tanh(x)
    assert a is not b
    assert a.op == b.op
    assert len({a, b, a}) == 2


def test_a_node_shows_its_type(x: Node) -> None:
    node = ga.sum(x, axis=0).named("total")
    assert (node.shape, node.dtype, node.ndim) == ((3,), np.dtype("float32"), 1)
    assert repr(node) == "<total: float32[3]>"
    assert len(node) == 3


def test_naming_a_node_gives_another_one_of_the_same_computation(x: Node) -> None:
    node = ga.tanh(x)
    named = node.named("h")
    assert (named.name, node.name) == ("h", None)
    assert (named.op, named.operands, named.type, named.origin) == (node.op, node.operands, node.type, node.origin)


def test_a_label_is_the_name_else_that_of_the_twin_else_the_operation(x: Node) -> None:
    assert ga.tanh(x).label == "tanh"
    cotangent = Node(Add(), (x, x), x.type, None, Origin(twin=x, made_by=COTANGENT))
    assert cotangent.label == "d_x"
    assert Node(Add(), (x, x), x.type, None, Origin(twin=cotangent, made_by=COTANGENT)).label == "d_d_x"
    assert Node(Add(), (x, x), x.type, "s", Origin(twin=x, made_by=COTANGENT)).label == "s"


def test_iterating_gives_the_parts_along_the_first_axis(x: Node) -> None:
    rows = list(x)
    assert [row.shape for row in rows] == [(3,), (3,)]


@pytest.mark.parametrize("shape", [(), ("batch", 3)])
def test_what_has_no_known_length_cannot_be_iterated(shape: Any) -> None:
    node = ga.input("x", shape=shape)
    for ask in (len, iter, list):
        with pytest.raises(SymbolicValueError, match="<x: "):
            ask(node)


def test_a_node_remembers_the_line_of_the_user(x: Node) -> None:
    node, expected = ga.tanh(x), line()
    assert node.origin.source == (__file__, expected)
    assert node.origin.place == f"test_node.py:{expected}"
    tanh: Any = np.tanh
    through_numpy, expected = tanh(x) + 1.0, line()
    assert through_numpy.origin.source == (__file__, expected)


def test_ranks_grow_with_declaration_and_are_never_less_than_those_of_operands(x: Node) -> None:
    nodes = [x, ga.tanh(x), ga.exp(x), x + 1.0]
    ranks = [node.origin.rank for node in nodes]
    assert ranks == sorted(set(ranks))
    late = ga.tanh(x)
    moved = rebuild(nodes[1], Tanh(), (late,))
    assert moved.origin.rank == late.origin.rank
    assert rebuild(nodes[3], nodes[3].op, (x, x)).origin.rank == nodes[3].origin.rank


def test_labels_apply_inside_their_block_and_are_undone_after_it_even_by_an_error(x: Node) -> None:
    outer, inner = Scope("cell"), Scope("gate")
    with labels(outer, 4, template=(outer,)):
        first = ga.tanh(x)
        with contextlib.suppress(ZeroDivisionError), labels(inner, 1, made_by="rule", twin=x):
            nested = ga.tanh(x)
            raise ZeroDivisionError
        second = ga.tanh(first)
        assert current_scope() is outer
    after = ga.tanh(second)
    assert [node.origin.step for node in (first, nested, second, after)] == [4, 1, 4, None]
    assert (nested.origin.made_by, nested.origin.twin, nested.origin.scope) == ("rule", x, inner)
    assert (first.origin.template, second.origin.template) == ((outer, 0), (outer, 1))
    assert first.origin.place.startswith("step 4 test_node.py:")
    assert after.origin.scope is None


def test_nodes_made_for_another_have_its_step_line_and_a_template_below_its_own(x: Node) -> None:
    scope = Scope("cell", Scope("net"))
    assert scope.path == "net/cell"
    with labels(scope, 3, template=(scope,)):
        primal = ga.tanh(x)
    with labels_from(primal.origin, made_by="vjp of tanh", twin=primal, position=1):
        made = ga.exp(x)
    assert (made.origin.step, made.origin.scope, made.origin.source) == (3, scope, primal.origin.source)
    assert made.origin.template == (primal.origin.template, "vjp of tanh", 1, 0)
    assert made.origin.twin is primal


def test_labels_that_follow_an_origin_take_its_place_in_the_order(x: Node) -> None:
    primal = ga.tanh(x)
    with labels() as label:
        label.follow(primal.origin, "algebra")
        made = ga.exp(x)
    assert (made.origin.rank, made.origin.made_by) == (primal.origin.rank, "algebra")
    assert made.origin.source == primal.origin.source


@pytest.mark.parametrize(
    ("other", "error"),
    [(ga.input("y", shape=(2, 5)), ShapeError), (ga.input("y", shape=(2, 3), dtype="int64"), DTypeError)],
)
def test_operands_that_do_not_fit_are_named_with_types_step_and_line(x: Node, other: Node, error: Any) -> None:
    with labels(Scope("cell"), 6), pytest.raises(error) as caught:
        apply(Add(), x, other)
    message = str(caught.value)
    assert message.startswith(f"add(x: float32[2, 3], y: {other.type}): ")
    assert "step 6 test_node.py:" in message
    assert message.count("test_node.py") == 1


def test_rebuilding_a_node_keeps_its_name_and_origin_and_infers_its_type_anew(x: Node) -> None:
    node = ga.tanh(x).named("h")
    wide = Node(x.op, (), TensorType.of((4, 5)), "x", x.origin)
    again = rebuild(node, node.op, (wide,))
    assert (again.name, again.origin, again.type) == ("h", node.origin, TensorType.of((4, 5)))
    alike = Node(x.op, (), TensorType.of((2, 3)), "x", x.origin)
    assert rebuild(node, node.op, (alike,)).type is node.type
    with pytest.raises(ShapeError, match=r"add\(.*test_node.py"):
        rebuild(x + x, Add(), (x, wide))


def test_the_value_of_a_node_that_is_no_parameter_is_refused_by_name(x: Node) -> None:
    with pytest.raises(ArgumentError, match="<x: float32"):
        _ = x.value


def test_a_parameter_has_one_value_whatever_it_is_called() -> None:
    w = ga.parameter([1.0, 2.0], name="w")
    w.named("v").value = [3.0, 4.0]
    assert w.value.tolist() == [3.0, 4.0]


def test_labels_of_one_generator_do_not_leak_into_another_thread(x: Node) -> None:
    def declared() -> Generator[Node]:
        with labels(Scope("cell"), 2):
            yield ga.tanh(x)

    found: list[Node] = []
    generator = declared()
    next(generator)
    thread = threading.Thread(target=lambda: found.append(ga.tanh(x)))
    thread.start()
    thread.join()
    generator.close()
    assert found[0].origin.step is None


def test_a_rank_that_is_taken_lies_between_what_was_and_what_will_be_declared(x: Node) -> None:
    before = ga.tanh(x)
    taken = next_rank()
    assert before.origin.rank < taken < ga.tanh(x).origin.rank
