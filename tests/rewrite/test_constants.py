from collections.abc import Callable

import numpy as np
import pytest

import graphad as ga
from graphad import Graph, Node
from graphad.errors import ExecutionError, IndexRangeError
from graphad.ir.evaluation import evaluate
from graphad.ir.leaves import Constant
from graphad.ir.node import apply
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, TensorType
from graphad.ops.indexing import OneHot
from graphad.ops.structure import BroadcastTo
from graphad.ops.transcendental import Power
from graphad.rewrite.constants import FOLD_CONSTANTS, uniform

X = ga.input("x", shape=(2, 3))
ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], np.float32)


def folded(*outputs: Node) -> tuple[Node, ...]:
    """The outputs after the pass, of which a second run finds nothing to do."""
    found = FOLD_CONSTANTS.run(Graph((X,), outputs))
    assert FOLD_CONSTANTS.run(found) is found
    return found.outputs


def value(node: Node) -> Array:
    assert isinstance(node.op, Constant), node
    return node.op.value


@pytest.mark.parametrize(
    "build",
    [
        ga.tanh,
        lambda c: c * c + 1.0,
        lambda c: c @ c.T,
        lambda c: ga.sum(c, axis=0),
        lambda c: c[1, ::-1],
        lambda c: c.reshape(3, 2),
        lambda c: c.astype("int8"),
        lambda c: ga.stack([c, c], axis=1),
        lambda c: ga.one_hot(ga.argmax(c, axis=1), 3),
        lambda c: ga.where(c > 2.0, c, 0.0),
        ga.mean,
        ga.stop_gradient,
    ],
)
def test_functions_of_constants_are_constants_of_the_same_type_and_bits(build: Callable[[Node], Node]) -> None:
    before = build(ga.constant(ARRAY))
    (after,) = folded(before)
    (expected,) = evaluate(Graph((X,), (before,)), [ARRAY])
    np.testing.assert_array_equal(value(after), expected)
    assert after.type == before.type


@pytest.mark.parametrize("number", [0.5, -0.0, np.nan, np.inf, np.int8(7), True])
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (400, 500)])
def test_a_repeated_number_stays_a_number_through_views_and_elementwise_functions(
    number: float, shape: tuple[int, int]
) -> None:
    repeated = ga.broadcast_to(ga.constant(number), shape)
    for before in (
        ga.where(ga.equal(repeated, repeated), repeated, repeated),
        ga.transpose(repeated),
        repeated[:, 1:],
        repeated.reshape(-1),
        ga.stop_gradient(repeated),
        ga.broadcast_to(repeated, (4, *shape)),
    ):
        (after,) = folded(before)
        assert after.type == before.type
        assert isinstance(after.op, BroadcastTo)
        np.testing.assert_array_equal(value(after.operands[0]), number)
        assert after.operands[0].shape == ()


def test_no_more_is_folded_than_the_bound_allows() -> None:
    large = ga.constant(np.zeros((400, 200), np.float32))
    kept, total = folded(ga.exp(large), ga.sum(ga.exp(large)))
    assert not isinstance(kept.op, Constant)
    assert total.op == ga.sum(large).op


def test_what_depends_on_inputs_or_parameters_is_not_folded() -> None:
    w = ga.parameter(np.zeros((2, 3), np.float32))
    graph = Graph((X,), (X * 0.0, w * 0.0, w - w, X - X, ga.where(X > 0.0, X, 0.0)))
    assert FOLD_CONSTANTS.run(graph) is graph


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda: apply(OneHot(3, FLOAT32), ga.constant([7, 1])), IndexRangeError),
        (lambda: apply(Power(), ga.constant([2, 3]), ga.constant([-1, -2])), ExecutionError),
        (lambda: ga.broadcast_to(ga.constant(2), (2,)) ** ga.broadcast_to(ga.constant(-1), (2,)), ExecutionError),
    ],
)
def test_what_fails_is_left_to_fail_when_the_program_runs_and_names_the_node_then(
    build: Callable[[], Node], error: type[Exception]
) -> None:
    node = build()
    (after,) = folded(node)
    assert after is node
    step = ga.compile([], node)
    with pytest.raises(error, match=rf"{node.op.name}\(.*test_constants.py:\d+"):
        step()


def test_sizes_are_folded_once_they_are_known() -> None:
    x = ga.input("x", shape=("batch", 3))
    graph = Graph((x,), (ga.mean(x) / ga.mean(ga.zeros_like(x) + 1.0),)).specialise({"batch": 5})
    after = FOLD_CONSTANTS.run(graph)
    assert sum(isinstance(node.op, Constant) for node in after.nodes) < sum(
        isinstance(node.op, Constant) for node in graph.nodes
    )
    array = np.arange(15, dtype=np.float32).reshape(5, 3)
    assert evaluate(after, [array])[0] == 7.0


def test_a_uniform_node_is_a_constant_of_one_element_or_a_repetition_of_one() -> None:
    one = ga.constant([[2.5]])
    for node in (
        one,
        ga.constant(2.5),
        ga.broadcast_to(one, (3, 4)),
        ga.broadcast_to(ga.broadcast_to(one, (3, 1)), (3, 2)),
    ):
        found = uniform(node)
        assert found == Constant(TensorType.of(()), np.float32(2.5).tobytes())
    for other in (X, ga.constant([2.5, 2.5]), ga.broadcast_to(X, (4, 2, 3)), ga.constant(np.zeros((0, 3)))):
        assert uniform(other) is None


def test_a_folded_node_keeps_its_name_and_origin() -> None:
    before = (ga.constant(2.0) * ga.constant(3.0)).named("six")
    (after,) = folded(before)
    assert (after.name, after.origin) == ("six", before.origin)
