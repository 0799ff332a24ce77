"""Files fetched from whichever of several public mirrors answers.

All mirrors are knocked at side by side, and what has not answered when patience runs out is passed over: without a
network the whole affair costs no more than that, however many mirrors there are and however each of them is silent.
"""

from __future__ import annotations

import io
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pooch
from tqdm import tqdm

from graphad.data import files
from graphad.errors import DataError

CHUNK = 64 * 1024  # bytes between two movements of the progress bar


@dataclass(frozen=True, slots=True)
class Download:
    """Checked files by name, and the mirror that the last of them came from."""

    files: dict[str, files.File]
    mirror: str


def download(checksums: Mapping[str, str], mirrors: Sequence[str], patience: float) -> Download:
    """Fetch the files that ``checksums`` names, each from the first mirror that serves it intact.

    ``mirrors`` are addresses that end in a slash and hold each file as ``NAME.gz``; ``patience`` is the time in seconds
    that a mirror has to answer, and later the longest silence within a transfer. When a file cannot be had, a DataError
    tells why.
    """
    fetched: dict[str, files.File] = {}
    fault = "no mirror answered"
    for mirror in answering(mirrors, f"{next(iter(checksums))}.gz", patience):
        try:
            for name in [name for name in checksums if name not in fetched]:
                fetched[name] = fetch(f"{mirror}{name}.gz", checksums[name], patience)
        except OSError as error:  # a DataError, or any error of a connection
            fault = f"no mirror served it whole: {error}"
        else:
            return Download(fetched, mirror)
    raise DataError(fault)


def answering(mirrors: Sequence[str], path: str, patience: float) -> Iterator[str]:
    """Ask all mirrors at once for ``path``; yield each that has it as it answers, within ``patience`` seconds."""
    answers: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
    for mirror in mirrors:
        # Daemons: a name server that is silent for a minute must not hold up the end of the program.
        threading.Thread(target=_ask, args=(mirror, path, patience, answers), daemon=True).start()
    deadline = time.monotonic() + patience
    for _ in mirrors:
        try:
            mirror, has_it = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return
        if has_it:
            yield mirror


def _ask(mirror: str, path: str, patience: float, answers: queue.SimpleQueue[tuple[str, bool]]) -> None:
    try:
        has_it = pooch.HTTPDownloader(timeout=patience)(mirror + path, None, None, check_only=True)
    except OSError:
        has_it = False
    answers.put((mirror, has_it))


def fetch(url: str, checksum: str, patience: float) -> files.File:
    """Fetch one file with a progress bar (on a terminal only), decompress it and check it."""
    packed = io.BytesIO()
    # The total is known when the server answers; until then it must be positive, or pooch takes the bar for absent.
    with tqdm(desc=url.rpartition("/")[2], total=1, unit="B", unit_scale=True, disable=None) as bar:
        pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=patience)(url, packed, None)
    file = files.unpack(packed.getvalue(), url)
    files.check(file, checksum)
    return file
