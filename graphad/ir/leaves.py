"""The leaves of a graph: values that are bound from outside and not computed by an operation.

Inputs are bound at each call, parameters (and the key of random numbers, which is one) live in a `Storage` that
outlasts calls, constants carry their own bytes, and the value of a size is a constant as soon as the graph is
specialised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np

from graphad.errors import DTypeError, ShapeError
from graphad.ir.op import Array, Op, Traits
from graphad.ir.tensor_type import Dimension, Sizes, TensorType, dtype_of


def fits(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether the values can take the dtype and lose nothing but digits: floats stay floats, integers are in range.

    >>> fits(np.array([200]), np.dtype("uint8")), fits(np.array([300]), np.dtype("uint8"))
    (True, False)
    """
    if array.dtype == dtype or array.dtype.kind not in "iu" or dtype.kind not in "iu":
        return np.can_cast(array.dtype, dtype, "same_kind")
    limits = np.iinfo(dtype)
    return array.size == 0 or bool(limits.min <= int(array.min()) and int(array.max()) <= limits.max)


_WHOLE_LINES = 16
"""Arrays whose size is a multiple of this come first in a block: so each of them begins on a cache line."""


class Storage:
    """The memory of one parameter: read as a copy, written as a whole, updated in place by compiled functions."""

    __slots__ = ("array", "block")
    moves: ClassVar[int] = 0
    """How often any storage was given another array: who has bound arrays looks at this before using them."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.block: Block | None = None

    def read(self) -> Array:
        """A read-only copy: later steps do not change it, and assigning to its elements is an error, not a no-op."""
        copy = self.array.copy()
        copy.flags.writeable = False
        return copy

    def write(self, value: Any, name: str) -> None:
        """Replace the value; a ShapeError or DTypeError leaves it as it was."""
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ShapeError(f"parameter {name}: the value assigned is no array: {error}") from error
        if array.shape != self.array.shape:
            raise ShapeError(
                f"parameter {name} has shape {self.array.shape}; a value of shape {array.shape} was assigned"
            )
        if not fits(array, self.array.dtype):
            raise DTypeError(
                f"parameter {name} is {self.array.dtype}; a value of dtype {array.dtype} was assigned: cast it"
            )
        np.copyto(self.array, array, casting="unsafe")


class Block:
    """Storages of one dtype side by side in one vector, so that what is done to all of them is done at once.

    The values of the members stay what they were. A storage can be a member of one block only, for ever.
    """

    def __init__(self, members: Sequence[Storage]) -> None:
        self.members = tuple(members)
        self.storage = Storage(np.concatenate([member.array.reshape(-1) for member in members]))
        for member, start in zip(self.members, self.starts, strict=True):
            part = self.storage.array[start : start + member.array.size]
            member.array, member.block = part.reshape(member.array.shape), self
        Storage.moves += 1

    @property
    def starts(self) -> list[int]:
        """Where each member begins."""
        return list(accumulate([member.array.size for member in self.members[:-1]], initial=0))

    @staticmethod
    def holding(storages: Sequence[Storage]) -> Block | None:
        """The block of just these storages: the one they are in, or a new one; None if some are in another."""
        blocks = {storage.block for storage in storages}
        if blocks == {None}:
            return Block(sorted(storages, key=lambda one: one.array.size % _WHOLE_LINES != 0))
        (block, *others) = blocks
        same = not others and block is not None and set(block.members) == set(storages)
        return block if same else None


@dataclass(frozen=True)
class Leaf(Op):
    """A value without operands, of a known type."""

    type: TensorType
    traits = Traits(leaf=True)

    def infer(self, *operands: TensorType) -> TensorType:
        """The declared type."""
        return self.type


@dataclass(frozen=True, eq=False)
class Input(Leaf):
    """A value given at each call. Every declaration is its own: inputs are equal only to themselves."""

    name = "input"
    latex = r"\mathrm{input}"
    __eq__ = object.__eq__  # and not Leaf's, which compares types
    __hash__ = object.__hash__

    def specialise(self, sizes: Sizes) -> Input:
        """An input keeps its identity, whatever its sizes."""
        static = self.type.specialise(sizes)
        return self if static == self.type else Input(static)


@dataclass(frozen=True, eq=False)
class Parameter(Leaf):
    """A value with state; equal only to itself."""

    storage: Storage = field(repr=False)
    trainable: bool = True
    name = "parameter"
    latex = r"\mathrm{parameter}"
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def specialise(self, sizes: Sizes) -> Parameter:
        """A parameter's shape is always integers."""
        return self


@dataclass(frozen=True, eq=False)
class Key(Parameter):
    """What random numbers are drawn with: the seed and the number of the call, as uint64.

    A graph is declared with one key for all graphs; a function that is made of it has a key of its own.
    """

    name = "key"
    latex = r"\mathrm{key}"
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @staticmethod
    def of(seed: int, calls: int = 0) -> Key:
        """The key of a seed and a number of calls, each from 0 to 2**64 - 1."""
        array = np.array([seed, calls], np.uint64)
        return Key(TensorType.of(array.shape, array.dtype), Storage(array), trainable=False)


@dataclass(frozen=True)
class Constant(Leaf):
    """A value known at declaration, compared bit for bit."""

    data: bytes = field(repr=False)
    name = "constant"
    latex = r"\mathrm{const}"

    @staticmethod
    def of(array: Array) -> Constant:
        """The constant with the values of ``array``, now."""
        native = np.ascontiguousarray(array, dtype=dtype_of(array.dtype)).reshape(array.shape)
        return Constant(TensorType.of(native.shape, native.dtype), native.tobytes())

    @property
    def value(self) -> Array:
        """The value, read-only."""
        return np.frombuffer(self.data, self.type.dtype).reshape(self.type.static_shape)


@dataclass(frozen=True)
class SizeOf(Leaf):
    """The number behind a dimension, as a 0-d value; a `Constant` once the graph is specialised."""

    size: Dimension
    name = "size"
    latex = r"\mathrm{size}"

    def specialise(self, sizes: Sizes) -> Op:
        """size(batch) -> the constant 100, when batch is 100."""
        op = super().specialise(sizes)
        if isinstance(op, SizeOf) and isinstance(op.size, int):
            return Constant.of(np.asarray(op.size, op.type.dtype))
        return op
