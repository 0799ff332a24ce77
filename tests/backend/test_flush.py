import ctypes
import threading

import numpy as np
import pytest

import graphad as ga
from graphad.backend import flush
from graphad.backend.flush import can_flush, subnormals_flushed
from graphad.errors import IndexRangeError

BEFORE = bytes(range(64))
SUBNORMAL = np.array([1e-40, 1.0], np.float32)

pytestmark = pytest.mark.skipif(not can_flush(), reason="the switch of this platform is not known")


def flushes() -> bool:
    """Whether this thread treats a subnormal number as zero, as operand and as result."""
    product, half = SUBNORMAL * np.float32(1.0), np.full(2, 2e-38, np.float32) * np.float32(0.25)
    assert (product[0] == 0.0) == (half[0] == 0.0)
    return bool(product[0] == 0.0)


def test_subnormals_are_zero_inside_the_block_and_numbers_outside() -> None:
    assert not flushes()
    with subnormals_flushed():
        assert flushes()
        with subnormals_flushed():
            assert flushes()
        assert flushes()
    assert not flushes()


def test_normal_numbers_are_what_they_are_in_the_block() -> None:
    numbers = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    outside = np.exp(numbers) * numbers
    with subnormals_flushed():
        np.testing.assert_array_equal(np.exp(numbers) * numbers, outside)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_switch_is_put_back_after_an_error(error: type[BaseException]) -> None:
    with pytest.raises(error), subnormals_flushed():
        raise error
    assert not flushes()


def test_other_threads_keep_theirs() -> None:
    inside, found = threading.Event(), list[bool]()

    def look() -> None:
        inside.wait()
        found.append(flushes())

    thread = threading.Thread(target=look)
    thread.start()
    with subnormals_flushed():
        inside.set()
        thread.join()
    assert found == [False]


def test_a_call_flushes_and_puts_back_even_if_it_fails() -> None:
    x, i = ga.input("x", shape=(2,)), ga.input("i", shape=(1,), dtype="int64")
    step = ga.compile([x, i], [x * x, x * 1.5, ga.one_hot(i, 3)])
    square, scaled, _ = step(np.array([1e-20, 1.0]), [2])
    assert square[0] == 0.0
    assert step(SUBNORMAL, [1])[1][0] == 0.0
    assert scaled[0] == np.float32(1.5e-20)
    assert not flushes()
    with pytest.raises(IndexRangeError):
        step(SUBNORMAL, [3])
    assert not flushes()


def test_an_interrupt_right_after_the_switch_does_not_leave_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        environment = BEFORE

        def fegetenv(self, into: ctypes.Array[ctypes.c_uint8]) -> None:
            ctypes.memmove(into, self.environment, 64)

        def fesetenv(self, environment: ctypes.Array[ctypes.c_uint8]) -> None:
            self.environment = bytes(environment)
            if self.environment != BEFORE:
                raise KeyboardInterrupt

    library = Library()
    assert flush._LOADED is not None
    monkeypatch.setattr(flush, "_LOADED", (library, flush._LOADED[1]))
    with pytest.raises(KeyboardInterrupt), subnormals_flushed():
        pass
    assert library.environment == BEFORE
