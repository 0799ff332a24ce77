"""Python's operators, numpy's methods and numpy's protocols, as nodes wear them.

`Node` stands on the ground floor and the operations stand above it, so an operator looks its builder up by name at the
moment it is used. Every builder binds its name when it is defined.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from graphad.errors import ArgumentError, GraphadError, SymbolicValueError

if TYPE_CHECKING:
    from graphad.ir.node import Node

_builders: dict[str, Callable[..., Any]] = {}
_NUMPYS_OTHER_NAMES = {
    "amax": "max", "amin": "min", "around": "round", "astype": "cast", "fix": "trunc", "rint": "round",
}  # fmt: skip
"""numpy's functions that have a builder under another name. (``np.abs``, ``np.mod``, ``np.true_divide`` need no entry:
they are the very functions ``np.absolute``, ``np.remainder``, ``np.divide``.)"""


def bind_builder(name: str, builder: Callable[..., Any]) -> None:
    """Say which function builds the node of an operator or a numpy function, by numpy's name."""
    _builders[name] = builder


def builders() -> Mapping[str, Callable[..., Any]]:
    """Every builder, by its name."""
    return _builders


class Operators:
    """The operators of `Node`, and the methods that it shares with numpy's arrays."""

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

    def __floordiv__(self, other: Any) -> Node:
        return _build("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Node:
        return _build("floor_divide", other, self)

    def __mod__(self, other: Any) -> Node:
        return _build("remainder", self, other)

    def __rmod__(self, other: Any) -> Node:
        return _build("remainder", other, self)

    def __divmod__(self, other: Any) -> tuple[Node, Node]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Node, Node]:
        return other // self, other % self

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

    def __invert__(self) -> Node:
        return _build("invert", self)

    def __round__(self, ndigits: int | None = None) -> Node:
        return _build("round", self, ndigits or 0)

    def __and__(self, other: Any) -> Node:
        return _build("bitwise_and", self, other)

    def __rand__(self, other: Any) -> Node:
        return _build("bitwise_and", other, self)

    def __or__(self, other: Any) -> Node:
        return _build("bitwise_or", self, other)

    def __ror__(self, other: Any) -> Node:
        return _build("bitwise_or", other, self)

    def __xor__(self, other: Any) -> Node:
        return _build("bitwise_xor", self, other)

    def __rxor__(self, other: Any) -> Node:
        return _build("bitwise_xor", other, self)

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

    def all(self, axis: Any = None, keepdims: bool = False) -> Node:
        """Whether all elements over ``axis`` are true, or not 0."""
        return _build("all", self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Node:
        """Whether an element over ``axis`` is true, or not 0."""
        return _build("any", self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Node:
        """The first place of the greatest element along ``axis`` (None: of the flattened node)."""
        return _build("argmax", self, axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Node:
        """The first place of the least element along ``axis`` (None: of the flattened node)."""
        return _build("argmin", self, axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1) -> Node:
        """The places of the elements along ``axis``, in the order of the elements."""
        return _build("argsort", self, axis)

    def astype(self, dtype: Any) -> Node:
        """The same values in another dtype."""
        return _build("cast", self, dtype)

    def clip(self, min: Any = None, max: Any = None) -> Node:
        """The same values, but no less than ``min`` and no more than ``max``."""
        return _build("clip", self, min, max)

    def cumprod(self, axis: int | None = None) -> Node:
        """The product of the elements along ``axis`` up to each."""
        return _build("cumprod", self, axis)

    def cumsum(self, axis: int | None = None) -> Node:
        """The sum of the elements along ``axis`` up to each."""
        return _build("cumsum", self, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
        """The elements whose places along two axes differ by ``offset``."""
        return _build("diagonal", self, offset, axis1, axis2)

    def dot(self, other: Any) -> Node:
        """The sum of products over the last axis and the last but one of ``other``."""
        return _build("dot", self, other)

    def flatten(self) -> Node:
        """The same elements, in order, along one axis."""
        return _build("reshape", self, -1)

    ravel = flatten

    def max(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The greatest element over ``axis`` (all axes if None)."""
        return _build("max", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The mean over ``axis`` (all axes if None)."""
        return _build("mean", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The least element over ``axis`` (all axes if None)."""
        return _build("min", self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The product over ``axis`` (all axes if None)."""
        return _build("prod", self, axis=axis, keepdims=keepdims)

    def repeat(self, repeats: Any, axis: int | None = None) -> Node:
        """Each element ``repeats`` times along ``axis`` (None: of the flattened node)."""
        return _build("repeat", self, repeats, axis)

    def reshape(self, *shape: Any) -> Node:
        """The same elements, in order, in another shape; one size may be -1."""
        return _build("reshape", self, shape[0] if len(shape) == 1 else shape)

    def round(self, decimals: int = 0) -> Node:
        """The nearest numbers with so many decimals, half to even."""
        return _build("round", self, decimals)

    def squeeze(self, axis: Any = None) -> Node:
        """Without ``axis`` of size 1 (None: without any such axis)."""
        return _build("squeeze", self, axis)

    def std(self, axis: Any = None, keepdims: bool = False, *, ddof: float = 0) -> Node:
        """The standard deviation over ``axis`` (all axes if None)."""
        return _build("std", self, axis=axis, keepdims=keepdims, ddof=ddof)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        """The sum over ``axis`` (all axes if None)."""
        return _build("sum", self, axis=axis, keepdims=keepdims)

    def swapaxes(self, axis1: int, axis2: int) -> Node:
        """Two axes in each other's place."""
        return _build("swapaxes", self, axis1, axis2)

    def take(self, indices: Any, axis: int | None = None) -> Node:
        """The elements at ``indices`` along ``axis`` (None: of the flattened node)."""
        return _build("take", self, indices, axis)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
        """The sum of the diagonal of two axes."""
        return _build("trace", self, offset, axis1, axis2)

    def transpose(self, *axes: Any) -> Node:
        """The axes in another order; reversed, if none are given."""
        return _build("transpose", self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)

    def var(self, axis: Any = None, keepdims: bool = False, *, ddof: float = 0) -> Node:
        """The variance over ``axis`` (all axes if None)."""
        return _build("var", self, axis=axis, keepdims=keepdims, ddof=ddof)

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
        if method != "__call__":
            raise ArgumentError(f"np.{ufunc.__name__}.{method} has no node form: call a function such as ga.sum")
        for keyword in keywords:
            remedy = _REMEDIES.get(keyword, "cast the operands or the result")
            raise ArgumentError(f"np.{ufunc.__name__} of nodes has no node form with {keyword}=: {remedy}")
        return _build(_builder_name(ufunc, getattr(np, ufunc.__name__, None)), *operands)

    def __array_function__(self, function: Any, _: Any, operands: Any, keywords: Any) -> Node:
        return _build(_builder_name(function, getattr(np, function.__name__, function)), *operands, **keywords)


_REMEDIES = {
    "out": "nodes are not written into arrays, by array += node neither; use the result",
    "where": "select from the result with ga.where",
}


def _builder_name(function: Callable[..., Any], numpys: Any) -> str:
    """The builder for a function of numpy's; there is none for one that only bears the name of ``numpys`` function."""
    name = function.__name__
    if function is not numpys:
        owner = getattr(function, "__module__", "another package")
        raise ArgumentError(f"{name} of {owner} has no operation of graphad: use a function of numpy's or graphad's")
    return _NUMPYS_OTHER_NAMES.get(name, name)


def _build(name: str, *operands: Any, **keywords: Any) -> Node:
    if name not in _builders:
        raise ArgumentError(f"numpy's {name} has no operation of graphad: use another, or ask for the numbers first")
    try:
        node: Node = _builders[name](*operands, **keywords)
    except TypeError as error:
        if isinstance(error, GraphadError) or has_parameters_for(_builders[name], operands, keywords):
            raise
        raise ArgumentError(f"{name} of a node does not take these arguments of numpy's: {error}") from error
    return node


def has_parameters_for(function: Callable[..., Any], operands: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    """Whether a function has parameters for these arguments."""
    try:
        inspect.signature(function).bind(*operands, **keywords)
    except TypeError:
        return False
    return True
