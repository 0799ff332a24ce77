"""MNIST: 70,000 images of handwritten digits, 28 pixels high and wide, for reading and for trying nets on.

Any four files of this form will do in a folder that the user names (Fashion-MNIST's, say), so every array is checked
for what the rest of graphad relies on: the shape of the images, a label for each, and no label beyond 9.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86 (11), 1998.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pooch
from numpy.typing import NDArray

from graphad.data import idx
from graphad.data.files import File
from graphad.data.sources import Search, Source, remedied
from graphad.errors import DataError

Bytes: TypeAlias = NDArray[np.uint8]

SIDE = 28  # pixels
CLASSES = 10

TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
CHECKSUMS: Mapping[str, str] = MappingProxyType(
    {
        TRAIN[0]: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        TRAIN[1]: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        TEST[0]: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        TEST[1]: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
)
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
    "https://yann.lecun.com/exdb/mnist/",  # the first address, though its server turns many away
)
SAMPLE = Path(__file__).parent / "sample"
# Measured with a 784-128-10 net (ReLU, Adam, batches of 128): 91 to 92 % after 5 epochs, 93 % after 20.
SAMPLE_NOTE = (
    "sample of 5,000 MNIST digits bundled with graphad: "
    "expect a test accuracy of about 92 %, where full MNIST gives 98 %"
)


@dataclass(frozen=True, slots=True, eq=False)
class Mnist:
    """MNIST and where it came from: images are uint8 (N, 28, 28), 0 is paper and 255 ink; labels uint8 (N,), 0 to 9."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    source: Source


def mnist(folder: str | os.PathLike[str] | None = None) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """MNIST as ``(images, labels), (test_images, test_labels)``; see `load_mnist`, which also tells the source.

    >>> (x, y), (xt, yt) = mnist(SAMPLE)
    >>> x.shape, y.shape, xt.shape, yt.shape, x.dtype, y.dtype
    ((4000, 28, 28), (4000,), (1000, 28, 28), (1000,), dtype('uint8'), dtype('uint8'))
    """
    data = load_mnist(folder)
    return (data.train_images, data.train_labels), (data.test_images, data.test_labels)


def load_mnist(folder: str | os.PathLike[str] | None = None, search: Search | None = None) -> Mnist:
    """Load MNIST from the first of these that has it: ``folder``, ``$GRAPHAD_DATA``, the cache, a mirror, the sample.

    A named folder, or its folder ``mnist``, must hold the four files under their usual names, with or without ``.gz``;
    they may be another data set of the same form. What is downloaded is checked and kept in the cache. Where no mirror
    can be reached the bundled sample is used, and one line on stderr says so.

    The arrays are new and may be written to. A folder without the files, and a file that is damaged or holds something
    else, is a DataError that names it. ``search`` describes places other than the default ones, such as
    ``dataclasses.replace(default_search(), mirrors=(...,))``.

    >>> data = load_mnist(SAMPLE)
    >>> np.bincount(data.test_labels).tolist()
    [100, 100, 100, 100, 100, 100, 100, 100, 100, 100]
    >>> data.source.kind
    'folder'
    """
    found = (search or default_search()).find(folder)
    with remedied(found.source.kind):
        return Mnist(*_pair(found.files, *TRAIN), *_pair(found.files, *TEST), found.source)


def default_search() -> Search:
    """The four files of MNIST, the user's cache, the public mirrors and the bundled sample.

    >>> default_search().cache.parts[-2:], default_search().patience
    (('graphad', 'mnist'), 5.0)
    """
    return Search(
        title="MNIST",
        checksums=CHECKSUMS,
        cache=pooch.os_cache("graphad") / "mnist",
        mirrors=MIRRORS,
        sample=SAMPLE,
        sample_note=SAMPLE_NOTE,
    )


def _pair(files: Mapping[str, File], images: str, labels: str) -> tuple[Bytes, Bytes]:
    image_file, label_file = files[images], files[labels]
    x = idx.decode(image_file.content, 3, image_file.where)
    y = idx.decode(label_file.content, 1, label_file.where)
    if x.shape[1:] != (SIDE, SIDE):
        height, width = x.shape[1:]
        raise DataError(f"{image_file.where} holds images of {height} x {width} pixels, not {SIDE} x {SIDE}")
    if len(x) != len(y):
        raise DataError(f"{label_file.where} holds {len(y):,} labels for the {len(x):,} images of {image_file.where}")
    if y.max() >= CLASSES:
        raise DataError(f"{label_file.where} holds the label {y.max()}, but labels are 0 to {CLASSES - 1}")
    return x, y
