"""Both directions at once: one cell reads a sequence from its first step, another from its last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from graphad.errors import ArgumentError, ShapeError
from graphad.ir import nest
from graphad.ir.builder import builder
from graphad.ir.node import Node
from graphad.ops.build import normalize_axis
from graphad.ops.shaping import concatenate
from graphad.recurrence.unroll import StepFunction, unroll

Merge: TypeAlias = Callable[[Node, Node, int], Any]
_MERGES: Mapping[str | None, Merge] = MappingProxyType(
    {
        "concat": lambda ahead, back, axis: concatenate([ahead, back], _features(ahead, axis)),
        "sum": lambda ahead, back, _: ahead + back,
        "mul": lambda ahead, back, _: ahead * back,
        "ave": lambda ahead, back, _: 0.5 * (ahead + back),
        None: lambda ahead, back, _: (ahead, back),
    }
)


@builder
def bidirectional(
    forward: StepFunction,
    backward: StepFunction,
    xs: Any,
    init: Any = None,
    *,
    axis: int = 0,
    truncate: int | None = None,
    lengths: Any = None,
    mask: Any = None,
    merge: str | None = "concat",
    name: str = "bidirectional",
) -> tuple[tuple[Any, Any], Any]:
    """Unroll ``forward`` over ``xs`` and ``backward`` in reverse; return their two last carries and the merged outputs.

    ``init`` is the pair of first carries, or None if the cells know them; the other arguments are those of `unroll`.
    With ``lengths`` or ``mask`` the backward cell starts at each sequence's own end. Outputs of the same step are
    merged as Keras's Bidirectional names it: "concat" joins them along the last axis that is not time, "sum", "mul"
    and "ave" (the mean) are elementwise, None gives pairs. The backward cell's last carry is that of step 0.

    >>> import graphad as ga, numpy as np
    >>> x, W = ga.input("x", shape=("batch", 5, 3)), np.zeros((3, 8), "float32")
    >>> ahead, back = (ga.lstm_cell(W, np.zeros((2, 8), "float32")) for _ in range(2))
    >>> carries, outputs = bidirectional(ahead, back, x, axis=1)
    >>> outputs
    <concatenate: float32[batch, 5, 4]>
    """
    if merge not in _MERGES:
        raise ArgumentError(f"merge is one of {', '.join(map(repr, _MERGES))}; got {merge!r}")
    starts = (None, None) if init is None else init
    if not isinstance(starts, (tuple, list)) or len(starts) != 2:
        raise ArgumentError(f"init is a pair of first carries, one for each direction; got {init!r}")

    def read(cell: StepFunction, start: Any, direction: str, reverse: bool) -> tuple[Any, Any]:
        options = {"axis": axis, "truncate": truncate, "lengths": lengths, "mask": mask}
        return unroll(cell, start, xs, reverse=reverse, name=f"{name}/{direction}", **options)

    ahead, outputs_ahead = read(forward, starts[0], "forward", reverse=False)
    back, outputs_back = read(backward, starts[1], "backward", reverse=True)

    def merged(one: Node | None, other: Node | None) -> Any:
        return None if one is None or other is None else _MERGES[merge](one, other, axis)

    return (ahead, back), nest.mapped(merged, outputs_ahead, outputs_back)


def _features(outputs: Node, axis: int) -> int:
    """The last axis that is not time."""
    if outputs.ndim < 2:
        raise ShapeError('outputs that are scalars at each step have no axis to join: use merge="sum", or None')
    last = outputs.ndim - 1
    return last - 1 if normalize_axis(axis, outputs.ndim) == last else last
