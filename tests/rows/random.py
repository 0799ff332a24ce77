"""Rows of random draws. The oracles: Philox in Python's integers, and numpy's generator, made of key and counter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np

import graphad as ga
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.tensor_type import FLOAT32, FLOAT64
from graphad.ops.random import Integers, Normal, Permutation, Uniform
from tests.rows.sample import FunctionSample, Operand, Sample, each, normal, truth

_KEYS = Operand((2,), lambda generator, size: generator.integers(0, 2**64, size, np.uint64))
_STREAM = range(5, 6)


def philox(key: Any, stream: int) -> Iterator[int]:
    """The 64-bit numbers of a stream: ten rounds of Philox4x64 (Salmon et al., 2011, section 3.3) for each four."""
    seed, call = (int(part) for part in key)
    for number in count(1):  # numpy moves the counter on before it draws
        x, k = [number, 0, 0, call], [seed, stream]
        for _ in range(10):
            low, high = 0xD2E7470EE14C6C93 * x[0], 0xCA5A826395121157 * x[2]
            x = [(high >> 64) ^ x[1] ^ k[0], high % 2**64, (low >> 64) ^ x[3] ^ k[1], low % 2**64]
            k = [(k[0] + 0x9E3779B97F4A7C15) % 2**64, (k[1] + 0xBB67AE8584CAA73B) % 2**64]
        yield from x


def halves(numbers: Iterator[int]) -> Iterator[int]:
    """Each 64-bit number as two of 32, the lower one first."""
    for number in numbers:
        yield number % 2**32
        yield number >> 32


def single(key: Any, stream: int, size: int) -> list[float]:
    """Uniform float32: the upper 24 of 32 bits."""
    return [(bits >> 8) * 2.0**-24 for bits in islice(halves(philox(key, stream)), size)]


def double(key: Any, stream: int, size: int) -> list[float]:
    """Uniform float64: the upper 53 of 64 bits."""
    return [(bits >> 11) * 2.0**-53 for bits in islice(philox(key, stream), size)]


def in_numpy(draw: Callable[[np.random.Generator], Any], stream: int = 5) -> Callable[[Array], Any]:
    """What numpy's generator draws first."""

    def drawn(key: Array) -> Any:
        counter = np.array([0, 0, 0, key[1]], np.uint64)
        bits = np.random.Philox(key=np.array([key[0], stream], np.uint64), counter=counter)
        return draw(np.random.Generator(bits))

    return drawn


def shuffled(generator: np.random.Generator) -> Array:
    """0 to 10, shuffled."""
    numbers = np.arange(11)
    generator.shuffle(numbers)
    return numbers


def _between(x: Node) -> Node:
    return ga.uniform(x.shape, x, x, x.dtype)


def _around(x: Node) -> Node:
    return ga.normal(x.shape, x, 0.0, x.dtype)


def _sometimes(x: Node) -> Node:
    return ga.bernoulli(x.astype("float32"))


OPERATIONS = (
    Sample(
        Uniform((3, 4), _STREAM, FLOAT32), (_KEYS,), lambda key: np.reshape(single(key, 5, 12), (3, 4)), smooth=False
    ),
    Sample(
        Uniform((3, 4), range(9, 3, -2), FLOAT32),
        (_KEYS,),
        lambda key: [single(key, stream, 4) for stream in (9, 7, 5)],
        smooth=False,
    ),
    Sample(Uniform((), _STREAM, FLOAT64), (_KEYS,), lambda key: double(key, 5, 1)[0], smooth=False),
    Sample(
        Uniform((2, 3, 1), range(2, 4), FLOAT64),
        (_KEYS,),
        lambda key: np.reshape(double(key, 2, 3) + double(key, 3, 3), (2, 3, 1)),
        smooth=False,
    ),
    Sample(
        Normal((3, 4), _STREAM, FLOAT32),
        (_KEYS,),
        in_numpy(lambda generator: generator.standard_normal((3, 4), np.float32)),
        smooth=False,
    ),
    Sample(
        Normal((5,), _STREAM, FLOAT64),
        (_KEYS,),
        in_numpy(lambda generator: [generator.standard_normal() for _ in range(5)]),
        smooth=False,
    ),
    Sample(
        Integers((4, 3), _STREAM, -2, 9), (_KEYS,), in_numpy(lambda generator: generator.integers(-2, 9, (4, 3))), False
    ),
    Sample(Permutation((11,), _STREAM), (_KEYS,), in_numpy(shuffled), smooth=False),
)
FUNCTIONS = (
    FunctionSample("uniform", _between, (normal(7, 3),), each(lambda x: x), case="of no width"),
    FunctionSample("normal", _around, (normal(7, 3),), each(lambda x: x), case="of no deviation"),
    FunctionSample("bernoulli", _sometimes, (truth(7, 3),), each(lambda x: x), smooth=False, case="0 or 1"),
)
