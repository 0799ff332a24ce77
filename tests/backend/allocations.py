"""What numpy allocates for the data of arrays while something runs, counted by an allocator of our own.

numpy takes the memory of every array's elements from one replaceable allocator, so none escapes, however briefly it
lives and however small it is. Views, shapes, iterators and their buffers of fixed size do not come from there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

FIXED = 32
"""What is no longer than this, in bytes, is a number on its way, or the counter of a random generator: no data."""
_NAME = b"mem_handler"
_SET_HANDLER, _GET_HANDLER = 304, 305  # in the table of numpy's C interface, which keeps its order
_ALLOCATE = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class _Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")]


class _Handler(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("allocator", _Allocator)]


_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
_table = ctypes.cast(
    _pointer(np._core._multiarray_umath._ARRAY_API, None),  # type: ignore[attr-defined]
    ctypes.POINTER(ctypes.c_void_p),
)
_set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(_table[_SET_HANDLER] or 0)
_numpys = ctypes.PYFUNCTYPE(ctypes.py_object)(_table[_GET_HANDLER] or 0)()
_own = _Handler.from_address(_pointer(_numpys, _NAME)).allocator
_malloc = ctypes.PYFUNCTYPE(*_ALLOCATE)(_own.malloc)
_calloc = ctypes.PYFUNCTYPE(*_ALLOCATE, ctypes.c_size_t)(_own.calloc)
_log: list[int] = []


def _logged_malloc(context: int, nbytes: int) -> int | None:
    _log.append(nbytes)
    found: int | None = _malloc(context, nbytes)
    return found


def _logged_calloc(context: int, count: int, nbytes: int) -> int | None:
    _log.append(count * nbytes)
    found: int | None = _calloc(context, count, nbytes)
    return found


_c_malloc = ctypes.CFUNCTYPE(*_ALLOCATE)(_logged_malloc)
_c_calloc = ctypes.CFUNCTYPE(*_ALLOCATE, ctypes.c_size_t)(_logged_calloc)
_logging = _Handler(
    b"logging",
    1,
    _Allocator(
        _own.context,
        ctypes.cast(_c_malloc, ctypes.c_void_p),
        ctypes.cast(_c_calloc, ctypes.c_void_p),
        _own.realloc,
        _own.free,
    ),
)
_handler = _capsule(ctypes.addressof(_logging), _NAME, None)  # kept: arrays are freed by who allocated them


@contextmanager
def allocations() -> Iterator[list[int]]:
    """The bytes of each array that is allocated inside, but for what is of fixed size; complete at the end."""
    found: list[int] = []
    _log.clear()
    before = _set_handler(_handler)
    try:
        yield found
    finally:
        _set_handler(before)
        found += [nbytes for nbytes in _log if nbytes > FIXED]
