import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from graphad.data import Search
from graphad.data.sources import Found
from graphad.errors import DataError
from tests.data.doubles import Mirror, Serve, Tiny


def contents(found: Found) -> dict[str, bytes]:
    return {name: file.content for name, file in found.files.items()}


@pytest.mark.parametrize("subfolder", ["", "mnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_named_folder_or_its_subfolder_is_read_first(
    search: Search, tiny: Tiny, tmp_path: Path, subfolder: str, packed: bool
) -> None:
    tiny.write(tmp_path / "named" / subfolder, packed=packed)
    found = search.find(tmp_path / "named")
    assert contents(found) == tiny.contents
    assert found.source.kind == "folder"
    assert found.source.where == str(tmp_path / "named")
    assert found.source.note == f"full MNIST from {tmp_path / 'named'}"


def test_the_environment_names_a_folder_and_the_argument_outranks_it(
    search: Search, tiny: Tiny, other: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHAD_DATA", str(tiny.write(tmp_path / "environment")))
    assert search.find(None).source.where == str(tmp_path / "environment")
    assert contents(search.find(str(other.write(tmp_path / "argument")))) == other.contents


def test_an_empty_variable_names_no_folder(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHAD_DATA", "")
    assert search.find(None).source.kind == "sample"


def test_a_tilde_stands_for_the_home_folder(
    search: Search, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tiny.write(tmp_path / "digits")
    assert search.find("~/digits").source.where == str(tmp_path / "digits")


def test_other_data_in_a_named_folder_is_let_in_and_said_to_be_other(
    search: Search, other: Tiny, tmp_path: Path
) -> None:
    folder = other.write(tmp_path / "fashion")
    assert search.find(folder).source.note == f"data of MNIST's form, but other content, from {folder}"


def test_a_named_folder_without_the_data_is_an_error_and_no_fallback(
    search: Search, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.write(tmp_path / "partial")
    present, *missing = tiny.archives
    for name in missing:
        (folder / name).unlink()
    monkeypatch.setenv("GRAPHAD_DATA", str(folder))
    with pytest.raises(DataError) as raised:
        search.find(None)
    message = str(raised.value)
    assert f"{folder} (from $GRAPHAD_DATA) has no MNIST: " in message
    assert all(name.removesuffix(".gz") in message for name in missing)
    assert present.removesuffix(".gz") not in message
    assert "put the files there" in message


def test_a_named_folder_that_does_not_exist_is_an_error_that_says_so(search: Search, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^there is no data folder {tmp_path}/typo: name an existing one, or none"):
        search.find(tmp_path / "typo")


def test_a_damaged_file_in_a_named_folder_is_an_error_with_the_remedy(
    search: Search, tiny: Tiny, tmp_path: Path
) -> None:
    name = list(tiny.archives)[2]
    path = tiny.write(tmp_path / "named") / name
    path.write_bytes(tiny.archives[name][:-9])
    with pytest.raises(DataError, match=f"^{path} is a damaged gzip archive .*; replace it with an intact copy$"):
        search.find(tmp_path / "named")


def test_a_filled_cache_is_read_without_asking_a_mirror(search: Search, tiny: Tiny, serve: Serve) -> None:
    tiny.write(search.cache, packed=False)
    mirror = serve(Mirror(tiny.archives))
    found = replace(search, mirrors=(mirror.url,)).find(None)
    assert contents(found) == tiny.contents
    assert found.source.kind == "cache"
    assert found.source.note == f"full MNIST from the cache {search.cache}"
    assert mirror.requests == []


def test_other_content_in_the_cache_is_an_error_with_the_remedy(search: Search, other: Tiny) -> None:
    other.write(search.cache)
    with pytest.raises(DataError, match=f"^{search.cache}/.*SHA-256.*; delete it, and it will be downloaded again$"):
        search.find(None)


def test_a_cache_that_lacks_a_file_is_filled_from_a_mirror_and_read_the_next_time(
    search: Search, tiny: Tiny, serve: Serve
) -> None:
    tiny.write(search.cache, packed=False)
    (search.cache / next(iter(tiny.contents))).unlink()
    mirror = serve(Mirror(tiny.archives))
    downloaded = replace(search, mirrors=(mirror.url,)).find(None)
    assert contents(downloaded) == tiny.contents
    assert downloaded.source.kind == "download"
    assert downloaded.source.where == mirror.url
    assert downloaded.source.note == f"full MNIST, downloaded from {mirror.url} to the cache {search.cache}"
    assert contents(search.find(None)) == tiny.contents
    assert search.find(None).source.kind == "cache"
    assert sorted(path.name for path in search.cache.iterdir()) == sorted(tiny.contents)


def test_a_cache_that_cannot_be_written_costs_one_line_and_not_the_data(
    search: Search, tiny: Tiny, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    search.cache.parent.write_text("a file where the cache's folder should be")
    found = replace(search, mirrors=(serve(Mirror(tiny.archives)).url,)).find(None)
    assert contents(found) == tiny.contents
    assert found.source.note.endswith("to memory")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"cannot be kept in the cache ({search.cache}" in record.getMessage()
    assert "Not a directory" in record.getMessage()
    assert "GRAPHAD_DATA" in record.getMessage()


def deny(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make looking into a folder fail as it does for a user without the right (the superuser has it always)."""
    is_file = Path.is_file

    def denied(path: Path) -> bool:
        if path.is_relative_to(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", denied)


def test_a_cache_that_must_not_be_looked_into_counts_as_empty(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(search.cache, monkeypatch)
    assert search.find(None).source.kind == "sample"


def test_a_named_folder_that_must_not_be_looked_into_is_an_error(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(tmp_path / "named", monkeypatch)
    with pytest.raises(DataError, match=f"^the data folder {tmp_path}/named cannot be read: Permission denied$"):
        search.find(tmp_path / "named")


def test_an_installation_without_its_sample_is_an_error_with_the_remedy(search: Search, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read: No such file or directory; reinstall graphad$"):
        replace(search, sample=tmp_path / "nothing").find(None)


def test_without_a_mirror_the_sample_is_used_and_one_line_says_why(
    search: Search, tiny: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    found = search.find(None)
    assert contents(found) == tiny.contents
    assert (found.source.kind, found.source.where) == ("sample", str(search.sample))
    assert found.source.note == search.sample_note
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("MNIST cannot be downloaded (no mirror answered); using the sample of 12 ")
    assert not search.cache.exists()


def test_mirrors_that_serve_damage_lead_to_the_sample_and_leave_no_trace_in_the_cache(
    search: Search, other: Tiny, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    found = replace(search, mirrors=(serve(Mirror(other.archives)).url,)).find(None)
    assert found.source.kind == "sample"
    assert "SHA-256" in caplog.text
    assert not search.cache.exists()


PROGRAM = """
from dataclasses import replace
from pathlib import Path
from graphad.data import default_search, load_mnist
print(load_mnist(search=replace(default_search(), cache=Path(), mirrors=())).source.kind)
"""


def test_a_program_that_sets_up_no_logging_tells_of_the_sample_in_one_line_on_stderr(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "sample\n"
    (line,) = done.stderr.splitlines()
    assert "5,000" in line
    assert "92 %" in line
