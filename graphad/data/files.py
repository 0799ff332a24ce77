"""Data files on disk and off the wire: found in a folder, unpacked and checked.

The one idea is that a file *is* its decompressed content: the same from every source, so that is what is hashed
and handed on, whether it came compressed or not.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from graphad.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class File:
    """The decompressed content of one file, and the path or address it was read from."""

    content: bytes
    where: str


def find(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Those of the files ``names`` that lie in the folder, as they are or with the suffix ``.gz``."""
    candidates = ((name, folder / (name + suffix)) for name in names for suffix in (".gz", ""))
    return {name: path for name, path in candidates if path.is_file()}


def read(path: Path) -> File:
    """Read one file and decompress it if it is compressed; what cannot be read is a DataError."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return unpack(packed, str(path))


def unpack(packed: bytes, where: str) -> File:
    """Decompress what was read from ``where``, unless it is not compressed; a damaged archive is a DataError.

    The bytes decide, not the name: some servers, and the browsers that people download with, decompress on the way.
    """
    if not packed.startswith(GZIP_MAGIC):
        return File(packed, where)
    try:
        return File(gzip.decompress(packed), where)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{where} is a damaged gzip archive ({error})") from error


def sha256(file: File) -> str:
    """The SHA-256 of the decompressed content, in hexadecimal."""
    return hashlib.sha256(file.content).hexdigest()


def check(file: File, checksum: str) -> None:
    """Let a file pass whose SHA-256 is ``checksum``; any other is a DataError."""
    actual = sha256(file)
    if actual != checksum:
        raise DataError(f"{file.where} is damaged: its content has the SHA-256 {actual}, not {checksum}")
