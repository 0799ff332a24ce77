"""Python's operators and numpy's protocols, as nodes wear them.

`Node` stands on the ground floor and the operations stand above it, so an operator looks its builder up by name at the
moment it is used. Every builder binds its name when it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from graphad.errors import ArgumentError, SymbolicValueError

if TYPE_CHECKING:
    from graphad.ir.node import Node

_builders: dict[str, Callable[..., Any]] = {}


def bind_builder(name: str, builder: Callable[..., Any]) -> None:
    """Say which function builds the node of an operator or a numpy function, by numpy's name."""
    _builders[name] = builder


def builders() -> Mapping[str, Callable[..., Any]]:
    """Every builder, by its name."""
    return _builders


class Operators:
    """The operators of `Node`."""

    __slots__ = ()

    def __add__(self, other: Any) -> Node:
        return _build("add", self, other)

    def __radd__(self, other: Any) -> Node:
        return _build("add", other, self)

    def __sub__(self, other: Any) -> Node:
        return _build("subtract", self, other)

    def __rsub__(self, other: Any) -> Node:
        return _build("subtract", other, self)

    def __mul__(self, other: Any) -> Node:
        return _build("multiply", self, other)

    def __rmul__(self, other: Any) -> Node:
        return _build("multiply", other, self)

    def __truediv__(self, other: Any) -> Node:
        return _build("divide", self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return _build("divide", other, self)

    def __pow__(self, other: Any) -> Node:
        return _build("power", self, other)

    def __rpow__(self, other: Any) -> Node:
        return _build("power", other, self)

    def __matmul__(self, other: Any) -> Node:
        return _build("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return _build("matmul", other, self)

    def __neg__(self) -> Node:
        return _build("negative", self)

    def __pos__(self) -> Node:
        return _build("positive", self)

    def __abs__(self) -> Node:
        return _build("absolute", self)

    def __lt__(self, other: Any) -> Node:
        return _build("less", self, other)

    def __le__(self, other: Any) -> Node:
        return _build("less_equal", self, other)

    def __gt__(self, other: Any) -> Node:
        return _build("greater", self, other)

    def __ge__(self, other: Any) -> Node:
        return _build("greater_equal", self, other)

    def __eq__(self, other: object) -> Node:  # type: ignore[override]
        return _build("equal", self, other)

    def __ne__(self, other: object) -> Node:  # type: ignore[override]
        return _build("not_equal", self, other)

    __hash__ = object.__hash__  # nodes are told apart by identity

    def __getitem__(self, index: Any) -> Node:
        return _build("getitem", self, index)

    @property
    def T(self) -> Node:  # noqa: N802 (numpy's name)
        """The transpose: all axes reversed."""
        return _build("transpose", self)

    def reshape(self, *shape: Any) -> Node:
        """The same elements, in order, in another shape; one size may be -1."""
        return _build("reshape", self, shape[0] if len(shape) == 1 else shape)

    def astype(self, dtype: Any) -> Node:
        """The same values in another dtype."""
        return _build("cast", self, dtype)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The sum over ``axis`` (all axes if None)."""
        return _build("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The mean over ``axis`` (all axes if None)."""
        return _build("mean", self, axis=axis, keepdims=keepdims)

    def __bool__(self) -> NoReturn:
        raise SymbolicValueError(f"{self!r} is symbolic and has no truth value: use ga.where, or compile and call it")

    def __float__(self) -> NoReturn:
        raise SymbolicValueError(f"{self!r} is symbolic and has no value: compile and call it to get numbers")

    __int__ = __index__ = __complex__ = __float__

    def __contains__(self, _: Any) -> NoReturn:
        raise SymbolicValueError(f"{self!r} is symbolic: whether it holds a value is known at the call only")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise SymbolicValueError(f"{self!r} is symbolic and cannot become an array: compile and call it to get numbers")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **keywords: Any) -> Node:
        if method != "__call__" or keywords:
            raise ArgumentError(f"np.{ufunc.__name__} with {method} or keywords {sorted(keywords)} has no node form")
        return _build(ufunc.__name__, *operands)

    def __array_function__(self, function: Any, _: Any, operands: Any, keywords: Any) -> Node:
        return _build(function.__name__, *operands, **keywords)


def _build(name: str, *operands: Any, **keywords: Any) -> Node:
    if name not in _builders:
        raise ArgumentError(f"numpy's {name} has no operation of graphad: use another, or ask for the numbers first")
    node: Node = _builders[name](*operands, **keywords)
    return node
