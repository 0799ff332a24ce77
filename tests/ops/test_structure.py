import numpy as np
import pytest

import graphad as ga
from graphad.errors import ShapeError, UnreachedError
from graphad.ir.graph import Graph
from graphad.ir.node import apply
from graphad.ir.tensor_type import TensorType
from graphad.ops.structure import BroadcastTo, Linear, Reshape, Sum, Transpose, reshape_kernel, spread, sum_to, zeros
from tests.autodiff.differences import value


def test_a_cast_between_floats_passes_the_gradient_in_the_dtype_of_its_operand() -> None:
    x = ga.input("x", (2,))
    gradient = ga.grad(ga.sum(3.0 * ga.cast(x, "float64")), x)
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(value(gradient, {x: np.ones(2, np.float32)}), [3, 3])


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_a_cast_to_what_is_no_float_passes_no_gradient(dtype: str) -> None:
    x = ga.input("x", (2,))
    there_and_back = ga.cast(ga.cast(x, dtype), "float32")
    with pytest.raises(UnreachedError):
        ga.grad(ga.sum(there_and_back), x)
    tangent = ga.jvp(there_and_back, x, x)
    np.testing.assert_array_equal(value(tangent, {x: np.ones(2, np.float32)}), [0, 0])


def test_a_cast_to_an_integer_truncates() -> None:
    np.testing.assert_array_equal(value(ga.cast([1.9, -1.9], "int32")), [1, -1])


def test_a_reshape_that_changes_the_number_of_elements_is_an_error_that_says_where() -> None:
    x = ga.input("x", ("batch", 6))
    with pytest.raises(ShapeError, match=r"reshape\(x: float32\[batch, 6\].*6\*batch.*\(at test_structure\.py:\d+\)"):
        ga.reshape(x, ("batch", 5))


def test_a_transpose_takes_a_permutation_only() -> None:
    x = ga.input("x", (2, 3))
    for axes in ((0,), (0, 0), (1, 0, 1)):
        with pytest.raises(
            ShapeError, match=r"x: .*\[2, 3\].*(no permutation|one axis twice).*\(at test_structure\.py:"
        ):
            ga.transpose(x, axes)


@pytest.mark.parametrize("shape", [(2,), (3, 4), (2, 3, 4)])
def test_a_broadcast_repeats_axes_of_size_one_only(shape: tuple[int, ...]) -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(ShapeError, match=r"does not broadcast to.*\(at test_structure\.py:\d+\)"):
        ga.broadcast_to(x, shape)


def test_sum_to_undoes_a_broadcast() -> None:
    x = ga.input("x", (5, 4, 3))
    for shape in ((5, 4, 3), (4, 3), (1, 3), (5, 1, 1), (1, 1, 1), ()):
        total = sum_to(x, shape)
        assert total.shape == shape
        ones = {x: np.ones((5, 4, 3), np.float32)}
        np.testing.assert_array_equal(value(total, ones), np.full(shape, 60 / np.prod(shape)))
    assert sum_to(x, x.shape) is x


def test_spread_undoes_the_shape_of_a_reduction() -> None:
    x = np.arange(5.0)
    kept, dropped = ga.constant(x.reshape(5, 1)), ga.constant(x)
    for reduced in (kept, dropped):
        np.testing.assert_array_equal(value(spread(reduced, (5, 3), (1,))), np.outer(x, [1, 1, 1]))


def test_zeros_have_the_type_asked_for() -> None:
    for type in (TensorType.of((2, 3), "float64"), TensorType.of((), "int8"), TensorType.of(("batch", 2))):
        assert zeros(type).type == type
    assert not value(zeros(TensorType.of((2, 3)))).any()


def test_a_reshape_of_scattered_memory_is_written_in_order() -> None:
    x, out = np.arange(6.0).reshape(2, 3).T, np.empty((2, 3))
    assert reshape_kernel(x, (2, 3), out) is out
    np.testing.assert_array_equal(out, [[0, 3, 1], [4, 2, 5]])


def test_linear_ops_of_no_tangent_have_none() -> None:
    x = ga.input("x", (2, 3))
    for op in (Sum((0,)), Reshape((6,)), Transpose((1, 0)), BroadcastTo((4, 2, 3))):
        assert op.jvp((None,), apply(op, x), x) is None


def test_an_op_without_rules_says_so() -> None:
    with pytest.raises(TypeError, match="Linear has no adjoint"):
        Linear().adjoint(ga.input("cotangent", ()))
    with pytest.raises(TypeError, match="Linear has no kernel"):
        Linear().numpy_call()
    with pytest.raises(TypeError, match="Linear has no shape rule"):
        Linear().infer()


def test_the_gradient_of_a_sum_of_a_broadcast_counts_the_copies_without_a_mask() -> None:
    x = ga.input("x", (1, 3))
    gradient = ga.grad(ga.sum(ga.broadcast_to(x, ("batch", 3))), x)
    assert any(isinstance(node.op, Sum) for node in Graph((x,), (gradient,)).nodes)
    assert gradient.type == x.type
