"""How users declare the leaves of a graph. (`constant` stands with the other builders, which need it.)"""

from __future__ import annotations

from typing import Any

from graphad.errors import ArgumentError
from graphad.ir.builder import builder
from graphad.ir.leaves import Input, Parameter, Storage
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import FLOAT32, TensorType
from graphad.ops.build import as_array


@builder
def input(name: str, shape: Any = (), dtype: Any = FLOAT32) -> Node:
    """A value that is given at each call.

    ``shape`` holds integers and names: a name such as "batch" stands for one size wherever it appears, and is bound by
    the arrays of each call. A ShapeError or DTypeError names what cannot be declared.

    >>> input("x", shape=("batch", 28, 28))
    <x: float32[batch, 28, 28]>
    """
    if not name:
        raise ArgumentError(f"an input needs a name, such as 'x'; got {name!r}")
    return apply(Input(TensorType.of(shape, dtype)), name=name)


@builder
def parameter(value: Any, name: str | None = None, trainable: bool = True, dtype: Any = None) -> Node:
    """A leaf with state: `.value` reads it and sets it, the updates of compiled functions change it.

    ``value`` is copied. Numbers and lists become float32; arrays keep their dtype unless ``dtype`` is given.

    >>> W = parameter([[1.0, 2.0]], name="W")
    >>> W, W.value
    (<W: float32[1, 2]>, array([[1., 2.]], dtype=float32))
    """
    array = as_array(value, dtype)
    return apply(Parameter(TensorType.of(array.shape, array.dtype), Storage(array), trainable), name=name)
