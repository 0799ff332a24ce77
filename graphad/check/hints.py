"""What a wrong gradient looks like: forgotten, transposed, of the wrong sign, or off by a factor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphad.check.comparison import Comparison
from graphad.ir.op import Array

_ALIKE = 1e-4


def hint(found: Array, compared: Sequence[Comparison]) -> str:
    """A guess at the mistake from one variable's whole gradient and its compared entries; "" if nothing fits."""
    entries = list({one.index: one for one in compared if one.index is not None}.values())
    expected = np.array([one.slope.value for one in entries])
    if not expected.size or not np.isfinite(expected).all() or not np.isfinite(found).all():
        return ""
    if not found.any():
        return f"it is zero everywhere, where differences say up to {np.abs(expected).max():.3g}: was it forgotten?"
    if found.ndim == 2 and found.shape[0] == found.shape[1]:
        across = np.array([found.T[one.index] for one in entries])
        if len(entries) > 1 and _alike(across, expected):
            return "it is the transpose of what it should be"
    return _factor_hint(np.array([found[one.index] for one in entries]), expected)


def _factor_hint(numbers: Array, expected: Array) -> str:
    told = np.abs(expected) > _ALIKE * np.abs(expected).max(initial=0.0)
    if told.sum() < 2:
        return ""
    factor = float(np.median(numbers[told] / expected[told]))
    if not _alike(numbers, factor * expected):
        return ""
    return "its sign is turned" if abs(factor + 1) < _ALIKE else f"every entry is {factor:.6g} times what it should be"


def _alike(first: Array, second: Array) -> bool:
    return bool(np.abs(first - second).max() <= _ALIKE * np.abs(second).max())
