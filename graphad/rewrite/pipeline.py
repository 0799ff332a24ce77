"""The order in which graphs are rewritten: one tuple, all there is.

Time is folded first, when all copies of a cell are still alike, so that the other passes see a cell once and not T
times. Quotients cancel as they were declared, and again where a stable form brought their divisor to light. Dead code
needs no pass: a graph is what its outputs depend on.
"""

from __future__ import annotations

from graphad.rewrite.algebra import SIMPLIFY
from graphad.rewrite.constants import FOLD_CONSTANTS
from graphad.rewrite.cse import MERGE_EQUAL
from graphad.rewrite.distribute import DISTRIBUTE
from graphad.rewrite.driver import Pass
from graphad.rewrite.ends import ENDS_OF_STACKS
from graphad.rewrite.hoist import SUM_BEFORE_LOOPS
from graphad.rewrite.joins import JOIN_FIRST
from graphad.rewrite.opposites import OPPOSITES
from graphad.rewrite.places import PLACES_IN_ROWS
from graphad.rewrite.products import MERGE_PRODUCTS, ROWS_BY_PRODUCTS
from graphad.rewrite.quotients import CANCEL
from graphad.rewrite.rows import SLICE_FIRST
from graphad.rewrite.stability import STABILISE
from graphad.rewrite.stacks import STACKS_OF_STEPS
from graphad.rewrite.wide import WIDE_PRODUCTS

PIPELINE: tuple[Pass, ...] = (
    MERGE_EQUAL,
    ENDS_OF_STACKS,
    DISTRIBUTE,
    STACKS_OF_STEPS,
    CANCEL,
    STABILISE,
    OPPOSITES,
    CANCEL,
    MERGE_PRODUCTS,
    SLICE_FIRST,
    SUM_BEFORE_LOOPS,
    WIDE_PRODUCTS,
    JOIN_FIRST,
    PLACES_IN_ROWS,
    FOLD_CONSTANTS,
    ROWS_BY_PRODUCTS,
    SIMPLIFY,
    MERGE_EQUAL,
)
