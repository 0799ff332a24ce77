"""Whether two trainers do the same: their losses, and their weights after one step from the same start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.benchmark.settings import Array, Weights

TOLERANCE = 1e-3  # of a gradient's greatest entry
_LOSS_TOLERANCE = 1e-4  # relative
_ROUNDING = 2 * float(np.finfo(np.float32).eps)  # of a weight, in the update


@dataclass(frozen=True)
class Agreement:
    """The greatest difference of an update, as a fraction of its greatest entry; and what is wrong, if something is."""

    worst: float
    complaint: str = ""


def compare(start: Weights, ours: Weights, theirs: Weights, our_loss: float, their_loss: float) -> Agreement:
    """Compare the updates (weights less those at the start) weight by weight, and the losses."""
    if not np.isclose(our_loss, their_loss, rtol=_LOSS_TOLERANCE, atol=0):
        return Agreement(np.inf, f"disagrees: its loss is {their_loss:.7g}, ours {our_loss:.7g}")
    if ours.keys() != theirs.keys():
        return Agreement(np.inf, f"disagrees: its weights are {sorted(theirs)}, ours {sorted(ours)}")
    worst, complaint = 0.0, ""
    for name, before in start.items():
        fraction, allowed = _difference(before, ours[name], theirs[name])
        worst = max(worst, fraction)
        if not fraction <= allowed:  # NaN is not
            complaint = complaint or f"disagrees: the update of {name} differs by {fraction:.1%} of its greatest entry"
    return Agreement(worst, complaint)


def _difference(before: Array, ours: Array, theirs: Array) -> tuple[float, float]:
    """The greatest difference and what is allowed, both as fractions of our update's greatest entry."""
    if ours.shape != theirs.shape:
        return np.inf, 0.0
    update = np.abs(ours - before).max() or np.finfo(np.float32).tiny
    return float(np.abs(theirs - ours).max() / update), TOLERANCE + _ROUNDING * float(np.abs(before).max() / update)
