"""What the tests of data sets share; none of them sees the user's cache, environment or network."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from graphad.data import Search
from tests.data.doubles import PATIENCE, Mirror, Serve, Tiny, make_tiny, serving


@pytest.fixture
def tiny() -> Tiny:
    return make_tiny(seed=1)


@pytest.fixture
def other() -> Tiny:
    """Data of the same form and other content, as Fashion-MNIST is to MNIST."""
    return make_tiny(seed=2)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(mirror: Mirror) -> Mirror:
            stack.enter_context(serving(mirror))
            return mirror

        yield start


@pytest.fixture
def dead_mirror() -> str:
    """An address at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


@pytest.fixture
def search(tiny: Tiny, tmp_path: Path) -> Search:
    """Places with an empty cache, no mirrors, and the tiny data as the sample."""
    return Search(
        title="MNIST",
        checksums=tiny.checksums,
        cache=tmp_path / "cache" / "mnist",
        mirrors=(),
        sample=tiny.write(tmp_path / "sample"),
        sample_note="sample of 12 digits",
        patience=PATIENCE,
    )


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRAPHAD_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "caches" / project)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
