import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.lowering import lower, random_array
from graphad.errors import VerificationError
from graphad.ir.leaves import Constant
from graphad.ir.node import apply
from graphad.ops.arithmetic import Add, Divide, Multiply, Subtract
from graphad.rewrite.driver import Pass, Rewrites
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


def test_the_report_tells_stages_work_and_memory() -> None:
    x = ga.input("x", shape=("batch", 3))
    step = ga.compile([x], ga.stop_gradient(ga.tanh(x) * 1.0))
    step(np.zeros((7, 3)))
    report = step.report()
    assert [stage.name for stage in report.stages[:-1]] == ["specialise", *(one.name for one in PIPELINE)]
    assert all(before.after == after.before for before, after in zip(report.stages, report.stages[1:], strict=False))
    assert report.sizes == {"batch": 7}
    assert (report.statements, report.flops, report.live_bytes) == (1, 21, 84)
    assert report.arena_bytes == 128
    assert 0 < report.seconds < 10
    text = str(report)
    assert "batch=7" in text
    assert all(stage.name in text for stage in report.stages)


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


def test_lowering_leaves_the_declared_graph_alone() -> None:
    x = ga.input("x", shape=("batch", 3))
    graph = Graph((x,), (ga.mean(x) * 1.0,))
    text = str(graph)
    lowered = lower(graph, (), {"batch": 5}, passes=PIPELINE, backend="numpy", check=True)
    assert isinstance(lowered.executable, NumpyExecutable)
    assert str(graph) == text
    assert not any(isinstance(node.op, Constant) and node.shape == (5,) for node in graph.nodes)


def test_the_report_says_what_waits_for_time_what_does_not_and_what_is_too_large() -> None:
    for batch, large in ((2, False), (4096, True)):
        x, W = ga.input("x", (batch, 40, 3)), ga.parameter(np.ones((3, 4), np.float32), name="W")

        def cell(h: ga.Node, x_t: ga.Node, W: ga.Node = W) -> tuple[ga.Node, None]:
            return ga.tanh(h + x_t @ W), None

        h_T, _ = ga.unroll(cell, init=ga.broadcast_to(0.0, (batch, 4)), xs=x, axis=1)
        text = str(ga.compile([x], ga.grad(ga.sum(h_T), W)).report())
        assert "forward loop over 40 steps, each waiting for the one before: " in text
        assert "backward loop over " in text
        assert ("for all steps at once, since it waits for none: " in text) != large
        assert ("  in tiles of 8 steps, since arrays for all steps would be 2,621,440 bytes" in text) == large
    assert ga.compile([], ga.exp(ga.constant(1.0))).report().time == ()
