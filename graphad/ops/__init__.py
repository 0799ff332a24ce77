"""The operations, one class each, and their builders. Importing this room gives nodes their operators."""

from graphad.ops import (
    arithmetic,
    build,
    composite,
    contraction,
    control,
    indexing,
    leaves,
    reduction,
    selection,
    slicing,
    structure,
    transcendental,
)

__all__ = [
    "arithmetic",
    "build",
    "composite",
    "contraction",
    "control",
    "indexing",
    "leaves",
    "reduction",
    "selection",
    "slicing",
    "structure",
    "transcendental",
]
