"""When a value is last read, and what place in the arena it gets for that long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, islice
from types import MappingProxyType
from typing import TypeAlias

from graphad.ir.node import Node
from graphad.ops.slicing import Join
from graphad.ops.structure import Reshape
from graphad.schedule.arena import Claim, arrange

Placed: TypeAlias = dict[Node, tuple[Node, int]]
"""For values that are computed in their places in a join: the join, and how many bytes from its beginning."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``last_read``: for each value in the arena, the number of the statement that reads it last; none for results.

    ``groups``: for statements that are run over and over, the numbers of all that are run with them. ``passing``: the
    values that are made anew each time, and so are not needed from one time to the next.
    """

    last_read: Mapping[Node, int]
    roots: Mapping[Node, Node]
    groups: Mapping[Node, range] = field(default_factory=dict)
    passing: Collection[Node] = ()

    @staticmethod
    def of(
        statements: Sequence[Node],
        staged: Iterable[Node],
        outputs: Iterable[Node],
        roots: Mapping[Node, Node],
        groups: Mapping[Node, range] = MappingProxyType({}),
        passing: Collection[Node] = (),
    ) -> Lifetimes:
        """The lifetimes of statements' results and staged inputs."""
        last_read = dict.fromkeys(staged, -1)
        for number, node in enumerate(statements):
            end = groups[node][-1] if node in groups else number
            last_read[node] = number if node in passing else end
            for root in (roots[operand] for operand in node.operands):
                if root in last_read:
                    last_read[root] = max(last_read[root], number if root in passing else end)
        for output in outputs:
            if roots[output] in last_read:
                last_read[roots[output]] = len(statements)
        return Lifetimes(last_read, roots, groups, passing)

    def begin(self, number: int, node: Node) -> int:
        """The statement before which a statement's result must have its place."""
        return number if node in self.passing or node not in self.groups else self.groups[node][0]

    def joined(self, statements: Sequence[Node]) -> Placed:
        """The values that are computed in their places in a join along the first axis, and so need not be copied there.

        They are computed for nobody who would read them longer than the join, and lie in memory as the join does.
        """
        placed: Placed = {}
        for join in statements:
            if not isinstance(join.op, Join) or join.op.axis != 0 or join not in self.last_read:
                continue
            offset = 0
            for part in join.operands:
                root = self.roots[part]
                if self._may_be_placed(root, part, join) and root not in placed:
                    placed[root] = (join, offset)
                offset += part.type.nbytes
        return placed

    def _may_be_placed(self, root: Node, part: Node, join: Node) -> bool:
        computed = root in self.last_read and not root.op.traits.leaf and not isinstance(root.op, Join)
        computed = computed and root not in self.passing
        return computed and _is_whole(part, root) and self.last_read[root] <= self.last_read[join]

    def without(self, nodes: Iterable[Node]) -> Lifetimes:
        """The lifetimes of the other values; these have memory of somebody else's."""
        gone = set(nodes)
        return replace(self, last_read={node: last for node, last in self.last_read.items() if node not in gone})

    def overwritten(self, number: int, node: Node) -> Node | None:
        """The operand whose memory the result may take over: all of a value, reshaped or not, that is of the result's
        type, and is read here for the last time.
        """
        for place, operand in enumerate(_overwritable(node)):
            root, others = self.roots[operand], node.operands[:place] + node.operands[place + 1 :]
            same = node.op.traits.elementwise and operand  # which an elementwise function may read twice
            alike = all(other is same for other in others if self.roots[other] is root)
            fits = operand.type == node.type and _is_whole(operand, root)
            fits = fits and (root in self.passing) == (node in self.passing)
            if alike and fits and self.last_read.get(root) == number:
                return operand
        return None


def _overwritable(node: Node) -> tuple[Node, ...]:
    """The operands that the kernel is done with by the time it writes where they lie."""
    traits = node.op.traits
    if traits.elementwise and not traits.multipass:
        return node.operands
    return node.operands[:1] if traits.over_first else ()


def _is_whole(view: Node, root: Node) -> bool:
    """Whether a view shows all of the value, in its order."""
    while view is not root:
        if not isinstance(view.op, Reshape):
            return False
        (view,) = view.operands
    return True


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Places in the arena, by offset: of values (``offsets``), and of what statements need while they run.

    ``overwritten``: for a result that takes over the place of an operand, that operand. They are one array.
    ``peak``: the number of the first statement at which ``live_bytes``, the most, are alive; -1: before all.
    """

    offsets: Mapping[Node, int]
    scratch_offsets: Mapping[Node, tuple[int, ...]]
    arena_bytes: int
    live_bytes: int
    peak: int
    lifetimes: Lifetimes
    placed: Placed = field(default_factory=dict)
    overwritten: Mapping[Node, Node] = field(default_factory=dict)

    def is_placed(self, value: Node, join: Node, offset: int) -> bool:
        """Whether the value is computed in its place in a join, so many bytes from its beginning."""
        found, begin = self.placed.get(value, (None, 0))
        return found is join and begin == offset


def plan_memory(
    statements: Sequence[Node],
    staged: Iterable[Node],
    lifetimes: Lifetimes,
    scratch: Mapping[Node, Sequence[int]],
    sizes: Mapping[Node, int] = MappingProxyType({}),
) -> MemoryPlan:
    """Give each value a place for as long as it lives; ``scratch``: the bytes of each array that a statement needs
    meanwhile; ``sizes``: those of values that are never held whole.
    """
    plan = _Claims(lifetimes, lifetimes.joined(statements), sizes)
    for node in staged:
        plan.claim(node, -1)
    for number, node in enumerate(statements):
        plan.place(number, node)
    meanwhile = [Claim(i, i, nbytes) for i, node in enumerate(statements) for nbytes in scratch.get(node, ())]
    claims = [Claim(*claim) for claim in plan.claims] + meanwhile
    places, size = arrange(claims)
    offsets = {node: places[claim] + begin for node, (claim, begin) in plan.where.items()}
    rest = iter(places[len(plan.claims) :])
    scratch_offsets = {node: tuple(islice(rest, len(scratch[node]))) for node in statements if node in scratch}
    return MemoryPlan(offsets, scratch_offsets, size, *_most_alive(claims), lifetimes, plan.placed, plan.overwritten)


def _most_alive(claims: Sequence[Claim]) -> tuple[int, int]:
    """The most bytes that are alive at once, and at which statement they are first."""
    changes: dict[int, int] = {}
    for first, last, nbytes in claims:
        changes[first] = changes.get(first, 0) + nbytes
        changes[last + 1] = changes.get(last + 1, 0) - nbytes
    numbers = sorted(changes)
    alive = dict(zip(numbers, accumulate(changes[number] for number in numbers), strict=True))
    peak = max(alive, key=lambda number: alive[number], default=0)
    return alive.get(peak, 0), peak


@dataclass(eq=False)
class _Claims:
    """The claims as they grow: ``[first, last, bytes]``; and for each value its claim and where in it it begins."""

    lifetimes: Lifetimes
    placed: Placed
    sizes: Mapping[Node, int]
    claims: list[list[int]] = field(default_factory=list)
    where: dict[Node, tuple[int, int]] = field(default_factory=dict)
    overwritten: dict[Node, Node] = field(default_factory=dict)

    def claim(self, node: Node, number: int) -> None:
        """Claim memory for a value that is first needed at a statement."""
        self.where[node] = (len(self.claims), 0)
        nbytes = self.sizes.get(node, node.type.nbytes)
        self.claims.append([self.lifetimes.begin(number, node), self.lifetimes.last_read[node], nbytes])

    def place(self, number: int, node: Node) -> None:
        """Say where a statement's result goes: into its place in a join, over an operand that dies, or anew."""
        if node not in self.lifetimes.last_read or node in self.where:
            return
        operand = self.lifetimes.overwritten(number, node)
        if node in self.placed:
            join, begin = self.placed[node]
            if join not in self.where:
                self.claim(join, self.lifetimes.begin(number, node))
            self.where[node] = (self.where[join][0], begin)
        elif operand is None or self.lifetimes.roots[operand] in self.placed:
            self.claim(node, number)
        else:
            self._take_over(node, operand)

    def _take_over(self, node: Node, operand: Node) -> None:
        """Let the result live where its operand died."""
        place = self.where[self.lifetimes.roots[operand]]
        self.where[node], self.overwritten[node] = place, operand
        claim = self.claims[place[0]]
        claim[1] = max(claim[1], self.lifetimes.last_read[node])
