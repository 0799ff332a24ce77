"""Stand-ins for MNIST and its mirrors: a tiny data set of the same form, and servers on the loopback interface."""

import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeAlias

import numpy as np

from graphad.data import idx
from graphad.data.mnist import SIDE, TEST, TRAIN, Bytes

PATIENCE = 1.0  # seconds; ample for the loopback interface of a busy machine


@dataclass
class Tiny:
    """Four files of MNIST's names and form, with fewer images."""

    arrays: dict[str, Bytes]
    contents: dict[str, bytes] = field(init=False)
    checksums: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.contents = {name: idx.encode(array) for name, array in self.arrays.items()}
        self.checksums = {name: hashlib.sha256(content).hexdigest() for name, content in self.contents.items()}

    @property
    def archives(self) -> dict[str, bytes]:
        return {f"{name}.gz": gzip.compress(content) for name, content in self.contents.items()}

    def write(self, folder: Path, *, packed: bool = True) -> Path:
        folder.mkdir(parents=True)
        for name, content in (self.archives if packed else self.contents).items():
            (folder / name).write_bytes(content)
        return folder


def make_tiny(seed: int) -> Tiny:
    """Seven images to train and five to test."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Bytes] = {}
    for (images, labels), count in ((TRAIN, 7), (TEST, 5)):
        arrays[images] = random.integers(0, 256, (count, SIDE, SIDE), np.uint8)
        arrays[labels] = random.integers(0, 10, count, np.uint8)
    return Tiny(arrays)


@dataclass
class Mirror:
    """A server of files that lists its requests; it answers late, and to the methods in ``hangs`` never."""

    files: Mapping[str, bytes]
    hangs: tuple[str, ...] = ()
    late: float = 0.0  # seconds
    requests: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""


Serve: TypeAlias = Callable[[Mirror], Mirror]


def handler_of(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.wfile.write(self.answer())

        def answer(self) -> bytes:
            mirror.requests.append(f"{self.command} {self.path}")
            time.sleep(mirror.late)
            if self.command in mirror.hangs:
                mirror.released.wait()
            body = mirror.files.get(self.path.lstrip("/"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            return body or b""

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that has lost patience hangs up


@contextmanager
def serving(mirror: Mirror) -> Iterator[None]:
    with Server(("127.0.0.1", 0), handler_of(mirror)) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        mirror.released.set()
        server.shutdown()
        thread.join()
