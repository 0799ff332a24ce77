"""Files are written whole or not at all: into a neighbour first, which then takes the file's place."""

from __future__ import annotations

import secrets
from pathlib import Path

from graphad.errors import OutputFileError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, making its folder; an OutputFileError where that is not possible, and the old file stays."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)  # there is one only after a failure or an interrupt
    except OSError as error:
        raise OutputFileError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error
