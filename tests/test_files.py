"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from graphad.errors import OutputFileError
from graphad.files import write_whole

CONTENT = b"0123456789" * 100


def test_storing_makes_folders_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "digits"
    write_whole(path, b"old")
    write_whole(path, CONTENT)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), OutputFileError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_storing_that_fails_or_is_interrupted_keeps_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, raised: type[BaseException]
) -> None:
    path = tmp_path / "digits"
    path.write_bytes(b"old")

    def fail(partial: Path, target: Path) -> None:
        assert partial.read_bytes() == CONTENT
        raise error

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(raised):
        write_whole(path, CONTENT)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
