"""What an operation is: one frozen object that knows its shape rule, its kernel, its gradient and its names.

The fields of an op are its attributes (an axis, a target shape); everything else is a fact of its class. Passes,
backends and pictures never ask *which* op they hold: they ask its `Traits`. So adding an op touches one class and
nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from graphad.ir.cut import AxisLabels, Cut, Cuts, cuts_along
from graphad.ir.tensor_type import Sizes, TensorType, specialise

if TYPE_CHECKING:
    from graphad.ir.node import Node

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Attributes: TypeAlias = dict[str, Any]
KERNEL_ERRORS = (ValueError, IndexError, ArithmeticError, TypeError)
"""What a kernel may raise for values that it cannot take."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rest of the compiler may assume of an op.

    ``leaf``: has no operands and is bound from outside. ``elementwise``: each element of the result depends on the
    same element of each operand, so a result may be written over an operand (unless ``multipass``: the kernel still
    reads operands after it has begun to write). ``over_first``: the result may be written over the first operand, if no
    other operand lies there. ``view``: shares its operand's memory; ``contiguous_view``: only if
    the operand is contiguous. ``broadcast``: a view that only repeats its operand, so an elementwise reader may read
    the operand itself. ``linear``: linear in all operands together. ``identity``: equal to its operand, and there
    only to stop or redirect a gradient; ``barrier``: one that no rewrite takes away, so that what reads it is never
    merged with what reads its operand. ``unit``: the value that leaves the *other* operand as it is, on the right
    and, if the op is commutative, on the left. ``picks``: each element of the result is one of the first operand's,
    and which one depends on the other operands only; views pick too. ``positive``: above 0 for all real operands, but
    for what rounds to 0.
    """

    leaf: bool = False
    elementwise: bool = False
    multipass: bool = False
    over_first: bool = False
    view: bool = False
    contiguous_view: bool = False
    broadcast: bool = False
    linear: bool = False
    commutative: bool = False
    identity: bool = False
    barrier: bool = False
    unit: float | None = None
    picks: bool = False
    positive: bool = False


@dataclass(frozen=True)
class Op:
    """The base of every operation. Subclasses are frozen dataclasses; two ops are equal when their attributes are."""

    name: ClassVar[str]
    latex: ClassVar[str]
    traits: ClassVar[Traits] = Traits()

    def infer(self, *operands: TensorType) -> TensorType:
        """The type of the result; a ShapeError or DTypeError that says what is wrong and what to do."""
        raise TypeError(f"{type(self).__name__} has no shape rule")

    def numpy_call(self) -> tuple[Callable[..., Any], Attributes]:
        """The numpy function that computes the op, and its keyword arguments.

        It is called as ``function(*operands, **keywords, out=result)``; a view is called without ``out``. A function
        that is not numpy's own must be self-contained but for ``np``: emitted programs carry its source. It is given
        ``scratch=arrays`` too if the op asks for `scratch`.
        """
        raise TypeError(f"{type(self).__name__} has no kernel")

    def scratch(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """The arrays that the kernel needs while it runs, beside its operands and its result.

        Their memory is a part of the plan, so that a call allocates nothing; their contents are left over from others.
        """
        return ()

    def reads_in_place(self, number: int, operand: Node, contiguous: Container[Node]) -> bool:
        """Whether the kernel reads an operand as it lies in memory, given which nodes' values lie contiguous.

        If not, the kernel would copy the operand by itself, so the program does it, into a place that is planned.
        """
        return True

    def numpy_method(self, *operands: TensorType) -> str | None:
        """The method of the first operand that does the same with less ceremony, as ``x.dot(y, result)``, if any."""
        return None

    def kernel(self, *arrays: Array, out: Array | None = None) -> Array:
        """Compute the op on arrays, into ``out`` if it is given."""
        function, keywords = self.numpy_call()
        scratch = self.scratch(*(TensorType.of(array.shape, array.dtype) for array in arrays))
        if scratch:
            keywords = {**keywords, "scratch": tuple(np.empty(x.static_shape, x.dtype) for x in scratch)}
        if out is not None:
            keywords = {**keywords, "out": out}
        return np.asarray(function(*arrays, **keywords))

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """The cotangent of each operand, given that of the result; None where the derivative is zero everywhere."""
        return (None,) * len(operands)

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The tangent of the result, given those of the operands (None: zero); None where it is zero everywhere."""
        return None

    def flops(self, result: TensorType, *operands: TensorType) -> int:
        """Floating-point operations, all types being static; views and leaves do none."""
        return 0 if self.traits.view or self.traits.leaf else max(1, int(np.prod(result.static_shape)))

    def specialise(self, sizes: Sizes) -> Op:
        """The same op with integers for named sizes among its attributes."""
        before = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        after = {name: specialise(value, sizes) for name, value in before.items()}
        return self if after == before else dataclasses.replace(self, **after)

    def stride_from(self, earlier: Op) -> tuple[int, ...] | None:
        """How the attributes advance from the copy of one step to this one of the next: (), if they stay the same.

        None if the two are no copies of one operation.
        """
        return () if self == earlier else None

    def advanced(self, stride: tuple[int, ...], steps: int) -> Op:
        """The copy of this operation some steps later."""
        return self

    def stacked(self, steps: int) -> Op | None:
        """The operation on operands that are all stacked over ``steps`` in a new first axis; None if there is none."""
        return None

    def along(self, stride: tuple[int, ...], steps: int, *operands: Node) -> Node | None:
        """What the copies of ``steps`` steps give, stacked in a new first axis, as one node; None if there is none.

        The attributes of the copies advance by ``stride``, from those of this one, and all read the same operands.
        """
        return None

    def axis_labels(self, result: TensorType, *operands: TensorType) -> AxisLabels | None:
        """Which axes run along together. What the result lacks is summed over. None: nothing is known."""
        known = self.traits.elementwise or self.traits.identity
        alike = all(operand.shape == result.shape for operand in operands)
        return (tuple(range(result.ndim)),) * (1 + len(operands)) if known and alike else None

    def cut(self, place: int, cut: Cut, result: TensorType, *operands: TensorType) -> Cuts | None:
        """How the result and all operands are cut, if the one at ``place`` is cut so (0: the result, 1: the first
        operand); None if the operation can't be done for a few steps at a time.
        """
        labels = self.axis_labels(result, *operands)
        return None if labels is None else cuts_along(labels, place, cut)

    def attributes(self) -> str:
        """The attributes as text, for listings and pictures: ``axis=1, keepdims=True``."""
        fields = dataclasses.fields(self)
        return ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields if field.repr)
