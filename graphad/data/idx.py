"""The IDX format, in which MNIST and its kin are published: arrays of bytes to and from the content of a file.

A file declares itself: two zero bytes, a code for the type of its elements, the number of axes, one big-endian 32-bit
size an axis, then the elements in C order. So the header foretells the length, and a file cut short is always noticed.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from graphad.errors import DataError

UNSIGNED_BYTES = b"\x00\x00\x08"


def encode(array: NDArray[np.uint8]) -> bytes:
    """Turn an array of unsigned bytes, of any shape, into the content of an IDX file.

    >>> encode(np.array([[6, 7, 8, 9]], np.uint8)).hex(" ", 4)
    '00000802 00000001 00000004 06070809'
    """
    return UNSIGNED_BYTES + struct.pack(f">B{array.ndim}I", array.ndim, *array.shape) + array.tobytes()


def decode(content: bytes, axes: int, name: str) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes with so many ``axes`` from the content of the IDX file called ``name``.

    The array is new and may be written to. Content that is no such file, or is cut short, padded or empty, is a
    DataError that says which.

    >>> decode(encode(np.array([[7, 8, 9]], np.uint8)), axes=2, name="digits")
    array([[7, 8, 9]], dtype=uint8)
    """
    shape = _shape(content, axes, name)
    elements, size = content[4 + 4 * axes :], math.prod(shape)
    announced = f"its header announces {' x '.join(map(str, shape))} = {size:,} bytes"
    if len(elements) != size:
        fault = "cut short" if len(elements) < size else "too long"
        raise DataError(f"{name} is {fault}: {announced}, and {len(elements):,} follow")
    if size == 0:
        raise DataError(f"{name} is empty: {announced}")
    return np.frombuffer(elements, np.uint8).reshape(shape).copy()


def _shape(content: bytes, axes: int, name: str) -> tuple[int, ...]:
    magic = UNSIGNED_BYTES + bytes([axes])
    if not content.startswith(magic):
        raise DataError(
            f"{name} is no IDX file of {axes}-dimensional bytes: "
            f"it begins with '{content[:4].hex(' ')}' where '{magic.hex(' ')}' is due"
        )
    if len(content) < 4 + 4 * axes:
        raise DataError(f"{name} is cut short: it ends within its header")
    return struct.unpack_from(f">{axes}I", content, offset=4)
