import gzip
import hashlib
from pathlib import Path

import pytest

from graphad.data import files
from graphad.errors import DataError

CONTENT = bytes(range(251)) * 5


def test_files_are_found_with_and_without_the_suffix_and_plain_ones_first(tmp_path: Path) -> None:
    for name in ("a", "b.gz", "c", "c.gz", "d.zip"):
        (tmp_path / name).touch()
    assert files.find(tmp_path, ["a", "b", "c", "d"]) == {name[0]: tmp_path / name for name in ("a", "b.gz", "c")}


def test_a_folder_bearing_a_files_name_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert files.find(tmp_path, ["a"]) == {}


@pytest.mark.parametrize("name", ["digits", "digits.gz"])
@pytest.mark.parametrize("packed", [True, False])
def test_the_bytes_and_not_the_name_decide_whether_a_file_is_decompressed(
    tmp_path: Path, name: str, packed: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    assert files.read(path) == files.File(CONTENT, str(path))


@pytest.mark.parametrize(
    "damaged",
    [
        gzip.compress(CONTENT)[:-9],
        gzip.compress(CONTENT)[:5],
        gzip.compress(CONTENT)[:-8] + bytes(8),
        gzip.compress(CONTENT)[:10] + bytes([255] * 20),
        b"\x1f\x8b",
        b"\x1f\x8bno archive at all",
    ],
    ids=["truncated", "truncated header", "wrong check sum", "no deflate stream", "magic alone", "magic by chance"],
)
def test_a_damaged_archive_is_a_data_error_that_names_it(damaged: bytes) -> None:
    with pytest.raises(DataError, match=r"^place is a damaged gzip archive \(.+\)$"):
        files.unpack(damaged, "place")


def test_a_file_that_cannot_be_read_is_a_data_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing cannot be read: No such file"):
        files.read(tmp_path / "nothing")


def test_the_checksum_is_of_the_decompressed_content() -> None:
    checksum = hashlib.sha256(CONTENT).hexdigest()
    files.check(files.unpack(gzip.compress(CONTENT), "place"), checksum)
    with pytest.raises(DataError, match=f"^place is damaged: .* not {checksum}$"):
        files.check(files.File(CONTENT + b"\n", "place"), checksum)
