"""Passes replayed against the reference: on random data a graph and its rewritten form must have equal values.

Where they differ, the single application of a rule that is to blame is found by bisection over how many applications
are allowed; `graphad.compiler.reproduction` cuts it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from graphad.compiler.reproduction import Application, Reproduction, cut_out
from graphad.errors import GraphadError, IndexRangeError, VerificationError
from graphad.ir.evaluation import evaluate
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input
from graphad.ir.node import Node
from graphad.ir.op import Array
from graphad.ir.tensor_type import TensorType
from graphad.ir.verify import verify_pass
from graphad.rewrite.driver import Pass, Rewrites, Rule

_TOLERANCE = 1e-4
_INTEGERS_BELOW = (10, 4, 3, 2)
"""Limits of random integers, tried in turn: they may be indices, and of how many is not known."""


def verify_values(before: Graph, after: Graph, one: Pass) -> None:
    """A VerificationError unless both graphs are valid and equal in value, on random data, by the reference backend.

    It tells the pass; of a pass of rewrites also the rule, and the application of it that is to blame, as a graph
    before and after: the error's ``reproduction``, if the difference shows there.
    """
    verify_pass(before, after, one.name)
    replay = Replay.of(before, one.exact)
    changed = replay.changed(after)
    if changed is None:
        return
    blamed = _blamed(replay, one) if isinstance(one, Rewrites) else None
    by = f", by its rewrite {blamed.application.rule.__name__}," if blamed else ""
    details = str(blamed) if blamed else first_difference(replay, after)
    error = VerificationError(f"pass {one.name}{by} {changed} on random data{details}")
    error.reproduction = blamed and blamed.reproduction
    raise error


def random_array(node: Node, generator: np.random.Generator, below: int = 1) -> Array:
    """Random data for an input: normal floats; truth values; integers from 0 to ``below`` - 1."""
    shape = node.type.static_shape
    if node.type.is_float:
        return generator.standard_normal(shape).astype(node.dtype)
    return generator.integers(0, 2 if node.dtype.kind == "b" else below, shape).astype(node.dtype)


def random_arguments(graph: Graph, outputs: Sequence[Node]) -> tuple[list[Array], list[Array]]:
    """Random data for the inputs of a graph, and the values that nodes of it have then.

    Integers are as large as may be: an IndexRangeError tells that they were too large for indices.
    """
    asked = Graph(graph.inputs, tuple(outputs))
    for below in _INTEGERS_BELOW:
        arguments = _drawn(graph, below)
        with suppress(IndexRangeError):
            return arguments, evaluate(asked, arguments)
    arguments = _drawn(graph, 1)
    return arguments, evaluate(asked, arguments)


def _drawn(graph: Graph, below: int) -> list[Array]:
    generator = np.random.default_rng(0)
    return [random_array(node, generator, below) for node in graph.inputs]


@dataclass(frozen=True)
class Replay:
    """What a graph gives for random arguments: whoever rewrites it must give the same."""

    graph: Graph
    arguments: list[Array]
    expected: list[Array]
    exact: bool

    @staticmethod
    def of(graph: Graph, exact: bool) -> Replay:
        """Evaluate a graph on random data."""
        arguments, expected = random_arguments(graph, graph.outputs)
        return Replay(graph, arguments, expected, exact)

    def changed(self, after: Graph) -> str | None:
        """What became of the first output that is not as expected; None if all are."""
        try:
            found = evaluate(after, self.arguments)
        except GraphadError as error:
            return f"made a graph that fails ({error})"
        pairs = zip(self.expected, found, self.graph.outputs, strict=True)
        wrong = next((output for old, new, output in pairs if not self.agree(old, new)), None)
        return None if wrong is None else f"changed the value of {wrong!r}"

    def agree(self, old: Array, new: Array) -> bool:
        """Whether values are equal; if the pass is not exact, to rounding, and it may find a number where none was."""
        if self.exact:
            return np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
        known = np.where(np.isfinite(old), old, new)
        return np.allclose(known, new, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)


class _Limited:
    """A pass whose rules apply ``limit`` times in all, and then no more; ``last`` is the last application."""

    def __init__(self, one: Rewrites, limit: int | None) -> None:
        self.limit, self.count = limit, 0
        self.last: Application | None = None
        self.rewrites = replace(one, rules=tuple(map(self._counted, one.rules)))

    def _counted(self, rule: Rule) -> Rule:
        def limited(node: Node) -> Node | None:
            after = None if self.count == self.limit else rule(node)
            if after is not None:
                self.count, self.last = self.count + 1, Application(rule, node, after)
            return after

        return limited


@dataclass(frozen=True, eq=False)
class _Blame:
    """The application to blame, the how manieth of how many, and its reproduction if it has one."""

    application: Application
    number: int
    count: int
    reproduction: Reproduction | None

    def __str__(self) -> str:
        node, rule = self.application.before, self.application.rule
        meaning = f": {rule.__doc__.strip().splitlines()[0]}" if rule.__doc__ else ""
        found = f"\napplication {self.number} of {self.count}, to {node!r}{_at(node)}{meaning}"
        return found if self.reproduction is None else f"{found}\n{self.reproduction}"


def _blamed(replay: Replay, one: Rewrites) -> _Blame | None:
    """The application before which all is well and after which it is not; None if the rules are not to blame."""
    whole = _Limited(one, None)
    if replay.changed(whole.rewrites.run(replay.graph)) is None:
        return None
    well, ill = 0, whole.count
    while ill - well > 1:
        middle = (well + ill) // 2
        if replay.changed(_Limited(one, middle).rewrites.run(replay.graph)) is None:
            well = middle
        else:
            ill = middle
    found = _Limited(one, ill)
    found.rewrites.run(replay.graph)
    last = found.last
    return None if last is None else _Blame(last, ill, whole.count, _reproduction(last, replay))


def _reproduction(application: Application, replay: Replay) -> Reproduction | None:
    """The application alone; None if there it makes no difference.

    Its inputs have the values that they had in the replay; of those in the body of a loop, which has values of its own
    at each step, what they depend on is random.
    """
    leaves = tuple(node for node in application.graph.nodes if isinstance(node.op, Input))
    cut = application.cut()
    if set(leaves) <= set(replay.graph.inputs):
        values = evaluate(Graph(replay.graph.inputs, cut), replay.arguments)
    else:
        _, values = random_arguments(Graph(leaves, cut), cut)
    found = cut_out(application, cut, values)
    try:
        return None if replay.agree(*found.values()) else found
    except GraphadError:
        return found


def first_difference(replay: Replay, after: Graph) -> str:
    """The first node of a rewritten graph whose value is not that of its counterpart, as text, if one is found."""
    olds, news = _by_declaration(replay.graph), _by_declaration(after)
    pairs = [(olds[key], new) for key, new in news.items() if key in olds]
    with suppress(GraphadError):  # that the graph fails is told already
        before = evaluate(Graph(replay.graph.inputs, tuple(old for old, _ in pairs)), replay.arguments)
        found = evaluate(Graph(after.inputs, tuple(new for _, new in pairs)), replay.arguments)
        triples = zip(pairs, before, found, strict=True)
        wrong = next((new for (_, new), one, other in triples if not replay.agree(one, other)), None)
        if wrong is not None:
            return f"; the first node that differs is {wrong!r}{_at(wrong)}"
    return ""


def _at(node: Node) -> str:
    return f" at {node.origin.place}" if node.origin.place else ""


def _by_declaration(graph: Graph) -> dict[tuple[int, str, TensorType], Node]:
    """The nodes by their place in the order of declaration, their operation and their type, if only one has these."""
    found: dict[tuple[int, str, TensorType], list[Node]] = {}
    for node in graph.nodes:
        found.setdefault((node.origin.rank, node.op.name, node.type), []).append(node)
    return {key: nodes[0] for key, nodes in found.items() if len(nodes) == 1}
