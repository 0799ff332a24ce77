from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Graph, Node
from graphad.errors import VerificationError
from graphad.ir.op import Op
from graphad.ir.tensor_type import TensorType
from graphad.ir.verify import verify, verify_pass
from graphad.ops.arithmetic import Add
from graphad.ops.transcendental import Tanh
from tests.ir.random_graphs import Sample, samples

X, Y = ga.input("x", shape=(2, 3)), ga.input("y", shape=(2, 3))
H = ga.tanh(X)


@given(samples())
def test_what_builders_build_is_valid(sample: Sample) -> None:
    verify(sample.graph)
    verify_pass(sample.graph, sample.graph, "nothing")


def test_a_node_of_a_type_that_its_operands_do_not_give_is_found() -> None:
    wrong = Node(Tanh(), (X,), TensorType.of((3, 2)), "h", H.origin)
    with pytest.raises(
        VerificationError, match=r"<h: float32\[3, 2\]> is of type .* its operands make it float32\[2, "
    ):
        verify(Graph((X,), (wrong,)))


def test_a_node_whose_operands_do_not_fit_it_is_found() -> None:
    z = ga.input("z", shape=(5,))
    wrong = Node(Add(), (X, z), X.type, "sum", z.origin)
    with pytest.raises(VerificationError, match=r"<sum: .* does not fit its operands"):
        verify(Graph((X, z), (wrong,)))


def test_an_operand_that_would_come_after_its_reader_is_found() -> None:
    reader = Node(Tanh(), (H,), H.type, "early", replace(H.origin, rank=0))
    with pytest.raises(VerificationError, match=r"<early: .* comes before one of its operands"):
        verify(Graph((X,), (reader,)))


def test_an_input_that_the_graph_does_not_declare_is_found() -> None:
    with pytest.raises(VerificationError, match=r"<y: .* is an input that the graph does not declare"):
        verify(Graph((X,), (X + Y,)))


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (Graph((X,), (ga.tanh(X),)), "pass evil changed the inputs"),
        (Graph((Y, X), (ga.tanh(X),)), "pass evil changed the inputs"),
        (Graph((X, Y), (ga.sum(X),)), "pass evil changed the type of an output"),
        (Graph((X, Y), (H, H)), "pass evil changed the type of an output"),
        (Graph((X, Y), (Node(Tanh(), (X,), ga.sum(X).type, None, H.origin),)), "pass evil: .* is of type"),
    ],
)
def test_a_pass_that_breaks_a_graph_is_named(after: Graph, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify_pass(Graph((X, Y), (H,)), after, "evil")


def test_ops_are_equal_when_they_are_of_one_class_and_their_attributes_are_equal() -> None:
    assert Add() == Add()
    ops: set[Op] = {Add(), Tanh(), ga.sum(X).op, ga.sum(X, axis=0).op, ga.sum(X, axis=(0, 1)).op}
    assert len(ops) == 4


def test_an_op_without_rules_says_so() -> None:
    @dataclass(frozen=True)
    class Nothing(Op):
        name = "nothing"

    for ask in (lambda: Nothing().infer(X.type), lambda: Nothing().kernel(np.zeros(3))):
        with pytest.raises(TypeError, match="Nothing has no"):
            ask()
