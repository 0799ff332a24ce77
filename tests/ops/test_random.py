"""Facts of random draws, each by compiled functions: what decides a draw, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.compiler.function import BACKENDS
from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import values

both_backends = pytest.mark.parametrize("backend", BACKENDS)


def declared() -> list[Node]:
    """One node of each kind."""
    return [
        ga.uniform((3, 5), -1.0, 2.0),
        ga.normal((4,), 0.5, 2.0),
        ga.uniform((2, 3), dtype="float64"),
        ga.bernoulli(0.3, (6, 2)),
        ga.permutation(7),
        ga.randint(-4, 9, (11,)),
    ]


def drawn(outputs: Any, calls: int = 1, **options: Any) -> Any:
    """What the last of some calls gives."""
    function = ga.compile([], outputs, **options)
    return [function() for _ in range(calls)][-1]


def assert_equal(found: list[Array], expected: list[Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_draw_is_what_numpy_draws_with_the_seed_the_stream_and_the_call() -> None:
    def generator(stream: int, call: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[11, stream], counter=[0, 0, 0, call]))

    outputs = [ga.uniform((3, 2)), ga.normal((5,), dtype="float64"), ga.randint(0, 9, (4,)), ga.permutation(6)]
    for call in range(2):
        unit, deviates, integers, order = drawn(outputs, call + 1, seed=11)
        np.testing.assert_array_equal(unit, generator(0, call).random((3, 2), np.float32))
        np.testing.assert_array_equal(deviates, generator(1, call).standard_normal(5))
        np.testing.assert_array_equal(integers, generator(2, call).integers(0, 9, 4))
        numbers = np.arange(6)
        generator(3, call).shuffle(numbers)
        np.testing.assert_array_equal(order, numbers)


def test_backends_passes_and_checks_do_not_change_a_draw() -> None:
    nodes = declared()
    outputs = [*nodes, nodes[0] * 2.0 + nodes[0], ga.sum(nodes[1])]
    expected = drawn(outputs, 2, seed=3, passes=())
    assert_equal(drawn(outputs, 2, seed=3, verify=True), expected)
    assert_equal(drawn(outputs, 2, seed=3, backend="reference"), expected)


def test_what_is_declared_again_draws_the_same_and_is_the_same_program() -> None:
    first, again = (ga.compile([], declared(), seed=5) for _ in range(2))
    assert_equal(first(), again())
    assert first.source == again.source


def test_a_graph_is_written_the_same_however_much_was_drawn_before() -> None:
    texts = [str(ga.Graph((), (ga.uniform((2,)), ga.normal((3,))))) for _ in range(2)]
    assert texts[0] == texts[1]


@both_backends
def test_two_nodes_of_one_kind_draw_differently_and_are_not_merged(backend: str) -> None:
    nodes = [ga.uniform((8,)), ga.uniform((8,))]
    first, second = drawn(nodes, backend=backend)
    assert not (first == second).any()


@both_backends
def test_one_node_is_one_draw_however_often_it_is_read(backend: str) -> None:
    u = ga.uniform((5,))
    difference, again, named = drawn([u - u, u, u.named("noise")], backend=backend)
    assert (difference == 0).all()
    np.testing.assert_array_equal(again, named)


def test_calls_and_seeds_draw_differently() -> None:
    u = ga.uniform((8,), dtype="float64")
    found = [drawn(u, calls, seed=seed) for calls in (1, 2, 3) for seed in (0, 1, 2**53, 2**53 + 1, 2**64 - 1)]
    assert len(np.unique(found)) == 8 * 15


def test_outputs_that_draw_nothing_or_were_declared_later_do_not_change_a_draw() -> None:
    x = ga.input("x", (3,))
    first, second, third = (ga.normal((3,)) for _ in range(3))
    alone = ga.compile([x], [first, second])(np.ones(3))
    more = ga.compile([x], [ga.exp(x), third * x, second, ga.sum(first), first])(np.ones(3))
    assert_equal([more[4], more[2]], alone)
    (shifted,) = ga.compile([x], [second])(np.ones(3))  # now the first in the order of declaration
    np.testing.assert_array_equal(shifted, alone[0])


def test_uniform_numbers_have_their_mean_variance_and_ends() -> None:
    found = drawn(ga.uniform((200_000,), -1.0, 3.0))
    assert found.dtype == np.float32
    assert -1.0 <= found.min() < -0.9999 < 2.9999 < found.max() <= 3.0
    assert found.mean() == pytest.approx(1.0, abs=0.01)  # four standard errors
    assert found.var() == pytest.approx(16 / 12, rel=0.01)


def test_normal_numbers_have_their_mean_variance_and_tails() -> None:
    found = drawn(ga.normal((200_000,), 2.0, 3.0, dtype="float64"))
    standard = (found - 2.0) / 3.0
    assert standard.mean() == pytest.approx(0.0, abs=0.01)
    assert standard.var() == pytest.approx(1.0, abs=0.014)
    assert (np.abs(standard) > 1.959964).mean() == pytest.approx(0.05, abs=0.002)


def test_truth_values_are_true_as_often_as_is_said() -> None:
    p = ga.constant(np.array([0.0, 0.1, 0.75, 1.0], np.float32))
    found = drawn(ga.bernoulli(p, (50_000, 4)))
    np.testing.assert_allclose(found.mean(axis=0), [0.0, 0.1, 0.75, 1.0], atol=0.008)
    assert not found[:, 0].any()
    assert found[:, 3].all()


def test_a_probability_that_is_not_a_number_is_never_true() -> None:
    assert not drawn(ga.bernoulli(ga.constant(np.full((100,), np.nan)))).any()


def test_permutations_and_integers_are_even() -> None:
    orders = drawn([ga.permutation(3) for _ in range(3_000)], passes=())
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (np.abs(counts - 500) < 90).all()  # more than four standard deviations
    counts = np.bincount(drawn(ga.randint(0, 5, (50_000,))), minlength=5)
    assert (np.abs(counts - 10_000) < 400).all()


def test_integers_take_the_whole_range_of_int64() -> None:
    found = drawn(ga.randint(-(2**63), 2**63, (1_000,)))
    assert found.min() < -(2**62)
    assert found.max() > 2**62
    assert drawn(ga.randint(np.int8(4), np.int64(5))) == 4  # type: ignore[arg-type]


@both_backends
def test_shapes_may_be_named_empty_or_without_axes(backend: str) -> None:
    x = ga.input("x", ("batch", 2))
    outputs = [ga.uniform(("batch", 3)), ga.permutation("batch"), ga.normal(()), ga.uniform((0, 4)), ga.permutation(0)]
    function = ga.compile([x], outputs, backend=backend)
    for batch in (4, 1, 0, 4):
        found = function(np.ones((batch, 2)))
        assert [array.shape for array in found] == [(batch, 3), (batch,), (), (0, 4), (0,)]
    assert function.state().calls == 4


def test_the_ends_of_uniform_and_the_moments_of_normal_get_the_gradient_of_their_formula() -> None:
    low, high = ga.input("low", (3, 1), "float64"), ga.input("high", (4,), "float64")
    u = ga.uniform((3, 4), low, high, dtype="float64")
    given = {low: np.array([[-1.0], [0.0], [1.0]]), high: np.array([2.0, 3.0, 4.0, 5.0])}
    drawn, for_low, for_high = values([u, *ga.grad(ga.sum(u), [low, high])], given)
    unit = (drawn - given[low]) / (given[high] - given[low])
    np.testing.assert_allclose(for_low, (1 - unit).sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(for_high, unit.sum(axis=0), rtol=1e-12)
    z = ga.normal((3, 4), low, high, dtype="float64")
    drawn, for_mean, for_std = values([z, *ga.grad(ga.sum(z), [low, high])], given)
    np.testing.assert_array_equal(for_mean, np.full((3, 1), 4.0))
    np.testing.assert_allclose(for_std, ((drawn - given[low]) / given[high]).sum(axis=0), rtol=1e-12)


def test_nothing_becomes_float64_that_was_not_asked_to() -> None:
    wide, whole = ga.input("wide", (3,), "float64"), ga.input("whole", (3,), "int64")
    assert ga.uniform((2, 3), wide, whole).dtype == np.float32
    assert ga.normal((2, 3), wide, 1).dtype == np.float32
    assert ga.uniform((3,), 0, 1, "float64").dtype == np.float64
    assert ga.bernoulli(wide).dtype == np.bool_


def test_gradients_with_draws_in_them_agree_with_differences() -> None:
    w = ga.parameter(np.array([0.3, -0.2, 0.5]), name="w", dtype="float64")
    noise = ga.normal((4, 3)) * ga.uniform((4, 3), w, 1.0) + ga.where(ga.bernoulli(0.5, (4, 3)), w, 0.0)
    ga.check_gradients(ga.sum(ga.tanh(noise * w)), w, order=2)


# Over time: T draws of one cell are one draw of T streams.


def noisy(steps: int, **options: Any) -> list[Node]:
    """The draws and the states of a cell that draws three times at each step."""
    x = ga.constant(np.linspace(-1, 1, steps * 6, dtype=np.float32).reshape(2, steps, 3))

    def cell(h: Node, x_t: Node) -> tuple[Node, dict[str, Node]]:
        draws = {"u": ga.uniform((2, 3)), "z": ga.normal((2, 3), 0.0, 0.1), "order": ga.permutation(5)}
        h = ga.tanh(h + x_t * draws["u"] + draws["z"])
        return h, {**draws, "h": h}

    _, outputs = ga.unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1, **options)
    return list(outputs.values())


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"truncate": 3}])
def test_draws_of_a_cell_are_the_same_folded_and_unfolded(options: dict[str, Any]) -> None:
    outputs = noisy(7, **options)
    expected = drawn(outputs, 2, seed=4, passes=())
    found = drawn(outputs, 2, seed=4, verify=True)
    assert_equal(found[:3], expected[:3])
    np.testing.assert_allclose(found[3], expected[3], rtol=1e-5)


def test_draws_of_a_cell_become_one_statement_with_a_stream_for_each_step() -> None:
    source = ga.compile([], noisy(50)).source
    assert source.count("uniform_kernel(key, ") == 2  # its definition and one call
    assert "uniform_kernel(key, shape=(50, 2, 3), streams=range(0, 150, 3), dtype='float32'" in source
    assert "permutation_kernel(key, shape=(50, 5), streams=range(2, 152, 3)" in source


def test_the_steps_of_a_cell_draw_differently() -> None:
    u, *_ = drawn(noisy(9))
    assert len(np.unique(u)) == u.size


def test_a_draw_outside_of_the_cell_is_the_same_at_all_steps() -> None:
    mask = ga.uniform((3,))

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        return h + mask * x_t, mask * x_t

    _, seen = ga.unroll(cell, ga.constant(np.zeros(3, np.float32)), ga.constant(np.ones((6, 3), np.float32)))
    found = drawn(seen)
    np.testing.assert_array_equal(found, np.tile(found[0], (6, 1)))


# Bad input.


def test_what_cannot_be_drawn_is_an_error_that_says_where() -> None:
    with pytest.raises(
        DTypeError, match=r"uniform\(\(3,\), dtype='int64'\): it draws floats, .* \(at test_random\.py:"
    ):
        ga.uniform((3,), dtype="int64")
    with pytest.raises(ArgumentError, match=r"bernoulli\(1\.5, \(3,\)\): a probability is from 0 to 1; got 1\.5"):
        ga.bernoulli(1.5, (3,))
    with pytest.raises(ArgumentError, match="a probability is from 0 to 1; got nan"):
        ga.bernoulli(float("nan"), (3,))
    with pytest.raises(ShapeError, match=r"does not broadcast to the shape \(2, 3\).*test_random\.py:"):
        ga.uniform((2, 3), low=ga.input("low", (4,)))
    with pytest.raises(ShapeError, match=r"a size is an integer >= 0 or a name.*test_random\.py:"):
        ga.normal((3, -1))
    with pytest.raises(ShapeError, match=r"permutation\(2\.5\): a size is an integer"):
        ga.permutation(2.5)
    for low, high in ((3, 3), (0, 2.5), (0, 2**63 + 1), (True, 3), (-(2**63) - 1, 0)):
        with pytest.raises(
            ArgumentError, match=r"randint\(.*integers are drawn from low to high - 1.*test_random\.py:"
        ):
            ga.randint(low, high)  # type: ignore[arg-type]


def test_a_size_that_nothing_says_is_an_error_when_the_function_is_made() -> None:
    with pytest.raises(ShapeError, match="nothing says what batch is"):
        ga.compile([], ga.uniform(("batch",)))


def test_a_draw_of_integers_has_no_gradient() -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ga.errors.UnreachedError):
        ga.grad(ga.sum(ga.where(ga.bernoulli(ga.sigmoid(x)), 1.0, 0.0)), x)
