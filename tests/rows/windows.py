"""Rows of sliding windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphad.ops.windows import FoldWindows, Windows
from tests.rows.sample import Sample, normal


def _windows(x: Any) -> Any:
    """Windows of 3 x 2, 2 x 1 apart, their elements 1 x 2 apart, along axes 1 and 2."""
    result = np.empty((*x[:, :2, :3].shape, 3, 2))
    for i, j in np.ndindex(2, 3):
        for k, m in np.ndindex(3, 2):
            result[:, i, j, :, k, m] = x[:, 2 * i + k, j + 2 * m]
    return result


def _folded(windows: Any) -> Any:
    """Windows of 3 that are 2 apart, their elements 3 apart, in an axis of 9."""
    result = np.zeros((len(windows), 9, 5))
    for i, k in np.ndindex(2, 3):
        result[:, 2 * i + 3 * k] += windows[:, i, :, k]
    return result


OPERATIONS = (
    Sample(Windows((1, 2), (3, 2), (2, 1), (1, 2)), (normal(7, 6, 5, 4),), _windows),
    Sample(FoldWindows((7, 9, 5), (1,), (2,), (3,)), (normal(7, 2, 5, 3),), _folded),
)
