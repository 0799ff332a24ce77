"""numpy's products by their names, each a contraction: they have no rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from graphad.errors import ArgumentError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.contract import is_integer
from graphad.ir.node import Node, apply
from graphad.ops.build import Operand, axes_in_order, broadcast_together, normalize_axis
from graphad.ops.contraction import Factor, check_inner, contract, counted, matmul, matrix_product, numbers, reshaped
from graphad.ops.options import numpy_options
from graphad.ops.slicing import Stack
from graphad.ops.structure import Reshape, Transpose


@builder
def tensordot(a: Operand, b: Operand, axes: Any = 2) -> Node:
    """The sum of products over pairs of axes; what is left of ``a`` comes first, then what is left of ``b``.

    ``axes``: how many of the last axes of ``a`` meet the first ones of ``b``, in order; or the axes of ``a`` and those
    of ``b`` that meet, each an integer or a list. A ShapeError if sizes that meet differ.

    >>> import graphad as ga
    >>> x, y = ga.input("x", ("batch", 3, 5)), ga.input("y", (5, 3, 2))
    >>> tensordot(x, y, axes=((1, 2), (1, 0)))
    <matmul: float32[batch, 2]>
    """
    x, y = numbers((a, b))
    return _tensordot(x, y, *_axes_that_meet(axes, x.ndim, y.ndim))


def _axes_that_meet(axes: Any, x_ndim: int, y_ndim: int) -> tuple[Sequence[int], Sequence[int]]:
    if is_integer(axes):
        if not 0 <= axes <= min(x_ndim, y_ndim):
            raise ShapeError(f"{axes} axes cannot meet: the operands have {x_ndim} and {y_ndim}")
        return list(range(x_ndim - int(axes), x_ndim)), list(range(axes))
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ArgumentError(f"axes is an integer, or the axes of a and those of b; got {axes!r}")
    of_x, of_y = (axes_in_order(one, ndim) for one, ndim in zip(axes, (x_ndim, y_ndim), strict=True))
    if len(of_x) != len(of_y):
        raise ShapeError(f"{len(of_x)} axes of a cannot meet {len(of_y)} of b")
    return of_x, of_y


def _tensordot(x: Node, y: Node, x_axes: Sequence[int], y_axes: Sequence[int]) -> Node:
    for i, j in zip(x_axes, y_axes, strict=True):
        if x.shape[i] != y.shape[j]:
            raise ShapeError(f"axis {i} of size {x.shape[i]} cannot meet axis {j} of size {y.shape[j]}")
    met = dict(zip(y_axes, x_axes, strict=True))
    x_labels, y_labels = tuple(range(x.ndim)), tuple(met.get(axis, x.ndim + axis) for axis in range(y.ndim))
    return contract(Factor(x, x_labels), Factor(y, y_labels), {*x_labels, *y_labels} - {*x_axes}).node


@builder
@numpy_options
def dot(a: Operand, b: Operand) -> Node:
    """numpy's dot: the sum of products over the last axis of ``a`` and the last but one of ``b``, or its only one.

    What is left of ``a`` comes first, then what is left of ``b``: unlike `matmul`, leading axes do not pair up. An
    operand without axes scales the other.

    >>> import graphad as ga
    >>> dot(ga.input("x", shape=("batch", 4, 3)), ga.input("y", shape=(5, 3, 2)))
    <reshape: float32[batch, 4, 5, 2]>
    """
    x, y = numbers((a, b))
    if not x.ndim or not y.ndim:
        return x * y
    check_inner(x.shape[-1], y.shape[-2:][0])
    return _tensordot(x, y, [x.ndim - 1], [max(y.ndim - 2, 0)])


@builder
def inner(a: Operand, b: Operand) -> Node:
    """The sum of products over the last axes of both: x y' for matrices. An operand without axes scales the other."""
    x, y = numbers((a, b))
    return _tensordot(x, y, [x.ndim - 1], [y.ndim - 1]) if x.ndim and y.ndim else x * y


@builder
def vdot(a: Operand, b: Operand) -> Node:
    """The sum of the products of all elements of both, flattened: a scalar. A ShapeError unless they are as many."""
    x, y = (node.reshape(-1) for node in numbers((a, b)))
    return _tensordot(x, y, [0], [0])


@builder
def vecdot(x1: Operand, x2: Operand, axis: int = -1) -> Node:
    """The sum of products along ``axis`` of both; the other axes broadcast.

    >>> import graphad as ga
    >>> vecdot(ga.input("x", shape=("batch", 5, 3)), ga.input("y", shape=(5, 3)))
    <reshape: float32[batch, 5]>
    """
    x, y = (_with_last(node, axis) for node in numbers((x1, x2)))
    check_inner(x.shape[-1], y.shape[-1])
    rows, columns = (apply(Reshape((*x.shape[:-1], 1, x.shape[-1])), x), apply(Reshape((*y.shape, 1)), y))
    result = matrix_product(rows, columns)
    return apply(Reshape(result.shape[:-2]), result)


def _with_last(x: Node, axis: Any) -> Node:
    """The axes with one of them moved to the end."""
    place = normalize_axis(axis, x.ndim)
    others = tuple(i for i in range(x.ndim) if i != place)
    return x if place == x.ndim - 1 else apply(Transpose((*others, place)), x)


@builder
@numpy_options
def outer(a: Operand, b: Operand) -> Node:
    """The product of each element of ``a`` with each of ``b``, both flattened: a matrix, with a row for each of ``a``.

    >>> import graphad as ga
    >>> outer(ga.input("x", shape=("batch",)), ga.input("y", shape=(3,)))
    <multiply: float32[batch, 3]>
    """
    x, y = numbers((a, b))
    return apply(Reshape((x.type.size, 1)), x) * apply(Reshape((1, y.type.size)), y)


@builder
def kron(a: Operand, b: Operand) -> Node:
    """The Kronecker product: a copy of ``b`` in place of each element of ``a``, scaled by it.

    Sizes multiply axis by axis, from the last; the operand with fewer axes gets axes of size 1 in front.

    >>> import graphad as ga
    >>> kron(ga.input("x", shape=(2, 3)), ga.input("y", shape=(5, 4)))
    <reshape: float32[10, 12]>
    """
    x, y = numbers((a, b))
    ndim = max(x.ndim, y.ndim)
    coarse, fine = ((1,) * (ndim - node.ndim) + node.shape for node in (x, y))
    spread = reshaped(x, tuple(size for one in coarse for size in (one, 1)))
    repeated = reshaped(y, tuple(size for one in fine for size in (1, one)))
    return reshaped(spread * repeated, tuple(m * n for m, n in zip(coarse, fine, strict=True)))


@builder
def cross(a: Operand, b: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Node:
    """The cross product of vectors of three numbers, along ``axisa`` and ``axisb``; other axes broadcast.

    ``axisc`` is where the vectors lie in the result; ``axis`` stands for all three.

    >>> import graphad as ga
    >>> cross(ga.input("x", shape=("batch", 3)), ga.input("y", shape=(3,)))
    <stack: float32[batch, 3]>
    """
    of_a, of_b, of_c = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    x, y = (_with_last(node, one) for node, one in zip(numbers((a, b)), (of_a, of_b), strict=True))
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeError(f"a cross product is of vectors of 3 numbers; these have {x.shape[-1]} and {y.shape[-1]}")
    x, y = broadcast_together((x, y))
    parts = [x[..., i - 2] * y[..., i - 1] - x[..., i - 1] * y[..., i - 2] for i in range(3)]
    return apply(Stack(normalize_axis(of_c, parts[0].ndim + 1)), *parts)


@builder
def multi_dot(arrays: Sequence[Operand]) -> Node:
    """The product of matrices, in the order that takes fewest multiplications; the first and last may be vectors.

    >>> import graphad as ga
    >>> multi_dot([ga.input("x", shape=(100, 3)), ga.input("y", shape=(3, 100)), ga.input("z", shape=(100,))])
    <reshape: float32[100]>
    """
    factors = numbers(arrays)
    if len(factors) < 2 or any(factor.ndim != 2 for factor in factors[1:-1]):
        raise ShapeError("a chain has two factors or more, all matrices but for vectors at its ends")
    if not all(1 <= factor.ndim <= 2 for factor in factors):
        raise ShapeError("the ends of a chain are matrices or vectors")
    for left, right in pairwise(factors):
        check_inner(left.shape[-1], right.shape[0])
    return _chain(factors, 0, len(factors), _best_cuts(factors))


def _best_cuts(factors: Sequence[Node]) -> dict[tuple[int, int], int]:
    """Where to cut the chain of the factors i to j - 1, for each (i, j): found for short chains first."""
    first, last = factors[0], factors[-1]
    ends = [1 if first.ndim == 1 else counted(first.shape[0])], [1 if last.ndim == 1 else counted(last.shape[1])]
    sizes = [*ends[0], *(counted(factor.shape[0]) for factor in factors[1:]), *ends[1]]
    costs = {(i, i + 1): 0 for i in range(len(factors))}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(2, len(factors) + 1):
        for i in range(len(factors) - length + 1):
            j = i + length
            options = [(costs[i, k] + costs[k, j] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j)]
            costs[i, j], cuts[i, j] = min(options)
    return cuts


def _chain(factors: Sequence[Node], i: int, j: int, cuts: dict[tuple[int, int], int]) -> Node:
    if j == i + 1:
        return factors[i]
    return matmul(_chain(factors, i, cuts[i, j], cuts), _chain(factors, cuts[i, j], j, cuts))
