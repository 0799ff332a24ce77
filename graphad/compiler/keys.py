"""Random numbers of one function: the key that it draws with, and the numbers of its streams.

The key is a parameter that each call updates, [seed, number of the call], so it is committed with all other parameters
or not at all. Streams are numbered from 0 in the order in which their nodes were declared: the same program draws the
same in any process, however much was declared before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.errors import ArgumentError
from graphad.ir.graph import Graph, with_operands
from graphad.ir.leaves import Key
from graphad.ir.node import Node, labels, rebuild
from graphad.ops.arithmetic import add
from graphad.ops.build import constant
from graphad.ops.random import KEY, Draw

_LIMIT = 2**64


@dataclass(frozen=True)
class State:
    """What a function remembers between calls beside its parameters: its seed, and how many calls have drawn.

    A function that draws no random numbers counts no calls.
    """

    seed: int
    calls: int = 0


def key_of(state: Any) -> Key:
    """The key of a state; an ArgumentError if it is none."""
    if not isinstance(state, State):
        raise ArgumentError(f"a function is restored from what its state() gave; got {state!r}")
    for name, value in (("seed", state.seed), ("number of calls", state.calls)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT:
            raise ArgumentError(f"the {name} is an integer from 0 to 2**64 - 1; got {value!r}")
    return Key.of(state.seed, state.calls)


def state_of(key: Key) -> State:
    """The state that a key holds."""
    seed, calls = key.storage.array.tolist()
    return State(seed, calls)


def with_own_key(graph: Graph, key: Key) -> tuple[Graph, Node | None]:
    """The graph with this key, and its streams numbered anew; and the key's node, if anything reads it."""
    declared = sorted({stream for node in graph.nodes if (stream := _stream(node)) is not None})
    if not declared:
        return graph, None
    numbers = {stream: number for number, stream in enumerate(declared)}
    own = Node(key, (), key.type, None, KEY.origin)

    def change(node: Node, operands: tuple[Node, ...]) -> Node:
        if node is KEY:
            return own
        stream = _stream(node)
        if stream is None or not isinstance(node.op, Draw):
            return with_operands(node, operands)
        return rebuild(node, node.op.numbered(numbers[stream]), operands)

    return graph.transform(change), own


def _stream(node: Node) -> int | None:
    """The stream of a node that draws with the key of all graphs; a repeated draw reads it through a barrier."""
    if not isinstance(node.op, Draw):
        return None
    (key,) = node.operands
    while key.op.traits.identity:
        key = key.operands[0]
    return node.op.streams.start if key is KEY else None


def of_next_call(key: Node) -> Node:
    """The key with the number of the call after this one."""
    with labels(made_by="number of the call"):
        return add(key, constant(np.array([0, 1], np.uint64)))
