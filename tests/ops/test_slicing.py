from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ShapeError
from graphad.ir.graph import Graph
from graphad.ir.node import apply
from graphad.ir.tensor_type import TensorType
from graphad.ops.slicing import Assemble, Concatenate, Join, Slice, Span, check_index, reversed_span
from tests.autodiff.differences import central_gradient_of, value, values


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_slices_of_one_array_get_one_assembled_cotangent(steps: int) -> None:
    x = ga.input("x", (steps, 3), "float64")
    terms = [ga.sum(ga.sin(x[t]) * float(t + 1)) for t in range(steps)]
    loss = terms[0]
    for term in terms[1:]:
        loss = loss + term
    gradient = ga.grad(loss, x)
    (assembled,) = [node for node in Graph((x,), (gradient,)).nodes if isinstance(node.op, Assemble)]
    assert assembled is gradient
    assert len(assembled.operands) == steps
    point = np.random.default_rng(0).standard_normal((steps, 3))
    expected = np.cos(point) * np.arange(1, steps + 1)[:, None]
    np.testing.assert_allclose(value(gradient, {x: point}), expected)


def test_slices_that_overlap_add_up_beside_a_use_of_the_whole() -> None:
    x = ga.input("x", (5,), "float64")
    loss = ga.sum(x[:3]) + 10.0 * ga.sum(x[2:]) + 100.0 * ga.sum(x[::-2]) + 1000.0 * ga.sum(x)
    np.testing.assert_array_equal(value(ga.grad(loss, x), {x: np.zeros(5)}), [1101, 1001, 1111, 1010, 1110])


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_one_element_is_read_anew_at_each_call(backend: str) -> None:
    x, p = ga.input("x", (2, 2)), ga.parameter([1.0, 2.0], "p")
    function = ga.compile([x], [x[1, 1], p[0], x[0][1]], updates={p: p + 10.0}, backend=backend)
    assert function([[1, 2], [3, 4]]) == [4, 1, 2]
    assert function([[5, 6], [7, 8]]) == [8, 11, 6]


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_the_cotangents_of_stacked_numbers_are_read_anew_at_each_call(backend: str) -> None:
    x, weights = ga.input("x", ()), ga.input("weights", (2,))
    loss = ga.sum(ga.stack([x, x * x]) * weights)
    function = ga.compile([x, weights], ga.grad(loss, x), backend=backend)
    assert function(3.0, [1, 10]) == 61
    assert function(2.0, [5, 0]) == 5


def test_slices_at_places_that_advance_are_copies_of_one() -> None:
    x = ga.input("x", (9, 8, 3))
    first, second = x[:, 2, 0].op, x[:, 4, 1].op
    stride = second.stride_from(first)
    assert stride == (0, 2, 1)
    assert first.advanced(stride, 0) == first
    assert first.advanced(stride, 1) == second
    assert first.advanced((0, 2, 0), 2) == x[:, 6, 0].op
    assert first.stride_from(first) == ()
    assert first.advanced((), 7) is first
    assert first.stride_from(x[1:, 2, 0].op) is None
    assert x[0, 0].op.stride_from(x[0].op) is None
    assert x[0, :1].op.stride_from(x[0, 0].op) is None
    assert x[0, 0].op.stride_from(x[0, :1].op) is None
    assert first.stride_from(ga.tanh(x).op) is None


def test_joining_promotes_and_takes_numbers() -> None:
    n, x = ga.constant([1, 2]), ga.constant([0.5])
    joined = ga.concatenate([n, x, [3]])
    assert joined.dtype == np.float32
    np.testing.assert_array_equal(value(joined), [1, 2, 0.5, 3])
    np.testing.assert_array_equal(value(ga.stack([x[0], 2.0, 3])), [0.5, 2, 3])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joining_is_numpys(axis: int) -> None:
    a, b = np.arange(6.0).reshape(2, 3), -np.arange(6.0).reshape(2, 3)
    x, y = ga.input("x", (2, 3), "float64"), ga.input("y", (2, 3), "float64")
    found = values([ga.concatenate([x, y, x], axis), ga.stack([x, y], axis), np.stack([x, y])], {x: a, y: b})  # type: ignore[list-item]
    np.testing.assert_array_equal(found[0], np.concatenate([a, b, a], axis))
    np.testing.assert_array_equal(found[1], np.stack([a, b], axis))
    np.testing.assert_array_equal(found[2], np.stack([a, b]))


def test_named_sizes_add_up_along_the_axis() -> None:
    x, y = ga.input("x", ("n", 2), "float64"), ga.input("y", ("m", 2), "float64")
    joined = ga.concatenate([x, y, x])
    assert str(joined.type) == "float64[m + 2*n, 2]"
    loss = ga.sum(ga.sin(joined) * ga.constant([1.0, 3.0], "float64"))
    point = {x: np.ones((2, 2)), y: np.zeros((1, 2))}
    gradients = ga.compile([x, y], ga.grad(loss, [x, y]))(*point.values())
    np.testing.assert_allclose(gradients[0], np.cos(1) * np.array([[2, 6], [2, 6]]))
    np.testing.assert_allclose(gradients[1], [[1, 3]])


@pytest.mark.parametrize(
    ("shapes", "axis"), [([(2, 3), (2, 4)], 0), ([(2, 3), (3,)], 0), ([(2, 3)], 2), ([(2, 3)], -3), ([], 0), ([()], 0)]
)
def test_parts_that_do_not_concatenate_are_an_error_that_says_where(shapes: list[tuple[int, ...]], axis: int) -> None:
    parts = [ga.input(f"part_{i}", shape) for i, shape in enumerate(shapes)]
    with pytest.raises(ShapeError, match=r"concatenate\(.*\(at test_slicing\.py:\d+\)"):
        ga.concatenate(parts, axis)


@pytest.mark.parametrize(("shapes", "axis"), [([(2, 3), (2, 4)], 0), ([(2, 3)], 3), ([(2, 3)], -4), ([], 0)])
def test_parts_that_do_not_stack_are_an_error_that_says_where(shapes: list[tuple[int, ...]], axis: int) -> None:
    parts = [ga.input(f"part_{i}", shape) for i, shape in enumerate(shapes)]
    with pytest.raises(ShapeError, match=r"stack\(.*\(at test_slicing\.py:\d+\)"):
        ga.stack(parts, axis)


def test_the_ops_themselves_refuse_what_does_not_fit() -> None:
    x, y = TensorType.of((2, 3)), TensorType.of((2, 3), "float64")
    with pytest.raises(DTypeError, match="cast them to one"):
        Concatenate(0).infer(x, y)
    with pytest.raises(ShapeError, match="at least one"):
        Join(0).infer()
    with pytest.raises(ShapeError, match="axis 2 is out of range"):
        Concatenate(2).infer(x)
    with pytest.raises(ShapeError, match="an index of 1 parts for 2 axes"):
        Slice((0,)).infer(x)
    with pytest.raises(ShapeError, match="a part of shape"):
        Assemble((5, 3), ((Span(0, 1), Span(0, 3)),)).infer(x)
    with pytest.raises(ShapeError, match="4 to 0 is outside axis 1 of size 3"):
        check_index((0, Span(4, 3, -2)), (2, 3))


def test_a_named_place_is_checked_once_its_size_is_known() -> None:
    x = ga.input("x", ("batch", 3))
    taken = apply(Slice((Span(2, 2), 0)), x)
    with pytest.raises(ShapeError, match="2 to 3 is outside axis 0 of size 3"):
        Graph((x,), (taken,)).specialise({"batch": 3})


def test_spans_are_written_alike_once_their_size_is_known() -> None:
    x = ga.input("x", ("batch", 2))
    back = apply(Slice((reversed_span(x.shape[0]), Span(0, 2))), x).op
    assert back.specialise({"batch": 3}) == Slice((Span(2, 3, -1), Span(0, 2)))
    assert back.specialise({"batch": 1}) == Slice((Span(0, 1), Span(0, 2)))
    assert back.specialise({"batch": 0}) == Slice((Span(0, 0), Span(0, 2)))
    assembled = Assemble(x.shape, ((reversed_span(x.shape[0]), 1),))
    assert assembled.specialise({"batch": 0}) == Assemble((0, 2), ((Span(0, 0), 1),))
    for op in (Slice((1, Span(0, 2))), Assemble((3, 2), ((1, Span(0, 2)),))):
        assert op.specialise({"batch": 3}) is op


def test_the_gradient_of_joined_parts_agrees_with_central_differences() -> None:
    x, y = ga.input("x", (2, 3), "float64"), ga.input("y", (2, 1), "float64")
    given = {x: np.arange(6.0).reshape(2, 3) / 5, y: np.array([[0.3], [-0.7]])}
    loss = ga.sum(ga.sin(ga.concatenate([x, y, x], 1)) @ np.arange(7.0)) * ga.sum(ga.stack([y, x[:, :1]]))
    for node, found in zip(given, values(ga.grad(loss, [x, y]), given), strict=True):
        np.testing.assert_allclose(found, central_gradient_of(loss, node, given), atol=1e-8)
