"""Series that wait for the past: sums that run along the steps, and loops.

A loop runs its series in lock step. Series that are labelled by different steps (the cotangent of ``h[t-1]`` is made
at step t) are shifted so that all end at one step; what then sticks out at the beginning is done before the loop, and
is one of its initial values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from graphad.ir.graph import Graph
from graphad.ir.leaves import Input
from graphad.ir.node import Node, Origin, apply, rebuild
from graphad.ops.arithmetic import Add
from graphad.ops.build import broadcast
from graphad.ops.loop import Earlier, Element, Loop, Read, Record, Whole, record_of
from graphad.ops.structure import Copy, Transpose
from graphad.recurrence.fold import Delayed, FoldedGraph, Key, Reference, Series
from graphad.rewrite.constants import uniform

Value = Callable[[Node], Node]
Stack = Callable[[Key, range, Mapping[int, Node]], Node]


@dataclass(frozen=True)
class Accumulation:
    """A sum along the steps: ``final`` is ``start`` (nothing, if None) plus the copies of ``terms`` at ``steps``."""

    final: Node
    start: Node | None
    terms: Key
    steps: range

    @staticmethod
    def of(series: Series, folded: FoldedGraph) -> Accumulation | None:
        """a[t] = a[t+-1] + b[t], if nobody but the next reads any of them but the last."""
        if not isinstance(series.nodes[0].op, Add) or len(series.boundary) != 1:
            return None
        ((place, _), start), *_ = series.boundary.items()
        own, terms = series.references[place], series.references[1 - place]
        if not isinstance(own, Delayed) or own.key != series.key or abs(own.delay) != 1:
            return None
        if not isinstance(terms, Delayed) or terms.key == series.key:
            return None
        chain = series.nodes if own.delay == -1 else series.nodes[::-1]
        if any(folded.readers[before] != [after] for before, after in pairwise(chain)):
            return None
        steps = range(series.first + terms.delay, series.last + 1 + terms.delay)
        wider = range(steps.start - (own.delay == -1), steps.stop + (own.delay == 1))
        edge = wider.start if own.delay == -1 else wider.stop - 1
        joins = folded.copies[terms.key].get(edge) is start and start in folded.member
        return (
            Accumulation(chain[-1], None, terms.key, wider)
            if joins
            else Accumulation(chain[-1], start, terms.key, steps)
        )


@dataclass(frozen=True, eq=False)
class Recurrence:
    """Series in lock step: the loop's step i, in the order of time, is each one's step ``first + shift + i``.

    ``before``: the copies that are done before the loop. ``recorded``: the series whose values are kept, and the
    initial value of each, by how many steps it lies before the first iteration.
    """

    series: tuple[Series, ...]
    shifts: Mapping[Key, int]
    first: int
    steps: int
    reverse: bool
    before: tuple[Node, ...]
    initial: Mapping[Key, Mapping[int, Node]]
    recorded: tuple[Series, ...]

    @staticmethod
    def of(series: Sequence[Series], folded: FoldedGraph) -> Recurrence | None:
        """The loop over these series; None if they cannot be run in lock step."""
        keys = {one.key: one for one in series}
        moves = any(one.stride for one in series)  # a body is one operation for all steps
        if moves or len(keys) < len(series) or len({one.nodes[0].dtype for one in series}) > 1:
            return None
        inner = [(one, place, reference) for one in series for place, reference in _inner(one, keys)]
        reverse = any(reference.delay > 0 for _, _, reference in inner)
        ends = {one.key: one.first if reverse else one.last for one in series}
        target = min(ends.values()) if reverse else max(ends.values())
        shifts = {key: target - end for key, end in ends.items()}
        steps = min(len(one.nodes) for one in series)
        lags = [_lag(one, reference, shifts, reverse) for one, _, reference in inner]
        if steps < 2 or any(lag < 0 for lag in lags) or not any(lags):
            return None
        first = target if reverse else target - steps + 1
        found = _Alignment(keys, shifts, first, steps, reverse)
        initial = found.initial(inner)
        ordered = _in_order(series, inner, lags)
        if initial is None or ordered is None:
            return None
        read_later = {reference.key for (_, _, reference), lag in zip(inner, lags, strict=True) if lag}
        recorded = tuple(one for one in ordered if one.key in read_later or found.is_read_outside(one, folded))
        for one in recorded:
            for lag, node in found.sticking_out(one):
                initial.setdefault(one.key, {}).setdefault(lag, node)
        return Recurrence(ordered, shifts, first, steps, reverse, found.before(), initial, recorded)

    def local(self, series: Series, iteration: int) -> int:
        """The series' own step in an iteration (in the order of time)."""
        return self.first + iteration - self.shifts[series.key]

    def steps_of(self, series: Series) -> range:
        """The series' own steps in all iterations."""
        return range(self.local(series, 0), self.local(series, self.steps))

    def lag(self, series: Series, reference: Delayed) -> int:
        """How many iterations ago the reference was computed."""
        return _lag(series, reference, self.shifts, self.reverse)


def _inner(series: Series, keys: Mapping[Key, Series]) -> Iterator[tuple[int, Delayed]]:
    for place, reference in enumerate(series.references):
        if isinstance(reference, Delayed) and reference.key in keys:
            yield place, reference


def _lag(series: Series, reference: Delayed, shifts: Mapping[Key, int], reverse: bool) -> int:
    later = reference.delay + shifts[reference.key] - shifts[series.key]
    return later if reverse else -later


@dataclass(frozen=True)
class _Alignment:
    """Series shifted to one range of steps."""

    keys: Mapping[Key, Series]
    shifts: Mapping[Key, int]
    first: int
    steps: int
    reverse: bool

    def _range(self, series: Series) -> range:
        start = self.first - self.shifts[series.key]
        return range(start, start + self.steps)

    def before(self) -> tuple[Node, ...]:
        """The copies that stick out at the beginning."""
        return tuple(node for series in self.keys.values() for _, node in self.sticking_out(series))

    def sticking_out(self, series: Series) -> Iterator[tuple[int, Node]]:
        """A series' copies before the first iteration, and how long before: its record has a place for all copies."""
        steps = self._range(series)
        for step, node in zip(series.steps, series.nodes, strict=True):
            if step not in steps:
                yield (step - steps[-1] if self.reverse else steps[0] - step), node

    def initial(self, inner: Sequence[tuple[Series, int, Delayed]]) -> dict[Key, dict[int, Node]] | None:
        """For each series, what the first iterations read of the time before them; None if readers disagree."""
        found: dict[Key, dict[int, Node]] = {}
        for series, place, reference in inner:
            other = self._range(self.keys[reference.key])
            for step in self._range(series):
                at = step + reference.delay
                if at in other and (place, step) not in series.boundary:
                    continue
                before = at - other[-1] if self.reverse else other[0] - at
                node = series.nodes[step - series.first].operands[place]
                if before < 1 or found.setdefault(reference.key, {}).setdefault(before, node) is not node:
                    return None
        return found

    def is_read_outside(self, series: Series, folded: FoldedGraph) -> bool:
        """Whether anybody but the loop's own series reads the copies."""
        members = set(self.keys.values())
        readers = (reader for node in series.nodes for reader in folded.readers[node])
        return any(reader is None or folded.member.get(reader) not in members for reader in readers)


def _in_order(
    series: Sequence[Series], inner: Sequence[tuple[Series, int, Delayed]], lags: Sequence[int]
) -> tuple[Series, ...] | None:
    """The series in an order in which each comes after those it reads in the same iteration; None if there is none."""
    waits: dict[Key, set[Key]] = {one.key: set() for one in series}
    for (one, _, reference), lag in zip(inner, lags, strict=True):
        if lag == 0:
            waits[one.key].add(reference.key)
    ordered: dict[Key, Series] = {}
    pending = sorted(series, key=lambda one: one.nodes[-1].origin.rank)
    while pending:
        ready = next((one for one in pending if waits[one.key] <= ordered.keys()), None)
        if ready is None:
            return None
        ordered[ready.key] = ready
        pending.remove(ready)
    return tuple(ordered.values())


@dataclass(eq=False)
class _Body:
    """A loop's body and operands, as they are built."""

    recurrence: Recurrence
    value: Value
    stack: Stack
    operands: dict[Node, int] = field(default_factory=dict)
    inputs: dict[object, Node] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    image: dict[Key, Node] = field(default_factory=dict)

    def operand(self, node: Node) -> int:
        """The number of the loop's operand that is this node."""
        return self.operands.setdefault(node, len(self.operands))

    def read(self, what: object, example: Node, read: Callable[[], Read], suffix: str = "") -> Node:
        """The body's input for something that it reads; one for each."""
        if what not in self.inputs:
            self.inputs[what] = apply(Input(example.type), name=example.label + suffix)
            self.reads.append(read())
        return self.inputs[what]

    def input_for(self, series: Series, place: int) -> Node:
        """The body's node for what a series reads at one place."""
        reference: Reference = series.references[place]
        example = series.nodes[-1].operands[place]
        if not isinstance(reference, Delayed):
            same = uniform(self.value(reference))
            if same is not None:
                return broadcast(apply(same), example.shape)
            return self.read(reference, example, lambda: Whole(self.operand(self._contiguous(reference))))
        if reference.key not in self.recurrence.shifts:
            steps = self.recurrence.steps_of(series)
            shifted = range(steps.start + reference.delay, steps.stop + reference.delay)
            stacked = self.stack(reference.key, shifted, series.beyond(place))
            return self.read((reference.key, shifted), example, lambda: Element(self.operand(stacked)))
        lag = self.recurrence.lag(series, reference)
        if lag == 0:
            return self.image[reference.key]
        number = [one.key for one in self.recurrence.recorded].index(reference.key)
        recorded = self.recurrence.recorded[number].nodes[0]
        suffix = "_before" if lag == 1 else f"_{lag}_before"
        return self.read((number, lag), recorded, lambda: Earlier(number, lag), suffix)

    def _contiguous(self, node: Node) -> Node:
        """A transposed weight is copied once, so that no product in the loop reads it against the grain."""
        value = self.value(node)
        return apply(Copy(), value) if isinstance(value.op, Transpose) else value


def timeless(origin: Origin) -> Origin:
    """The origin of a node that stands for all steps."""
    return replace(origin, step=None, template=None)


def _for_any_step(copy: Node, operands: tuple[Node, ...]) -> Node:
    """The node of the loop's body that does at every step what a copy does at one."""
    node = rebuild(copy, copy.op, operands)
    return Node(node.op, node.operands, node.type, node.name, timeless(node.origin))


def loop_over(
    recurrence: Recurrence, value: Value, stack: Stack
) -> Iterator[tuple[Key, Node, int, Mapping[int, Node]]]:
    """Build the loop; yields for each recorded template its key, its record, the step of the record's first element,
    and which steps of it lie beyond the template's ends.
    """
    body = _Body(recurrence, value, stack)
    for series in recurrence.series:
        operands = tuple(body.input_for(series, place) for place in range(len(series.references)))
        body.image[series.key] = _for_any_step(series.nodes[-1], operands)
    outputs = tuple(body.image[series.key] for series in recurrence.recorded)
    records, offset = [], 0
    for series in recurrence.recorded:
        initial = sorted(recurrence.initial.get(series.key, {}).items())
        kept = tuple((before, body.operand(value(node))) for before, node in initial)
        record = Record(series.nodes[0].type, kept, offset)
        records.append(record)
        offset += (recurrence.steps + record.padding) * int(str(series.nodes[0].type.size))
    op = Loop(
        Graph(tuple(body.inputs.values()), outputs),
        recurrence.steps,
        recurrence.reverse,
        tuple(body.reads),
        tuple(records),
    )
    loop = apply(op, *body.operands)
    for number, series in enumerate(recurrence.recorded):
        steps = recurrence.steps_of(series)
        first = steps.start if recurrence.reverse else steps.start - records[number].padding
        initial_steps = {
            (steps.stop - 1 + before if recurrence.reverse else steps.start - before): node
            for before, node in recurrence.initial.get(series.key, {}).items()
        }
        beyond = {step: node for step, node in initial_steps.items() if step not in series.steps}
        yield series.key, record_of(loop, number), first, beyond
