"""The order in which graphs are rewritten: one tuple, all there is.

Dead code needs no pass: a graph is what its outputs depend on.
"""

from __future__ import annotations

from graphad.rewrite.algebra import SIMPLIFY
from graphad.rewrite.constants import FOLD_CONSTANTS
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.driver import Pass

PIPELINE: tuple[Pass, ...] = (FOLD_CONSTANTS, SIMPLIFY, MERGE_EQUAL)
