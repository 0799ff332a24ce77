"""The peer: autograd, which differentiates programs in numpy by itself.

It shares no line with graphad, so the two agree by accident only. Where it is not installed, whatever imports this
module is skipped, and says why.
"""

from __future__ import annotations

from typing import Any

import pytest

_MISSING = "the derivatives have no peer to agree with: pip install autograd scipy"

autograd: Any = pytest.importorskip("autograd", reason=_MISSING)
np: Any = pytest.importorskip("autograd.numpy", reason=_MISSING)
special: Any = pytest.importorskip("autograd.scipy.special", reason=_MISSING)
