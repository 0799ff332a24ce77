"""The operations, one class each, and their builders. Importing this room gives nodes their operators."""

from graphad.ops import (
    arithmetic,
    build,
    contraction,
    control,
    indexing,
    leaves,
    losses,
    reduction,
    selection,
    shaping,
    slicing,
    softmax,
    structure,
    transcendental,
)

__all__ = [
    "arithmetic",
    "build",
    "contraction",
    "control",
    "indexing",
    "leaves",
    "losses",
    "reduction",
    "selection",
    "shaping",
    "slicing",
    "softmax",
    "structure",
    "transcendental",
]
