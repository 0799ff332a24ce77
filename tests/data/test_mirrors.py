import socket
import threading
import time
from typing import Any

import pytest

from graphad.data import mirrors
from graphad.errors import DataError
from tests.data.doubles import PATIENCE, Mirror, Serve, Tiny


def contents(download: mirrors.Download) -> dict[str, bytes]:
    return {name: file.content for name, file in download.files.items()}


def test_files_come_decompressed_from_a_mirror_that_has_them(tiny: Tiny, serve: Serve) -> None:
    good = serve(Mirror(tiny.archives))
    download = mirrors.download(tiny.checksums, [good.url], PATIENCE)
    assert contents(download) == tiny.contents
    assert download.mirror == good.url


def test_each_file_is_asked_for_once(tiny: Tiny, serve: Serve) -> None:
    good = serve(Mirror(tiny.archives))
    mirrors.download(tiny.checksums, [good.url], PATIENCE)
    assert sorted(r for r in good.requests if r.startswith("GET")) == sorted(f"GET /{name}" for name in tiny.archives)


def test_mirrors_that_are_dead_silent_or_empty_are_passed_over(tiny: Tiny, serve: Serve, dead_mirror: str) -> None:
    silent, empty = serve(Mirror(tiny.archives, hangs=("HEAD", "GET"))), serve(Mirror({}))
    good = serve(Mirror(tiny.archives))
    download = mirrors.download(tiny.checksums, [dead_mirror, silent.url, empty.url, good.url], PATIENCE)
    assert download.mirror == good.url
    assert empty.requests[1:] == []
    assert silent.requests[1:] == []


def test_a_mirror_that_falls_silent_during_the_transfer_is_passed_over(tiny: Tiny, serve: Serve) -> None:
    stuck, good = serve(Mirror(tiny.archives, hangs=("GET",))), serve(Mirror(tiny.archives, late=0.1))
    started = time.monotonic()
    assert contents(mirrors.download(tiny.checksums, [stuck.url, good.url], PATIENCE)) == tiny.contents
    assert stuck.requests[1].startswith("GET")
    assert PATIENCE <= time.monotonic() - started < 4 * PATIENCE


@pytest.mark.parametrize("damage", ["content", "archive", "missing"])
def test_a_file_that_one_mirror_serves_damaged_comes_from_another(
    tiny: Tiny, other: Tiny, serve: Serve, damage: str
) -> None:
    first, name, *_ = tiny.archives
    bad = serve(Mirror(dict(tiny.archives)))
    replacement = {"content": other.archives[name], "archive": tiny.archives[name][:-9]}
    if damage == "missing":
        bad.files = {key: value for key, value in bad.files.items() if key != name}
    else:
        bad.files = {**bad.files, name: replacement[damage]}
    good = serve(Mirror(tiny.archives, late=0.1))
    assert contents(mirrors.download(tiny.checksums, [bad.url, good.url], PATIENCE)) == tiny.contents
    assert f"GET /{name}" in bad.requests
    assert f"GET /{first}" not in good.requests


def test_when_every_mirror_is_damaged_the_error_names_the_file_and_the_fault(
    tiny: Tiny, other: Tiny, serve: Serve
) -> None:
    bad = serve(Mirror(other.archives))
    name = next(iter(tiny.checksums))
    with pytest.raises(DataError, match=f"^no mirror served it whole: {bad.url}{name}.gz is damaged: .* SHA-256"):
        mirrors.download(tiny.checksums, [bad.url], PATIENCE)


def test_without_a_network_all_mirrors_together_cost_no_more_than_the_patience_with_one(
    tiny: Tiny, serve: Serve, dead_mirror: str
) -> None:
    patience = 0.3
    silent = [serve(Mirror({}, hangs=("HEAD",))).url for _ in range(10)]
    started = time.monotonic()
    with pytest.raises(DataError, match=r"^no mirror answered$"):
        mirrors.download(tiny.checksums, [dead_mirror, *silent], patience)
    assert patience <= time.monotonic() - started < 5 * patience


def test_a_name_server_that_never_answers_costs_no_more_than_the_patience(
    tiny: Tiny, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, released, resolve = serve(Mirror({}, late=0.8 * PATIENCE)), threading.Event(), socket.getaddrinfo

    def never(host: str, *details: Any, **more: Any) -> Any:
        if host == "nowhere.invalid":
            released.wait()
        return resolve("127.0.0.1", *details, **more)

    monkeypatch.setattr(socket, "getaddrinfo", never)
    started = time.monotonic()
    with pytest.raises(DataError, match=r"^no mirror answered$"):
        mirrors.download(tiny.checksums, [empty.url, "http://nowhere.invalid:9/"], PATIENCE)
    assert time.monotonic() - started < 1.5 * PATIENCE
    released.set()


def test_when_all_mirrors_are_dead_nobody_waits(tiny: Tiny, dead_mirror: str) -> None:
    started = time.monotonic()
    with pytest.raises(DataError, match=r"^no mirror answered$"):
        mirrors.download(tiny.checksums, [dead_mirror], patience=60)
    assert time.monotonic() - started < 5


def test_no_progress_bar_is_drawn_where_there_is_no_terminal(
    tiny: Tiny, serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    mirrors.download(tiny.checksums, [serve(Mirror(tiny.archives)).url], PATIENCE)
    assert capfd.readouterr() == ("", "")


def test_a_progress_bar_for_each_file_is_drawn_on_a_terminal(
    tiny: Tiny, serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    mirrors.download(tiny.checksums, [serve(Mirror(tiny.archives)).url], PATIENCE)
    out, err = capsys.readouterr()
    assert out == ""
    for name in tiny.archives:
        assert f"{name}: 100%" in err
