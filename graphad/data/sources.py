"""Where a data set is looked for: a folder the user names, the cache, public mirrors, the sample that graphad brings.

The user's word is final: a folder that was named must hold the data, whole and sound. Otherwise the first source that
has all files wins, so that a program runs everywhere, and the result says which source it was.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from graphad.data import files, mirrors
from graphad.errors import DataError, OutputFileError
from graphad.files import write_whole

# Users see its warnings as one line on stderr: nobody needs to set logging up, and whoever does can direct them.
LOGGER = logging.getLogger(__name__)

VARIABLE = "GRAPHAD_DATA"

Kind: TypeAlias = Literal["folder", "cache", "download", "sample"]

REMEDIES: Mapping[Kind, str] = {
    "folder": "replace it with an intact copy",
    "cache": "delete it, and it will be downloaded again",
    "download": "try again later",
    "sample": "reinstall graphad",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where data came from: the kind of source, its path or address, and a note for people that says what it is."""

    kind: Kind
    where: str
    note: str


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a data set, by name, and where they came from."""

    files: Mapping[str, files.File]
    source: Source


@contextmanager
def remedied(kind: Kind) -> Iterator[None]:
    """Add to a DataError raised inside what the user can do about such a source."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{error}; {REMEDIES[kind]}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A data set and the places to look for it, in the order of the fields from ``cache`` on.

    ``checksums`` maps the name of each file to the SHA-256 of its decompressed content: what is cached or downloaded
    must have it. A folder that the user names may hold other data of the same form. ``patience`` is in seconds, see
    `graphad.data.mirrors.download`.
    """

    title: str
    checksums: Mapping[str, str]
    cache: Path
    mirrors: tuple[str, ...]
    sample: Path
    sample_note: str
    patience: float = 5.0

    def find(self, folder: str | os.PathLike[str] | None) -> Found:
        """Find the data in ``folder`` or ``$GRAPHAD_DATA``, or else in the cache, on a mirror, or in the sample.

        A folder that lacks the data, and any file that is damaged, is a DataError with the remedy.
        """
        if folder is not None:
            return self._in_folder(Path(folder), str(folder))
        if os.environ.get(VARIABLE):
            return self._in_folder(Path(os.environ[VARIABLE]), f"{os.environ[VARIABLE]} (from ${VARIABLE})")
        return self._in_cache() or self._on_mirrors()

    def _in_folder(self, folder: Path, called: str) -> Found:
        folder = folder.expanduser()
        try:
            candidates = [files.find(place, self.checksums) for place in (folder, folder / self.title.lower())]
        except OSError as error:
            raise DataError(f"the data folder {called} cannot be read: {error.strerror}") from error
        paths = max(candidates, key=len)
        if len(paths) < len(self.checksums):
            raise DataError(self._lack(paths, folder, called))
        with remedied("folder"):
            found = {name: files.read(path) for name, path in paths.items()}
        genuine = all(files.sha256(found[name]) == checksum for name, checksum in self.checksums.items())
        data = f"full {self.title}" if genuine else f"data of {self.title}'s form, but other content,"
        return Found(found, Source("folder", str(folder), f"{data} from {folder}"))

    def _lack(self, paths: Mapping[str, Path], folder: Path, called: str) -> str:
        if not folder.is_dir():
            return f"there is no data folder {called}: name an existing one, or none to have {self.title} downloaded"
        missing = ", ".join(name for name in self.checksums if name not in paths)
        return (
            f"the data folder {called} has no {self.title}: {missing} (or with .gz) is neither in it nor in its folder "
            f"{self.title.lower()}; put the files there, or name no folder to have {self.title} downloaded"
        )

    def _in_cache(self) -> Found | None:
        try:
            paths = files.find(self.cache, self.checksums)
        except PermissionError:  # a home that belongs to someone else holds nothing for us
            return None
        if len(paths) < len(self.checksums):
            return None
        with remedied("cache"):
            found = {name: files.read(path) for name, path in paths.items()}
            for name, checksum in self.checksums.items():
                files.check(found[name], checksum)
        return Found(found, Source("cache", str(self.cache), f"full {self.title} from the cache {self.cache}"))

    def _on_mirrors(self) -> Found:
        try:
            got = mirrors.download(self.checksums, self.mirrors, self.patience)
        except DataError as error:
            LOGGER.warning(
                "%s cannot be downloaded (%s); using the %s (set %s to a folder that holds %s to use that)",
                *(self.title, error, self.sample_note, VARIABLE, self.title),
            )
            return self._in_sample()
        note = f"full {self.title}, downloaded from {got.mirror} to {self._keep(got.files)}"
        return Found(got.files, Source("download", got.mirror, note))

    def _keep(self, found: Mapping[str, files.File]) -> str:
        try:
            for name, file in found.items():
                write_whole(self.cache / name, file.content)
        except OutputFileError as error:
            LOGGER.warning(
                "%s cannot be kept in the cache (%s) and will be downloaded again next time; "
                "set %s to a folder that holds it",
                *(self.title, error, VARIABLE),
            )
            return "memory"
        return f"the cache {self.cache}"

    def _in_sample(self) -> Found:
        with remedied("sample"):
            found = {name: files.read(self.sample / f"{name}.gz") for name in self.checksums}
        return Found(found, Source("sample", str(self.sample), self.sample_note))
