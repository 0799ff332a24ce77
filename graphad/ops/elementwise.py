"""The base of elementwise operations, and how their builders are made.

Their Jacobian is diagonal: the map from an operand's tangent to the result's is also the map from the result's
cotangent to the operand's. So one method, `partials`, gives both modes: for each operand, what happens to a direction
``d``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar, TypeAlias

import numpy as np

from graphad.errors import ArgumentError, DTypeError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.op import Attributes, Op, Traits
from graphad.ir.tensor_type import TensorType
from graphad.ops.build import Operand, as_float, as_node, broadcast_together, unify

DirectionMap: TypeAlias = Callable[[Node], Node] | None


@dataclass(frozen=True)
class Elementwise(Op):
    """The base: operands of one shape and one dtype, a result of the same."""

    traits = Traits(elementwise=True)
    ufunc: ClassVar[Callable[..., Any]]

    def infer(self, *operands: TensorType) -> TensorType:
        """The common type of the operands."""
        first = operands[0]
        for x in operands:
            if x.shape != first.shape:
                raise ShapeError("the operands must have one shape: broadcast them first")
            if x.dtype != first.dtype:
                raise DTypeError("the operands must have one dtype: cast them first")
        return first

    def stacked(self, steps: int) -> Op:
        return self

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The ufunc of the class."""
        return self.ufunc, {}

    def partials(self, result: Node, *operands: Node) -> tuple[DirectionMap, ...]:
        """For each operand, the map from its direction to that of the result; None where it is zero everywhere."""
        return (None,) * len(operands)

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """Each partial derivative, times the cotangent."""
        return tuple(partial and partial(cotangent) for partial in self.partials(result, *operands))

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The sum of the partial derivatives, each times its tangent."""
        pairs = zip(self.partials(result, *operands), tangents, strict=True)
        terms = [partial(tangent) for partial, tangent in pairs if partial and tangent is not None]
        return sum(terms[1:], start=terms[0]) if terms else None


@dataclass(frozen=True)
class Numeric(Elementwise):
    """An elementwise function of numbers: numpy has none of truth values."""

    def infer(self, *operands: TensorType) -> TensorType:
        """The common type of the operands, which is not bool."""
        if any(x.dtype.kind == "b" for x in operands):
            raise DTypeError("the operands are truth values: use ~ and ^ on them, or cast them to numbers first")
        return super().infer(*operands)


@dataclass(frozen=True)
class Analytic(Elementwise):
    """An elementwise function of real numbers: integers become float32 before they reach it."""

    def infer(self, *operands: TensorType) -> TensorType:
        """The common type of the operands, which are floats."""
        if not all(x.is_float for x in operands):
            raise DTypeError("the operands must be floats: cast them first")
        return super().infer(*operands)


def itself(direction: Node) -> Node:
    """The direction map of a derivative that is 1."""
    return direction


def elementwise(op: Elementwise) -> Callable[..., Node]:
    """The builder of an elementwise operation: promotes, broadcasts, applies."""

    count = operand_count(op)

    def build(*operands: Operand) -> Node:
        if len(operands) != count:
            raise ArgumentError(f"it takes {count} operand{'s' * (count > 1)}; {len(operands)} are given")
        nodes = unify(operands) if len(operands) > 1 else [as_node(operands[0])]
        if isinstance(op, Analytic):
            nodes = [as_float(node) for node in nodes]
        return apply(op, *broadcast_together(nodes))

    build.__name__ = build.__qualname__ = op.name
    build.__doc__ = op.__doc__
    return builder(build)


def operand_count(op: Elementwise) -> int:
    """How many operands the kernel takes."""
    function, keywords = op.numpy_call()
    if isinstance(function, np.ufunc):
        return function.nin
    return len(signature(function).parameters.keys() - keywords.keys() - {"scratch", "out"})
