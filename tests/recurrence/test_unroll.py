from __future__ import annotations

import sys
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GraphadError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import central_gradient_of, value, values

BATCH, STEPS, FEATURES = 4, 6, 3
GENERATOR = np.random.default_rng(0)
WEIGHT = 0.5 * GENERATOR.standard_normal((FEATURES, FEATURES))
SEQUENCES = GENERATOR.standard_normal((BATCH, STEPS, FEATURES))
START = GENERATOR.standard_normal((BATCH, FEATURES))


def in_numpy(h: Array, x_t: Array) -> Array:
    return np.asarray(np.tanh(x_t + h @ WEIGHT))


def loop(h: Array, sequences: Array) -> tuple[Array, Array]:
    """The last state and all states, (batch, time, features), in plain numpy."""
    states = []
    for t in range(sequences.shape[1]):
        h = in_numpy(h, sequences[:, t])
        states.append(h)
    return h, np.stack(states, axis=1)


class Net:
    """A tanh RNN over (batch, time, features), with everything an input."""

    def __init__(self, axis: int = 1, batch: Any = "batch", **options: Any) -> None:
        shape: tuple[Any, ...] = (batch, FEATURES)
        place = axis % 3
        self.x = ga.input("x", (*shape[:place], STEPS, *shape[place:]), "float64")
        self.h = ga.input("h", shape, "float64")
        self.W = ga.parameter(WEIGHT, "W")
        self.last, self.states = ga.unroll(self.cell, self.h, self.x, axis=axis, **options)

    def cell(self, h: Node, x_t: Node) -> tuple[Node, Node]:
        h = ga.tanh(x_t + h @ self.W)
        return h, h

    def run(self, outputs: Any, x: Array = SEQUENCES, backend: str = "numpy") -> Any:
        return ga.compile([self.x, self.h], outputs, backend=backend)(x, START)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_time_may_be_any_axis_and_the_outputs_have_it_again(axis: int, backend: str) -> None:
    net = Net(axis)
    last, states = net.run([net.last, net.states], np.moveaxis(SEQUENCES, 1, axis), backend)
    expected_last, expected = loop(START, SEQUENCES)
    np.testing.assert_allclose(last, expected_last, rtol=1e-13)
    np.testing.assert_allclose(np.moveaxis(states, axis, 1), expected, rtol=1e-13)
    assert net.states.ndim == 3


def test_one_step_is_the_cell() -> None:
    x = ga.input("x", (1, BATCH, FEATURES), "float64")
    last, states = ga.unroll(lambda h, x_t: (ga.tanh(x_t + h @ WEIGHT),) * 2, START, x)
    found, stacked = values([last, states], {x: SEQUENCES[None, :, 0]})
    np.testing.assert_allclose(found, in_numpy(START, SEQUENCES[:, 0]), rtol=1e-13)
    np.testing.assert_array_equal(stacked, found[None])


def test_no_steps_give_the_initial_carry_and_outputs_of_length_zero_with_their_types() -> None:
    x, h = ga.input("x", ("batch", 0, FEATURES), "float64"), ga.input("h", ("batch", FEATURES), "float64")

    def cell(carry: Node, x_t: Node) -> tuple[Node, dict[str, Any]]:
        after = ga.tanh(x_t + carry @ WEIGHT)
        return after, {"h": after, "best": ga.argmax(after, axis=-1), "none": None}

    last, outputs = ga.unroll(cell, h, x, axis=1)
    assert last is h
    assert str(outputs["h"].type) == "float64[batch, 0, 3]"
    assert str(outputs["best"].type) == "int64[batch, 0]"
    assert outputs["none"] is None
    function = ga.compile([x, h], [last, outputs["h"], outputs["best"], ga.grad(ga.sum(last * last), h)])
    found, states, best, gradient = function(SEQUENCES[:, :0], START)
    np.testing.assert_array_equal(found, START)
    assert states.shape == (BATCH, 0, FEATURES)
    assert best.shape == (BATCH, 0)
    np.testing.assert_array_equal(gradient, 2 * START)


def test_no_steps_without_xs_give_the_initial_carry() -> None:
    last, outputs = ga.unroll(lambda h, _: (h + 1.0, h), 2.0, steps=0)
    assert value(last) == 2
    assert outputs.shape == (0,)


class Pair(NamedTuple):
    h: Node
    c: Node


@pytest.mark.parametrize("kind", [tuple, list, dict, Pair])
def test_a_carry_may_be_a_structure(kind: Any) -> None:
    start = {"h": ga.constant(1.0), "c": ga.constant(10.0)}

    def make(h: Node, c: Node) -> Any:
        return {"h": h, "c": c} if kind is dict else Pair(h, c) if kind is Pair else kind((h, c))

    def cell(carry: Any, x_t: Node) -> tuple[Any, Node]:
        h, c = carry.values() if kind is dict else carry
        return make(h + x_t, c * h), h

    last, outputs = ga.unroll(cell, make(*start.values()), ga.constant([1.0, 2.0, 3.0]))
    assert type(last) is kind
    h, c = last.values() if kind is dict else last
    assert value(h) == 7
    assert value(c) == 10 * 1 * 2 * 4
    np.testing.assert_array_equal(value(outputs), [1, 2, 4])


def test_a_dict_may_come_back_with_its_keys_in_another_order() -> None:
    start = {"h": ga.constant(1.0), "c": ga.constant(10.0)}
    last, _ = ga.unroll(lambda at, _: ({"c": at["c"] * 2.0, "h": at["h"] + 1.0}, None), start, steps=3)
    assert [*last] == ["h", "c"]
    assert [value(last["h"]), value(last["c"])] == [4, 80]


def test_carries_inputs_and_outputs_may_be_nested() -> None:
    xs = {"a": ga.constant([1.0, 2.0]), "b": [ga.constant([[10.0], [20.0]]), None]}

    def cell(carry: Any, at: Any) -> tuple[Any, Any]:
        assert at["b"][1] is None
        (total, (count,)) = carry
        total = total + at["a"] + at["b"][0][0]
        return (total, (count + 1,)), {"total": (total, None), "count": [count]}

    (total, (count,)), outputs = ga.unroll(cell, (0.0, (0,)), xs)
    assert value(total) == 33
    assert value(count) == 2
    np.testing.assert_array_equal(value(outputs["total"][0]), [11, 33])
    np.testing.assert_array_equal(value(outputs["count"][0]), [0, 1])
    assert outputs["total"][1] is None
    assert count.dtype == np.int64


def test_without_inputs_the_number_of_steps_is_given() -> None:
    seen: list[None] = []

    def cell(h: Node, x_t: None) -> tuple[Node, Node]:
        seen.append(x_t)
        return h * 2.0, h

    last, powers = ga.unroll(cell, 1.0, steps=5)
    assert value(last) == 32
    np.testing.assert_array_equal(value(powers), [1, 2, 4, 8, 16])
    assert seen == [None] * 5


def test_outputs_may_be_none() -> None:
    last, outputs = ga.unroll(lambda h, x_t: (h + x_t, None), 0.0, ga.constant([1.0, 2.0]))
    assert value(last) == 3
    assert outputs is None


@pytest.mark.parametrize("step", [0, 1, 2])
def test_an_output_is_none_at_every_step_or_at_none(step: int) -> None:
    count = iter(range(3))
    with pytest.raises(ArgumentError, match="None at"):
        ga.unroll(lambda h, _: (h, None if next(count) == step else h), 0.0, steps=3)


@pytest.mark.parametrize("axis", [0, 1])
def test_reverse_is_forward_on_flipped_time(axis: int) -> None:
    net = Net(axis, reverse=True)
    loss = ga.sum(net.states * np.arange(1.0, FEATURES + 1)) + ga.sum(ga.sin(net.last))
    x = np.moveaxis(SEQUENCES, 1, axis)
    last, states, *gradients = net.run([net.last, net.states, *ga.grad(loss, [net.x, net.W, net.h])], x)
    expected_last, expected = loop(START, SEQUENCES[:, ::-1])
    np.testing.assert_allclose(last, expected_last, rtol=1e-13)
    np.testing.assert_allclose(np.moveaxis(states, axis, 1), expected[:, ::-1], rtol=1e-13)
    forward = Net(axis)
    loss = ga.sum(forward.states * np.arange(1.0, FEATURES + 1)) + ga.sum(ga.sin(forward.last))
    by_x, *others = forward.run(ga.grad(loss, [forward.x, forward.W, forward.h]), np.flip(x, axis))
    np.testing.assert_allclose(gradients[0], np.flip(by_x, axis), rtol=1e-12)
    for found, wanted in zip(gradients[1:], others, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("truncate", [1, 2, 4, STEPS, STEPS + 3])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_truncated_gradient_is_that_of_segments_which_take_their_start_as_given(truncate: int, reverse: bool) -> None:
    net = Net(1, truncate=truncate, reverse=reverse)
    found, by_W, by_h = net.run([net.states, *ga.grad(ga.sum(ga.sin(net.states)), [net.W, net.h])])
    sequences = SEQUENCES[:, ::-1] if reverse else SEQUENCES
    expected = loop(START, sequences)[1]
    np.testing.assert_allclose(found[:, ::-1] if reverse else found, expected, rtol=1e-13)
    starts = [START, *(expected[:, t - 1] for t in range(truncate, STEPS, truncate))]
    segments = [sequences[:, t : t + truncate] for t in range(0, STEPS, truncate)]
    by_hand, first = np.zeros_like(WEIGHT), np.zeros_like(START)
    for number, (start, segment) in enumerate(zip(starts, segments, strict=True)):
        for t in range(segment.shape[1]):
            states = loop(start, segment)[1]
            back = np.cos(states[:, t])
            for s in reversed(range(t + 1)):
                before = start if s == 0 else states[:, s - 1]
                dz = back * (1 - states[:, s] ** 2)
                by_hand += before.T @ dz
                back = dz @ WEIGHT.T
            first += back if number == 0 else 0
    np.testing.assert_allclose(by_W, by_hand, rtol=1e-11)
    np.testing.assert_allclose(by_h, first, rtol=1e-11)


LENGTHS = np.array([0, 1, 4, STEPS])


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("dtype", ["int64", "uint8"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_finished_sequence_keeps_its_carry_and_adds_nothing(reverse: bool, dtype: str, backend: str) -> None:
    lengths = ga.input("lengths", ("batch",), dtype)
    net = Net(1, lengths=lengths, reverse=reverse)
    outputs = [net.last, *ga.grad(ga.sum(ga.sin(net.last)), [net.W, net.h])]
    function = ga.compile([net.x, net.h, lengths], outputs, backend=backend)
    last, by_W, by_h = function(SEQUENCES, START, LENGTHS.astype(dtype))
    total = np.zeros_like(WEIGHT)
    for i, length in enumerate(LENGTHS):
        own, start = SEQUENCES[i : i + 1, :length], START[i : i + 1]
        states = [start] if length == 0 else [start, *loop(start, own[:, ::-1] if reverse else own)[1].swapaxes(0, 1)]
        np.testing.assert_allclose(last[i], states[-1][0], rtol=1e-13)
        back = np.cos(states[-1])
        for s in reversed(range(length)):
            dz = back * (1 - states[s + 1] ** 2)
            total += states[s].T @ dz
            back = dz @ WEIGHT.T
        np.testing.assert_allclose(by_h[i], back[0], rtol=1e-11)
    np.testing.assert_allclose(by_W, total, rtol=1e-11)


def test_what_follows_the_end_of_a_sequence_may_be_anything() -> None:
    net = Net(1, BATCH, lengths=LENGTHS)
    padded = SEQUENCES.copy()
    for i, length in enumerate(LENGTHS):
        padded[i, length:] = np.nan
    np.testing.assert_array_equal(net.run(net.last, padded), net.run(net.last))


def test_lengths_of_bytes_serve_sequences_of_any_length() -> None:
    lengths = ga.input("lengths", (2,), "uint8")
    last, _ = ga.unroll(lambda h, _: (h + 1.0, None), np.zeros(2), steps=300, lengths=lengths)
    np.testing.assert_array_equal(value(last, {lengths: np.array([7, 255], np.uint8)}), [7, 255])


def test_lengths_hold_for_every_carry_whatever_its_rank() -> None:
    start = (np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3, 1)))
    last, _ = ga.unroll(lambda carry, _: (tuple(h + 1.0 for h in carry), None), start, steps=4, lengths=[1, 3])
    for found in values(list(last), {}):
        np.testing.assert_array_equal(found.reshape(2, -1)[:, 0], [1, 3])


def test_lengths_that_are_no_integers_or_do_not_fit_are_an_error() -> None:
    for lengths, error in (([1.0, 2.0], DTypeError), ([True, False], DTypeError), ([1, 2, 3], ShapeError)):
        with pytest.raises(error, match=r"\(at .*test_unroll\.py:\d+\)"):
            ga.unroll(lambda h, _: (h + 1.0, None), np.zeros(2), steps=4, lengths=lengths)


def test_an_unrolled_net_agrees_with_central_differences() -> None:
    net = Net(1, BATCH, reverse=True, lengths=LENGTHS)
    loss = ga.sum(ga.sin(net.last)) + ga.sum(ga.cos(net.states))
    given = {net.x: SEQUENCES, net.h: START}
    for node, found in zip(given, values(ga.grad(loss, list(given)), given), strict=True):
        np.testing.assert_allclose(found, central_gradient_of(loss, node, given), atol=1e-9)


def test_a_cell_may_unroll_another() -> None:
    def outer(total: Node, row: Node) -> tuple[Node, Node]:
        def inner(h: Node, x_t: Node) -> tuple[Node, Node]:
            h = ga.tanh(h + x_t * total)
            return h, h

        last, inside = ga.unroll(inner, 0.0 * total, row)
        return total + last, inside

    x = ga.input("x", (3, 4), "float64")
    total, inside = ga.unroll(outer, np.ones(()), x)
    point = np.random.default_rng(1).standard_normal((3, 4))
    expected, rows = 1.0, np.empty((0, 4))
    for row in point:
        h, states = 0.0, []
        for number in row:
            h = np.tanh(h + number * expected)
            states.append(h)
        expected, rows = expected + h, np.vstack([rows, states])
    np.testing.assert_allclose(value(inside, {x: point}), rows, rtol=1e-12)
    assert value(total, {x: point}) == pytest.approx(expected, rel=1e-12)
    loss = ga.sum(inside * inside) + total
    np.testing.assert_allclose(value(ga.grad(loss, x), {x: point}), central_gradient_of(loss, x, {x: point}), atol=1e-8)
    scopes = {node.origin.scope.path for node in Graph((x,), (loss,)).nodes if node.origin.scope is not None}
    assert scopes == {"outer", "outer/inner"}


def test_two_thousand_steps_do_not_meet_the_recursion_limit() -> None:
    steps = 2_000
    assert steps > sys.getrecursionlimit()
    x = ga.input("x", (steps, 2), "float64")
    w = ga.parameter(0.9, "w", dtype="float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = w * h + x_t
        return h, h

    last, states = ga.unroll(cell, np.zeros(2), x)
    found, by_w, by_x = ga.compile([x], [last, *ga.grad(ga.sum(last) + ga.mean(states), [w, x])])(np.ones((steps, 2)))
    np.testing.assert_allclose(found, np.full(2, 10.0))
    assert by_w == pytest.approx(2 / 0.1**2 + 1 / 0.1**2, rel=0.01)
    np.testing.assert_allclose(by_x[-1], 1 + 1 / (2 * steps))


# What the copies of a cell know of themselves.


def labelled(graph: Graph, step: int) -> list[Node]:
    return [node for node in graph.nodes if node.origin.step == step]


def test_every_node_of_a_step_knows_scope_step_and_template() -> None:
    net = Net(1, name="encoder")
    graph = Graph((net.x, net.h), (net.states,))
    for step in range(STEPS):
        nodes = labelled(graph, step)
        assert [node.op.name for node in nodes] == ["slice", "matmul", "add", "tanh"]
        assert {node.origin.scope.name for node in nodes if node.origin.scope} == {"encoder"}
        assert [node.origin.template for node in nodes] == [node.origin.template for node in labelled(graph, 0)]
    places = Counter((node.origin.scope, node.origin.step, node.origin.template) for node in graph.nodes)
    assert max(count for (_, step, _), count in places.items() if step is not None) == 1


def test_a_scope_is_called_after_the_cell_unless_it_has_a_name() -> None:
    net = Net(1)
    scopes = {node.origin.scope for node in Graph((net.x, net.h), (net.last,)).nodes} - {None}
    assert [scope.name for scope in scopes if scope] == ["cell"]


def test_two_unrollings_of_one_cell_are_two_scopes() -> None:
    net = Net(1)
    again, _ = ga.unroll(net.cell, net.h, net.x, axis=1)
    nodes = Graph((net.x, net.h), (net.last, again)).nodes
    assert len({node.origin.scope for node in nodes} - {None}) == 2
    assert len({node.origin.template for node in nodes} - {None}) == 8


def test_in_reverse_the_step_is_still_the_place_in_time() -> None:
    net = Net(1, reverse=True)
    assert net.last.origin.step == 0
    assert [node.origin.step for node in net.states.operands] == list(range(STEPS))


def test_a_truncation_leaves_the_templates_of_the_step_as_they_are() -> None:
    net = Net(1, truncate=2)
    graph = Graph((net.x, net.h), (net.states, ga.grad(ga.sum(ga.sin(net.states)), net.W)))
    at = [{node.origin.template: node.op.name for node in labelled(graph, step)} for step in range(STEPS)]
    stops = [{template for template, name in nodes.items() if name == "stop_gradient"} for nodes in at]
    assert [len(found) for found in stops] == [0, 0, 1, 0, 1, 0]
    assert stops[2] == stops[4]
    shared = at[2].keys() & at[3].keys()
    assert len(shared) > 6
    assert all(at[2][template] == at[3][template] for template in shared)
    forward = Graph((net.x, net.h), (net.states,))
    templates = [{node.origin.template for node in labelled(forward, step)} - stops[2] for step in range(STEPS)]
    assert templates == [templates[0]] * STEPS


# What is refused.


def test_a_named_number_of_steps_is_an_error_that_says_what_to_do() -> None:
    x = ga.input("x", ("batch", "time", 3))
    with pytest.raises(ShapeError, match=r"size time: use an integer.*\(at test_unroll\.py:\d+\)"):
        ga.unroll(lambda h, x_t: (h, None), 0.0, x, axis=1)


@pytest.mark.parametrize(
    ("xs", "steps", "message"),
    [
        (None, None, "neither is given"),
        (np.zeros((3, 2)), 4, r"\[3, 4\] are given"),
        ({"a": np.zeros(3), "b": np.zeros(5)}, None, r"\[3, 5\] are given"),
        (None, -1, "integer >= 0; got -1"),
        (None, 2.0, "integer >= 0; got 2.0"),
        (None, True, "integer >= 0; got True"),
    ],
)
def test_the_number_of_steps_is_one_number(xs: Any, steps: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=rf"{message}.*\(at test_unroll\.py:\d+\)"):
        ga.unroll(lambda h, x_t: (h, None), 0.0, xs, steps=steps)


@pytest.mark.parametrize("truncate", [0, -1])
def test_a_gradient_is_truncated_after_at_least_one_step(truncate: int) -> None:
    with pytest.raises(ArgumentError, match=f"truncate.*got {truncate}"):
        ga.unroll(lambda h, _: (h, None), 0.0, steps=3, truncate=truncate)


def test_an_axis_that_xs_do_not_have_is_an_error() -> None:
    with pytest.raises(ShapeError, match="axis 2 is out of range"):
        ga.unroll(lambda h, x_t: (h, None), 0.0, np.zeros((3, 2)), axis=2)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (lambda h: (h.astype("float64"), None), DTypeError, r"carry of float32\[2\] and returned float64\[2\]"),
        (lambda h: (ga.sum(h), None), ShapeError, r"carry of float32\[2\] and returned float32\[\]"),
        (lambda h: ((h, h), None), ArgumentError, r"structure \* was expected, and \(\*, \*\) was given"),
        (lambda h: h, ArgumentError, "must return"),
        (lambda h: (h, None, None), ArgumentError, "must return"),
    ],
)
def test_a_carry_that_changes_its_type_is_an_error_that_names_the_cell_and_the_step(
    returned: Any, error: type[GraphadError], message: str
) -> None:
    def my_cell(h: Node, _: None) -> Any:
        return returned(h)

    with pytest.raises(error, match=rf"(?s)my_cell.*{message}.*\(at step 0 test_unroll\.py:\d+\)"):
        ga.unroll(my_cell, np.zeros(2, np.float32), steps=3)


def test_a_mistake_inside_the_cell_names_its_step_and_its_line() -> None:
    def cell(h: Node, x_t: Node) -> tuple[Node, None]:
        return h @ np.zeros((3, 2)), None

    with pytest.raises(ShapeError, match=r"matmul\(.*2 columns meet 3 rows.*\(at step 0 test_unroll\.py:\d+\)"):
        ga.unroll(cell, np.zeros((1, 2)), np.zeros((4, 2)))


def test_outputs_that_change_their_structure_or_shape_are_an_error() -> None:
    count = iter(range(9))
    with pytest.raises(ArgumentError, match="structure"):
        ga.unroll(lambda h, _: (h, (h,) * (1 + next(count))), 0.0, steps=3)
    with pytest.raises(ShapeError, match="one shape"):
        ga.unroll(lambda h, _: (h, np.zeros(next(count))), 0.0, steps=3)
