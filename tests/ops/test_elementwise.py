from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import DTypeError, ShapeError
from graphad.ir.node import apply
from graphad.ir.tensor_type import BOOL, FLOATS, INTEGERS, TensorType
from graphad.ops.arithmetic import Multiply
from graphad.ops.bitwise import Bitwise
from graphad.ops.elementwise import Elementwise
from tests.autodiff.differences import central_gradient_of, float32, value, values
from tests.rows.sample import Sample
from tests.samples import SAMPLES

elementwise = pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if isinstance(s.op, Elementwise)], ids=lambda sample: sample.label
)


@elementwise
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, BOOL], ids=str)
def test_every_dtype_is_computed_as_declared_or_refused(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = [np.ones(3, dtype)] * len(sample.operands)
    try:
        declared = sample.op.infer(*[TensorType.of((3,), dtype)] * len(arrays))
    except DTypeError:
        assert dtype.kind != "f" or isinstance(sample.op, Bitwise)
        return
    with np.errstate(divide="ignore"):
        assert sample.op.kernel(*arrays).dtype == declared.dtype


@elementwise
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, BOOL], ids=str)
def test_every_builder_computes_every_dtype_or_refuses_it(sample: Sample, dtype: np.dtype[Any]) -> None:
    inputs = [ga.input(f"x{i}", (3,), dtype) for i in range(len(sample.operands))]
    try:
        node = getattr(ga, sample.op.name)(*inputs)
    except DTypeError:
        assert dtype == BOOL or (dtype.kind == "f" and isinstance(sample.op, Bitwise))
        return
    ones = [np.ones(3, dtype)] * len(inputs)
    found, expected = (ga.compile(inputs, node, backend=b)(*ones) for b in ("numpy", "reference"))
    assert found.dtype == expected.dtype == node.dtype
    np.testing.assert_array_equal(found, expected)


def test_what_was_broadcast_is_summed_in_the_gradient() -> None:
    shapes = {"x": (5, 1, 3), "y": (4, 1), "z": (), "w": (1, 1, 3), "v": (5, 4, 3)}
    generator = np.random.default_rng(0)
    given = {ga.input(name, shape, "float64"): generator.standard_normal(shape) for name, shape in shapes.items()}
    x, y, z, w, v = given
    loss = ga.sum(ga.tanh(x * y + z * w - v))
    for node, found in zip(given, values(ga.grad(loss, list(given)), given), strict=True):
        assert found.shape == node.shape
        np.testing.assert_allclose(found, central_gradient_of(loss, node, given), atol=1e-8)


def test_what_was_broadcast_over_a_named_size_is_summed_for_any_size_of_the_call() -> None:
    x, b = ga.input("x", ("batch", 3)), ga.parameter(np.zeros(3), "b", dtype="float32")
    function = ga.compile([x], ga.grad(ga.sum(x * b), b))
    for batch in (1, 2, 5):
        np.testing.assert_array_equal(function(np.ones((batch, 3))), [batch] * 3)


def test_the_op_itself_takes_operands_of_one_type_only() -> None:
    x = TensorType.of((3,), "float32")
    with pytest.raises(ShapeError, match="broadcast them first"):
        Multiply().infer(x, TensorType.of((1,), "float32"))
    with pytest.raises(DTypeError, match="cast them first"):
        Multiply().infer(x, TensorType.of((3,), "float64"))


def test_an_error_names_the_op_the_operands_and_the_line() -> None:
    x, y = ga.input("x", (3,)), ga.input("y", (3,), "float64")
    with pytest.raises(
        DTypeError, match=r"^multiply\(x: float32\[3\], y: float64\[3\]\): .*\(at test_elementwise\.py:\d+\)$"
    ):
        apply(Multiply(), x, y)


def test_tangents_that_are_zero_are_left_out() -> None:
    x, y = ga.input("x", (3,)), ga.input("y", (3,))
    product = x * y
    assert product.op.jvp((None, None), product, x, y) is None
    only_x = product.op.jvp((x, None), product, x, y)
    assert only_x is not None
    np.testing.assert_array_equal(value(only_x, {x: float32([1, 2, 3]), y: float32([5, 6, 7])}), [5, 12, 21])


@elementwise
def test_every_elementwise_operation_runs_at_all_steps_at_once(sample: Sample) -> None:
    assert sample.op.stacked(3) == sample.op


def test_builders_are_called_like_their_operation() -> None:
    assert ga.multiply.__name__ == "multiply"
    assert ga.tanh.__doc__ == "The hyperbolic tangent."
