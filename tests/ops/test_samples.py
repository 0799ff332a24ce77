"""Every operation's row, put to what is asked of a class: its kernel, its shape rule, its traits."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphad as ga
import graphad.ops
from graphad.ir.node import apply
from graphad.ir.op import Array, Op
from graphad.ir.tensor_type import FLOAT32, FLOAT64, Dim, TensorType
from tests.rows.sample import BATCH, Sample, inputs_for, types_of
from tests.samples import SAMPLES

TOLERANCE = {FLOAT64: 1e-13, FLOAT32: 2e-6}
every = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
rough = pytest.mark.parametrize("sample", [s for s in SAMPLES if not s.smooth], ids=lambda sample: sample.label)
elementwise = pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.op.traits.elementwise], ids=lambda sample: sample.label
)
computing = pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if not s.op.traits.view], ids=lambda sample: sample.label
)
batched = pytest.mark.parametrize(
    "sample",
    [s for s in SAMPLES if s.is_batched],
    ids=lambda sample: sample.label,
)
floats = pytest.mark.parametrize("dtype", [FLOAT64, FLOAT32], ids=str)


def descendants(base: type[Op]) -> Iterator[type[Op]]:
    for child in base.__subclasses__():
        yield child
        yield from descendants(child)


def test_every_operation_has_a_row() -> None:
    for module in pkgutil.iter_modules(graphad.ops.__path__, "graphad.ops."):
        importlib.import_module(module.name)
    named = {op for op in descendants(Op) if op.__module__.startswith("graphad.ops.") and hasattr(op, "name")}
    assert len(named) > 40
    missing = named - {type(sample.op) for sample in SAMPLES}
    assert not missing, f"tests/samples.py has no row for {sorted(op.__name__ for op in missing)}"


def test_operations_have_different_names_and_a_formula() -> None:
    ops = {type(sample.op) for sample in SAMPLES}
    assert len({op.name for op in ops}) == len(ops)
    assert all(op.latex for op in ops)


@every
@floats
def test_the_kernel_agrees_with_the_oracle(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = sample.arrays(dtype=dtype)
    np.testing.assert_allclose(
        sample.op.kernel(*arrays), sample.expected(arrays), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )


@every
@floats
def test_a_function_of_constants_is_folded_to_the_same_value(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = sample.arrays(dtype=dtype)
    found = ga.compile([], apply(sample.op, *map(ga.constant, arrays)))()
    np.testing.assert_array_equal(found, sample.op.kernel(*arrays))


@elementwise
@floats
def test_elementwise_kernels_take_operands_without_axes(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = sample.arrays(dtype=dtype)
    first = [np.array(array.ravel()[0]) for array in arrays]
    np.testing.assert_allclose(sample.op.kernel(*first), sample.op.kernel(*arrays).ravel()[0], rtol=TOLERANCE[dtype])


@every
@floats
def test_the_shape_rule_tells_what_the_kernel_makes(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = sample.arrays(dtype=dtype)
    result = sample.op.kernel(*arrays)
    assert sample.op.infer(*types_of(arrays)) == TensorType.of(result.shape, result.dtype)


def test_the_table_has_rows_with_a_named_size() -> None:
    assert sum(sample.is_batched for sample in SAMPLES) > 60


@batched
@pytest.mark.parametrize("batch", [BATCH, 11, 2])
def test_the_shape_rule_knows_named_sizes(sample: Sample, batch: int) -> None:
    arrays = sample.arrays(batch=batch)
    op, named = naming(sample.op), [naming_type(type) for type in types_of(sample.arrays())]
    assert any(not type.is_static for type in named)
    declared = op.infer(*named)
    result = op.specialise({"batch": batch}).kernel(*arrays)
    assert declared.specialise({"batch": batch}) == TensorType.of(result.shape, result.dtype)


def naming(op: Op) -> Op:
    """The op with the size "batch" where its attributes say `BATCH`."""
    return type(op)(**{name: naming_size(attribute) for name, attribute in vars(op).items()})


def naming_type(type: TensorType) -> TensorType:
    return TensorType(naming_size(type.shape), type.dtype)


def naming_size(value: Any) -> Any:
    if isinstance(value, tuple):
        parts = (naming_size(part) for part in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return Dim.named("batch") if type(value) is int and value == BATCH else value


@every
def test_operands_need_not_be_contiguous(sample: Sample) -> None:
    arrays = sample.arrays()
    expected = sample.op.kernel(*arrays)
    for spread in (_fortran, _every_second, _backwards):
        loose = [spread(array) if array.ndim else array for array in arrays]
        np.testing.assert_allclose(sample.op.kernel(*loose), expected, rtol=1e-14)


def _fortran(array: Array) -> Array:
    return np.array(array, order="F")


def _every_second(array: Array) -> Array:
    return np.repeat(array, 2, axis=-1)[..., ::2]


def _backwards(array: Array) -> Array:
    return np.flip(np.flip(array).copy())


@every
def test_kernels_leave_their_operands_as_they_were(sample: Sample) -> None:
    arrays = sample.arrays()
    for array in arrays:
        array.flags.writeable = False
    sample.op.kernel(*arrays)


@computing
@floats
def test_a_kernel_writes_the_same_into_memory_that_it_is_given(sample: Sample, dtype: np.dtype[Any]) -> None:
    arrays = sample.arrays(dtype=dtype)
    expected = sample.op.kernel(*arrays)
    out = np.full(expected.shape, 113).astype(expected.dtype)
    assert np.shares_memory(sample.op.kernel(*arrays, out=out), out)
    np.testing.assert_array_equal(out, expected)


@computing
def test_a_result_has_memory_of_its_own_unless_it_is_a_view(sample: Sample) -> None:
    arrays = sample.arrays()
    shared = any(np.shares_memory(sample.op.kernel(*arrays), array) for array in arrays)
    assert shared == sample.op.traits.contiguous_view


@elementwise
def test_an_elementwise_result_may_be_written_over_an_operand(sample: Sample) -> None:
    arrays = sample.arrays()
    expected = sample.op.kernel(*arrays)
    same = [i for i, type in enumerate(types_of(arrays)) if type == types_of([expected])[0]]
    for i in () if sample.op.traits.multipass else same:
        taken = [array.copy() for array in arrays]
        sample.op.kernel(*taken, out=taken[i])
        np.testing.assert_array_equal(taken[i], expected)


@every
def test_traits_tell_what_the_kernel_does(sample: Sample) -> None:
    op, arrays = sample.op, sample.arrays()
    result = op.kernel(*arrays)
    if op.traits.view:
        assert np.shares_memory(result, arrays[0])
    if op.traits.identity:
        np.testing.assert_array_equal(result, arrays[0])
    if op.traits.commutative:
        np.testing.assert_array_equal(op.kernel(*reversed(arrays)), result)
    if op.traits.unit is not None:
        unit = np.full_like(arrays[0], op.traits.unit)
        np.testing.assert_array_equal(op.kernel(arrays[0], unit), arrays[0])
    if op.traits.linear and all(array.dtype.kind == "f" for array in (*arrays, result)):
        others = sample.arrays(seed=1)
        mixed = [2.0 * x - 3.0 * y for x, y in zip(arrays, others, strict=True)]
        np.testing.assert_allclose(op.kernel(*mixed), 2.0 * result - 3.0 * op.kernel(*others), rtol=1e-12, atol=1e-12)
    if op.traits.elementwise:
        flat = op.kernel(*(array.ravel() for array in arrays))
        np.testing.assert_array_equal(flat, result.ravel())


@every
@pytest.mark.parametrize("steps", [2, 3])
def test_the_stacked_op_does_at_once_what_the_op_does_step_by_step(sample: Sample, steps: int) -> None:
    stacked = sample.op.stacked(steps)
    if stacked is not None:
        at_each = [sample.arrays(seed=step) for step in range(steps)]
        together = [np.stack(arrays) for arrays in zip(*at_each, strict=True)]
        expected = np.stack([sample.op.kernel(*arrays) for arrays in at_each])
        if sample.op.traits.broadcast:  # numpy aligns the last axes: new ones must come behind that of the steps
            missing = expected.ndim - together[0].ndim
            together = [np.expand_dims(together[0], tuple(range(1, 1 + missing)))]
        assert stacked.infer(*types_of(together)) == TensorType.of(expected.shape, expected.dtype)
        np.testing.assert_allclose(stacked.kernel(*together), expected, rtol=1e-14)


@rough
def test_what_has_no_derivative_passes_no_cotangent_on(sample: Sample) -> None:
    given = inputs_for(sample.arrays())
    node = apply(sample.op, *given)
    cotangent = ga.input("cotangent", node.shape, node.dtype)
    tangents = tuple(x if x.type.is_float else None for x in given)
    assert node.op.vjp(cotangent, node, *given) == (None,) * len(given)
    assert node.op.jvp(tangents, node, *given) is None or not node.type.is_float
