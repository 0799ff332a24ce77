import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphad.data import idx
from graphad.data.mnist import Bytes
from graphad.errors import DataError

CUBE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_the_header_is_magic_then_big_endian_sizes() -> None:
    assert idx.encode(CUBE)[:16].hex(" ", -4) == "00000803 00000002 00000003 00000004"


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4)))
def test_decoding_undoes_encoding(array: Bytes) -> None:
    decoded = idx.decode(idx.encode(array), array.ndim, "file")
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, array)


def test_encoding_follows_the_indices_of_an_array_that_is_not_contiguous() -> None:
    np.testing.assert_array_equal(idx.decode(idx.encode(CUBE.T), 3, "file"), CUBE.T)


def test_a_decoded_array_may_be_written_to_and_leaves_the_content_as_it_was() -> None:
    content = idx.encode(CUBE)
    idx.decode(content, 3, "file")[:] = 0
    assert content == idx.encode(CUBE)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "file is no IDX file of 3-dimensional bytes: it begins with '' where '00 00 08 03' is due"),
        (
            b"<html>",
            "file is no IDX file of 3-dimensional bytes: it begins with '3c 68 74 6d' where '00 00 08 03' is due",
        ),
        (idx.encode(CUBE[0]), "begins with '00 00 08 02' where '00 00 08 03'"),
        (idx.encode(CUBE)[:9], "file is cut short: it ends within its header"),
        (idx.encode(CUBE)[:-1], "file is cut short: its header announces 2 x 3 x 4 = 24 bytes, and 23 follow"),
        (idx.encode(CUBE) + b"\n", "file is too long: its header announces 2 x 3 x 4 = 24 bytes, and 25 follow"),
        (idx.encode(CUBE[:0]), "file is empty: its header announces 0 x 3 x 4 = 0 bytes"),
    ],
)
def test_a_damaged_file_is_a_data_error_that_says_how(content: bytes, fault: str) -> None:
    with pytest.raises(DataError) as raised:
        idx.decode(content, 3, "file")
    assert fault in str(raised.value)


@given(st.binary(max_size=16).map(lambda tail: b"\0\0\x08\x03" + tail) | st.binary())
def test_no_content_whatever_raises_anything_but_a_data_error(content: bytes) -> None:
    try:
        array = idx.decode(content, 3, "file")
    except DataError:
        return
    assert idx.encode(array) == content


def test_a_header_of_huge_sizes_allocates_nothing() -> None:
    with pytest.raises(DataError, match="cut short"):
        idx.decode(b"\0\0\x08\x03" + b"\xff" * 12, 3, "file")
