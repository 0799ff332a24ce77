"""The dtype of a result, given those of its operands. One rule: a float beside anything keeps its width.

So nothing becomes float64 that does not hold a float64 already:

==============  =======  ============================  =================  =======  =======
beside          bool     int8, int16, int32, int64     uint8 ... uint64   float32  float64
==============  =======  ============================  =================  =======  =======
bool            bool     the integer                   the integer        float32  float64
int8 ... int64           the wider                     *                  float32  float64
uint8 ... 64                                           the wider          float32  float64
float32                                                                   float32  float64
float64                                                                            float64
Python's bool   bool     the integer                   the integer        float32  float64
Python's int    int64    the integer                   the integer        float32  float64
Python's float  float32  float32                       float32            float32  float64
a named size    int64    int64                         int64, uint64      float32  float64
==============  =======  ============================  =================  =======  =======

``*``: the least signed integer that holds both; float32 beside uint64, since there is none.

Python's numbers are weak: they take the dtype of what stands beside them, unless its kind cannot hold them. Alone they
are bool, int64 and float32. A number that does not fit, such as 300 beside uint8, is an error and does not wrap.

This is numpy's `result_type` but for the following, where numpy's is float64 and ours float32: 32 and 64 bits of
integer beside float32, signed integers beside uint64, and Python's floats beside integers and bool. And a numpy.float64
is a Python float (it inherits from it), so it is weak too. float16 and complex numbers are refused where they enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphad.ir.tensor_type import BOOL, FLOAT32, INT64, Dim


def promote(dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """The dtype of a result: the widest float if there is one, whatever the integers beside it; else numpy's rule.

    >>> promote([np.dtype("int64"), np.dtype("float32")])
    dtype('float32')
    """
    if dtypes.count(dtypes[0]) == len(dtypes):
        return dtypes[0]
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    found = np.result_type(*(floats or dtypes))
    return FLOAT32 if found.kind == "f" and not floats else found  # int64 with uint64


def is_weak(operand: Any) -> bool:
    """Whether an operand takes the dtype of the others: Python's numbers and named sizes do."""
    return isinstance(operand, (bool, int, float, Dim))


def promote_weak(scalar: bool | float | Dim, beside: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a result of a weak scalar and an array of the dtype ``beside``.

    >>> promote_weak(2, np.dtype("int8")), promote_weak(2.5, np.dtype("int8"))
    (dtype('int8'), dtype('float32'))
    """
    if beside.kind == "f" or isinstance(scalar, bool):
        return beside
    if isinstance(scalar, Dim):  # whose value is not known yet, so a narrow integer might not hold it
        return beside if beside.kind == "u" and beside.itemsize == 8 else INT64
    if isinstance(scalar, int):
        return INT64 if beside == BOOL else beside
    return FLOAT32
