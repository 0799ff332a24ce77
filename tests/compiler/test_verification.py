"""Passes are replayed: what they do wrong is told, with the smallest graph that shows it."""

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.compiler.reproduction import Reproduction
from graphad.compiler.verification import random_arguments, random_array
from graphad.errors import VerificationError
from graphad.ir.node import apply, labels
from graphad.ops.arithmetic import Add, Divide, Multiply, Negative, Subtract
from graphad.ops.structure import Reshape
from graphad.ops.transcendental import Exp, Log, Tanh
from graphad.rewrite.driver import Pass, Rewrites, Rule
from graphad.rewrite.pipeline import PIPELINE

X, Y = ga.input("x", shape=(2, 3)), ga.input("y", shape=(2, 3))


def exchanged(node: Node) -> Node | None:
    """X - y -> y - x, which is wrong."""
    wrong = isinstance(node.op, Subtract) and node.operands[0].name == "x"
    return apply(node.op, *reversed(node.operands)) if wrong else None


def rounded(node: Node) -> Node | None:
    """X + y -> (x + y) * 1.0000001, which is nearly right."""
    if not isinstance(node.op, Add) or node.name == "sum":
        return None
    factor = ga.broadcast_to(ga.constant(np.float32(1.0000001)), node.shape)
    return apply(Multiply(), apply(Add(), *node.operands).named("sum"), factor)


def never(node: Node) -> Node | None:
    """Nothing -> nothing."""
    return None


def compiled(output: Node, one: Pass) -> ga.Function:
    return ga.compile([X, Y], output, passes=[one], verify=True)


def test_a_rewrite_that_changes_a_value_is_named_with_its_pass_and_the_output() -> None:
    with pytest.raises(
        VerificationError, match="pass evil, by its rewrite exchanged, changed the value of <difference"
    ):
        compiled((X - Y).named("difference"), Rewrites("evil", (never, exchanged), exact=True))


def test_inputs_of_one_type_are_given_different_data() -> None:
    """With equal data, x - y -> y - x would pass."""
    with pytest.raises(VerificationError):
        compiled(X - Y, Rewrites("evil", (exchanged,), exact=False))


def test_rounding_is_allowed_to_those_who_say_so() -> None:
    found = compiled(X + Y, Rewrites("rounding", (rounded,), exact=False))
    assert found(np.ones((2, 3)), np.ones((2, 3))).shape == (2, 3)
    with pytest.raises(VerificationError, match="pass rounding, by its rewrite rounded"):
        compiled(X + Y, Rewrites("rounding", (rounded,), exact=True))


def test_an_inexact_pass_may_find_a_number_where_there_was_none_and_never_loses_one() -> None:
    def cancelling(node: Node) -> Node | None:
        """(x / y) * y -> x."""
        is_one = isinstance(node.op, Multiply) and isinstance(node.operands[0].op, Divide)
        return node.operands[0].operands[0] if is_one else None

    def losing(node: Node) -> Node | None:
        """X + y -> (x + y) / 0, which is no number."""
        return node / 0.0 if isinstance(node.op, Add) else None

    none = (X / (0.0 * Y)) * (0.0 * Y)
    found = compiled(none, Rewrites("cancel", (cancelling,), exact=False))
    np.testing.assert_array_equal(found(np.ones((2, 3)), np.ones((2, 3))), 1.0)
    with pytest.raises(VerificationError, match="cancel"):
        compiled(none, Rewrites("cancel", (cancelling,), exact=True))
    with pytest.raises(VerificationError, match="evil"):
        compiled(X + Y, Rewrites("evil", (losing,), exact=False))


def test_a_wrong_value_is_reported_and_not_a_warning_of_numpy() -> None:
    def infinite(node: Node) -> Node | None:
        return node.operands[0] if node.op == ga.negative(X).op else None

    big = ga.input("big", shape=(2, 3)) * np.float32(1e38) * np.float32(1e38)
    with pytest.raises(VerificationError, match="infinite"):
        ga.compile([big.operands[0].operands[0]], -big, passes=[Rewrites("evil", (infinite,), exact=True)], verify=True)


def test_a_pass_that_is_no_tuple_of_rewrites_is_named_too() -> None:
    class Lost:
        name = "lost"
        exact = True

        def run(self, graph: Graph) -> Graph:
            return Graph(graph.inputs[::-1], graph.outputs)

    with pytest.raises(VerificationError, match="pass lost changed the inputs"):
        compiled(X - Y, Lost())


def test_a_pass_is_trusted_unless_verification_is_asked_for() -> None:
    wrong = ga.compile([X, Y], X - Y, passes=[Rewrites("evil", (exchanged,), exact=True)])
    assert wrong(np.ones((2, 3)), np.zeros((2, 3)))[0, 0] == -1.0


def test_the_passes_of_the_house_verify_on_a_gradient() -> None:
    x, y = ga.input("x", shape=("batch", 5, 3)), ga.input("y", shape=("batch",), dtype="int64")
    w, v = ga.parameter(np.full((3, 4), 0.1, np.float32)), ga.parameter(np.full((4, 2), 0.2, np.float32))

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.sigmoid(x_t @ w + h)
        return h, h

    h, _ = ga.unroll(cell, ga.zeros_like(x[:, 0] @ w), x, axis=1)
    loss = ga.mean(ga.softmax_cross_entropy(h @ v, y))
    step = ga.compile([x, y], loss, updates=ga.optim.Adam().updates(loss, [w, v]), verify=True)
    assert step(np.ones((7, 5, 3)), [0, 1] * 3 + [1]) == pytest.approx(np.log(2), rel=0.1)


def test_random_data_suits_each_dtype() -> None:
    generator = np.random.default_rng(0)
    reals = random_array(ga.input("a", shape=(50, 3)), generator)
    wholes = random_array(ga.input("b", shape=(50,), dtype="int8"), generator)
    truths = random_array(ga.input("c", shape=(50,), dtype="bool"), generator)
    assert [array.dtype.name for array in (reals, wholes, truths)] == ["float32", "int8", "bool"]
    assert 0.5 < reals.std() < 1.5
    assert not wholes.any()
    assert truths.any()
    assert not truths.all()


def evil(*rules: Rule, exact: bool = True) -> Rewrites:
    return Rewrites("evil", rules, exact)


def error_of(inputs: list[Node], outputs: object, *passes: Pass) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        ga.compile(inputs, outputs, passes=passes, verify=True)
    return caught.value


def reproduction_of(error: VerificationError) -> Reproduction:
    assert isinstance(error.reproduction, Reproduction)
    return error.reproduction


def names(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def shifted(node: Node) -> Node | None:
    """Exp(log x) -> x + 1, if x is a sum; which is wrong."""
    if not isinstance(node.op, Exp) or not isinstance(node.operands[0].op, Log):
        return None
    (x,) = node.operands[0].operands
    return x + 1.0 if isinstance(x.op, Add) else x


def test_of_many_applications_of_a_rule_the_guilty_one_is_found_and_cut_out() -> None:
    roots = [ga.exp(X) + ga.exp(Y) if i == 4 else ga.exp(X * i) for i in range(1, 7)]
    a, b, c, d, e, f = (ga.exp(ga.log(root)) for root in roots)
    error = error_of([X, Y], ga.tanh(a + b + c * d + e - f), evil(never, shifted, exact=False))
    assert "application 4 of 6, to <exp: float32[2, 3]> at test_verification.py:" in str(error)
    assert "by its rewrite shifted, changed the value of <tanh" in str(error)
    found = reproduction_of(error)
    assert names(found.before) == ["input", "log", "exp"]
    assert names(found.after) == ["constant", "broadcast_to", "input", "add"]
    before, after = found.values()
    np.testing.assert_allclose(after, before + 1, rtol=1e-5)


def test_the_inputs_of_a_reproduction_have_the_values_that_they_had() -> None:
    """A rule that is right for what it reads, and wrong for other numbers, is not told apart from a right one."""
    error = error_of([X, Y], ga.exp(X) - Y, evil(exchanged_differences))
    found = reproduction_of(error)
    (x, y), _ = random_arguments(Graph((X, Y), ()), ())
    for one, other in zip(found.arguments, (y, np.exp(x)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [node.type for node in found.before.inputs] == [X.type, Y.type]


def exchanged_differences(node: Node) -> Node | None:
    """X - y -> y - x, which is wrong."""
    first = isinstance(node.op, Subtract) and isinstance(node.operands[0].op, Exp)
    return apply(Subtract(), *reversed(node.operands)) if first else None


def test_the_text_of_a_reproduction_shows_both_graphs_their_constants_and_the_values_that_differ() -> None:
    error = error_of([X, Y], ga.exp(ga.log(X + Y)), evil(shifted))
    _, _, text = str(error).partition("\n")
    assert "Exp(log x) -> x + 1, if x is a sum; which is wrong." in text
    assert "%1 = log(x0) : float32[2, 3]\n" in text
    assert "= constant() : float32[] = np.array(1.0, 'float32')\n" in text
    assert "\nx0 = np.array([[" in text
    before, after = reproduction_of(error).values()
    at = text.splitlines()[-1]
    row, column = (int(part) for part in at.partition("[")[2].partition("]")[0].split(","))
    assert at.endswith(f"the value was {before[row, column]} and became {after[row, column]}")


def test_what_lies_between_a_node_and_what_is_read_after_it_is_shown_whole() -> None:
    def inverse(node: Node) -> Node | None:
        """Tanh(x) - x -> x, which is wrong."""
        fits = isinstance(node.op, Subtract) and isinstance(node.operands[0].op, Tanh)
        return node.operands[1] if fits and node.operands[0].operands[0] is node.operands[1] else None

    x = ga.exp(X)
    found = reproduction_of(error_of([X], ga.sin(ga.tanh(x) - x), evil(inverse)))
    assert names(found.before) == ["input", "tanh", "subtract"]
    assert names(found.after) == ["input"]


def exchanged_in_loops(node: Node) -> Node | None:
    """X - tanh(y) -> tanh(y) - x, which is wrong."""
    fits = isinstance(node.op, Subtract) and isinstance(node.operands[1].op, Tanh)
    return apply(Subtract(), *reversed(node.operands)) if fits else None


def test_a_wrong_rewrite_in_the_body_of_a_loop_is_cut_out_of_it() -> None:
    x = ga.input("x", (3, 40, 2))
    h, _ = ga.unroll(lambda h, x_t: (x_t - ga.tanh(h), None), init=x[:, 0], xs=x, axis=1)
    error = error_of([x], h, *PIPELINE, evil(exchanged_in_loops))
    assert "application 1 of 1" in str(error)
    found = reproduction_of(error)
    assert names(found.before) == ["input", "input", "subtract"]
    assert found.before.outputs[0].shape == (3, 2)
    before, after = found.values()
    np.testing.assert_array_equal(after, -before)


def test_a_rewrite_that_makes_a_graph_fail_is_named() -> None:
    def next_place(node: Node) -> Node | None:
        """take_along_axis(x, i) -> take_along_axis(x, i + 9), which reaches outside."""
        if node.op.name != "take_along_axis" or isinstance(node.operands[1].op, Add):
            return None
        x, i = node.operands
        return apply(node.op, x, i + 9)

    places = ga.input("places", (2, 1), "int64")
    error = error_of([X, places], ga.take_along_axis(X, places, 1), evil(next_place))
    assert "by its rewrite next_place, made a graph that fails" in str(error)
    assert "\nit fails: take_along_axis(x" in str(error)


def test_of_other_passes_the_first_node_that_differs_is_told() -> None:
    class Lost:
        name = "lost"
        exact = True

        def run(self, graph: Graph) -> Graph:
            with labels() as label:
                label.follow(inner.origin, self.name)
                wrong = {node: apply(Negative(), node) for node in graph.nodes if node.name == "inner"}
            return graph.substitute(wrong)

    inner = ga.exp(X).named("inner")
    error = error_of([X], (ga.sin(X), ga.tanh(ga.tanh(inner)).named("outer")), Lost())
    assert "pass lost changed the value of <outer: float32[2, 3]> on random data" in str(error)
    assert "; the first node that differs is <tanh: float32[2, 3]> at test_verification.py:" in str(error)
    assert error.reproduction is None


def test_integers_are_drawn_and_so_a_fault_in_what_they_choose_is_seen() -> None:
    def always_first(node: Node) -> Node | None:
        """take_along_axis(x, i) -> take_along_axis(x, 0 i), which zeros for indices would hide."""
        if node.op.name != "take_along_axis" or isinstance(node.operands[1].op, Multiply):
            return None
        return apply(node.op, node.operands[0], node.operands[1] * 0)

    places = ga.input("places", (2, 1), "uint8")
    with pytest.raises(VerificationError, match="always_first"):
        ga.compile([X, places], ga.take_along_axis(X, places, 1), passes=[evil(always_first)], verify=True)


@pytest.mark.parametrize(("size", "below"), [(12, 10), (5, 4), (3, 3), (2, 2), (1, 1)])
def test_integers_are_as_large_as_the_indices_may_be(size: int, below: int) -> None:
    x, places = ga.input("x", (size,)), ga.input("places", (200,), "int32")
    (_, drawn), (taken,) = random_arguments(Graph((x, places), ()), [ga.take(x, places)])
    assert set(drawn.tolist()) == set(range(below))
    assert taken.shape == (200,)


def test_what_fails_for_any_integers_is_an_error() -> None:
    x, places = ga.input("x", (3,)), ga.input("places", (2,), "int64")
    with pytest.raises(ga.errors.IndexRangeError):
        random_arguments(Graph((x, places), ()), [ga.take(x, places + 3)])


def test_a_difference_of_nan_is_shown() -> None:
    def nothing(node: Node) -> Node | None:
        """Log(x) -> x, which is wrong where x is negative."""
        return node.operands[0] if isinstance(node.op, Log) else None

    error = error_of([X], ga.log(X), evil(nothing))
    assert "the value was nan and became -" in str(error)


def test_large_inputs_are_told_by_their_shapes() -> None:
    x = ga.input("x", (70, 3))
    error = error_of([x], ga.reshape(-x, (3, 70)), evil(lost_sign))
    assert "\nx0 = random float32[70, 3]\n" in str(error)
    assert len(str(error)) < 900


def lost_sign(node: Node) -> Node | None:
    """Reshape(-x) -> reshape(x), which is wrong."""
    fits = isinstance(node.op, Reshape) and isinstance(node.operands[0].op, Negative)
    return apply(node.op, node.operands[0].operands[0]) if fits else None
