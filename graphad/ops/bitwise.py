"""``&``, ``|``, ``^`` and ``~``: on truth values the logical functions, on integers the same for each bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphad.errors import DTypeError
from graphad.ir.op import Traits
from graphad.ir.tensor_type import TensorType
from graphad.ops.elementwise import Elementwise, elementwise


@dataclass(frozen=True)
class Bitwise(Elementwise):
    """The base: operands of bool, or of one dtype of integers."""

    def infer(self, *operands: TensorType) -> TensorType:
        """The common type of the operands, which are no floats."""
        if any(x.is_float for x in operands):
            raise DTypeError(
                "the operands must be truth values or integers: compare the floats first, "
                "in parentheses, as in (x > 0) & (y < 1)"
            )
        return super().infer(*operands)


@dataclass(frozen=True)
class BitwiseAnd(Bitwise):
    """x & y: of truth values whether both hold, of integers the bits that both have."""

    name = "bitwise_and"
    latex = r"\wedge"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.bitwise_and


@dataclass(frozen=True)
class BitwiseOr(Bitwise):
    """x | y: of truth values whether one holds, of integers the bits that either has."""

    name = "bitwise_or"
    latex = r"\vee"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.bitwise_or


@dataclass(frozen=True)
class BitwiseXor(Bitwise):
    """x ^ y: of truth values whether just one holds, of integers the bits that just one has."""

    name = "bitwise_xor"
    latex = r"\oplus"
    traits = Traits(elementwise=True, commutative=True)
    ufunc = np.bitwise_xor


@dataclass(frozen=True)
class Invert(Bitwise):
    """~x: of truth values the contrary, of integers all bits turned over, which is -x - 1 where they have a sign."""

    name = "invert"
    latex = r"\neg"
    ufunc = np.invert


bitwise_and = elementwise(BitwiseAnd())
bitwise_or = elementwise(BitwiseOr())
bitwise_xor = elementwise(BitwiseXor())
invert = elementwise(Invert())
