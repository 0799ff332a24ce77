"""Prints how many operations there are, and how many rows and gradient checks prove them.

    tools/environment test python tools/operations.py

An operation is counted once, whatever its aliases: a class of operations, or a public function that is built from
several. A gradient check is one number that tests/ops/test_rows.py compares with a central difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the table, which is the tests'

import graphad as ga
from graphad.ir.operators import builders
from tests.rows.sample import Row
from tests.samples import FUNCTIONS, ROWS, SAMPLES


def checks(row: Row) -> int:
    """The numbers that are compared: of the gradient, the tangent, and the gradients of both."""
    arrays = row.arrays()
    operands, result = sum(array.size for array in arrays if array.dtype.kind == "f"), row.run(*arrays).size
    return operands + result + (operands + result) + 2 * operands


def main() -> None:
    """Count, and print."""
    classes = {sample.op.name for sample in SAMPLES}
    functions = {id(build): name for name, build in builders().items() if getattr(ga, name, None) is build}
    composed = {name for name in functions.values() if name not in classes}
    smooth = [row for row in ROWS if row.smooth]
    print(f"{len(classes)} classes of operations and {len(composed)} public functions built from them:")
    print(
        f"{len(classes) + len(composed)} operations, {len(SAMPLES) + len(FUNCTIONS)} rows, {len(smooth)} differentiated"
    )
    print(f"{sum(map(checks, smooth)):,} numbers of gradients compared with central differences")


if __name__ == "__main__":
    main()
