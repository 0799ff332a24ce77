"""Flushing subnormal numbers to zero while a program runs.

A cotangent that decays through many steps becomes subnormal and stays so, and processors take a hundred times longer
for products of such numbers. The switch is a bit of the thread's floating-point environment, set through the C
library.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class _Switch:
    """Where the bits lie in glibc's ``fenv_t``: the number of the word of 32 bits, and the bits to set in it."""

    word: int
    bits: int


# x86-64: MXCSR, flush-to-zero 0x8000 and denormals-are-zero 0x0040. aarch64: FPCR, bit 24.
_SWITCHES = {
    ("linux", "x86_64"): _Switch(7, 0x8040),
    ("linux", "aarch64"): _Switch(0, 1 << 24),
}
_Environment = ctypes.c_uint32 * 16  # no fenv_t is longer


def _load() -> tuple[ctypes.CDLL, _Switch] | None:
    switch = _SWITCHES.get((sys.platform, platform.machine()))
    name = ctypes.util.find_library("m")
    return (ctypes.CDLL(name), switch) if switch and name else None


_LOADED = _load()


def can_flush() -> bool:
    """Whether this platform's switch is known."""
    return _LOADED is not None


@contextmanager
def subnormals_flushed() -> Iterator[None]:
    """Inside the block, this thread treats subnormal numbers as zero; afterwards it does what it did before."""
    if _LOADED is None:
        yield
        return
    library, switch = _LOADED
    environment = _Environment()
    library.fegetenv(environment)
    before = environment[switch.word]
    environment[switch.word] = before | switch.bits
    try:  # before the switch, lest an interrupt leave it on
        library.fesetenv(environment)
        yield
    finally:
        environment[switch.word] = before
        library.fesetenv(environment)
