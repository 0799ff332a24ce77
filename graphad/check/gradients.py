"""Gradients against central differences: the proof that needs no trust.

Differences are taken of the loss in float64, so the gradient under test is the one that reverse mode builds for that
graph. What is wrong is told with its worst entry and with the operation whose rule is to blame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphad.autodiff.reverse import grad
from graphad.check.blame import Blame, blame
from graphad.check.comparison import MODES, Comparer, Comparison
from graphad.check.differences import Verdict
from graphad.check.hints import hint
from graphad.check.problem import Problem, declare
from graphad.check.result import GradientCheck, VariableCheck, summed, variable_check, worst_of
from graphad.check.steps import lost_on_the_way
from graphad.errors import ArgumentError, GradientError, GradientMismatchError, UnreachedError
from graphad.ir import nest
from graphad.ir.node import Node
from graphad.ir.op import Array


def check_gradients(
    loss: Node,
    wrt: Any,
    order: int = 1,
    *,
    gradients: Any = None,
    inputs: Mapping[Node, Any] | None = None,
    mode: str = "auto",
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of ``loss`` by ``wrt`` with central differences in float64, to ``order`` 1 or 2.

    ``wrt`` is a node or a structure of nodes, computed ones too; the second order is that of the gradient's product
    with a random direction. ``gradients``, in the structure of ``wrt``, are gradients made by hand, nodes or arrays,
    to be tested in place of those of reverse mode.

    ``inputs`` gives inputs their values: an array, or a function from the shape to an array. The others get normal
    floats, or zeros where they are integers (which are labels in any range), and named sizes that nothing determines
    become small. Parameters have their own values.

    ``mode``: "entries" moves every entry; "projection" moves all of them along 4 random directions; "auto" moves every
    entry of nodes of up to 200, and of larger ones 4 directions and a sample of 50 entries.

    A number g and a difference d agree if abs(g - d) is at most ``tolerance`` times the greater of abs(g) and abs(d),
    which is taken for no less than 1e-4 of the largest gradient of all, nor than what rounding leaves of a difference.
    Where they do not, differences over smaller widths decide. A place where the loss is not smooth (a kink, a jump, the
    edge of a domain) cannot tell right from wrong: it is reported in the result, and is an error only if g lies beyond
    the slopes on either side, or if a node has no other places.

    Errors: GradientMismatchError names the node, the worst entry, both numbers, and the operation to blame with its
    step and line. UnreachedError, as `ga.grad` raises it; GradientError where nothing can be compared.

    >>> import graphad as ga
    >>> W = ga.parameter([[0.5, -0.2], [0.1, 0.3]], name="W")
    >>> check = check_gradients(ga.sum(ga.tanh(W @ W)), W, order=2)
    >>> check.entries, check.worst < 1e-8
    (8, True)
    """
    check = examine(loss, wrt, Settings(order, mode, tolerance, seed), gradients, inputs)
    if not check.right:
        raise GradientMismatchError(check.error)
    return check


@dataclass(frozen=True)
class Settings:
    """How a check is made: see `check_gradients`."""

    order: int = 1
    mode: str = "auto"
    tolerance: float = 1e-6
    seed: int = 0

    def __post_init__(self) -> None:
        if self.order not in (1, 2):
            raise ArgumentError(f"gradients are checked to order 1 or 2, not {self.order!r}")
        if self.mode not in MODES:
            raise ArgumentError(f"there is no mode {self.mode!r} of checking gradients: use one of {', '.join(MODES)}")
        if not 0 < self.tolerance < 1:
            raise ArgumentError(f"the tolerance is a number between 0 and 1; got {self.tolerance!r}")


def examine(
    loss: Node,
    wrt: Any,
    settings: Settings = Settings(),
    gradients: Any = None,
    inputs: Mapping[Node, Any] | None = None,
) -> GradientCheck:
    """`check_gradients`, but a wrong gradient is told by the result's ``error`` and not raised."""
    if gradients is not None:
        nest.check_alike(wrt, gradients)
        if settings.order == 2:
            raise ArgumentError("gradients= are checked to order 1: only reverse mode's are differentiated again")
    unreached = _unreached(loss, nest.leaves(wrt))
    given = nest.leaves(wrt if gradients is None else gradients)
    pairs = dict(zip(nest.leaves(wrt), given, strict=True))
    generator = np.random.default_rng(settings.seed)
    hand_made = None if gradients is None else list(pairs.values())
    problem = declare(loss, list(pairs), hand_made, inputs or {}, generator)
    studies = [_study(problem, settings, generator)]
    if settings.order == 2 and not studies[0].wrong:
        studies.append(_study(problem.of_gradient(generator), settings, generator))
    error = _error(studies[-1], settings.tolerance, hand_made is not None, unreached)
    return summed([row for study in studies for row in study.rows], error)


def _unreached(loss: Node, starts: Sequence[Any]) -> UnreachedError | None:
    """What reverse mode has to say of the user's own nodes: it is raised, but for nodes that it does not reach."""
    try:
        grad(loss, starts)
    except UnreachedError as error:
        return error
    return None


@dataclass(frozen=True, eq=False)
class _Study:
    """A problem, its gradients' values, what was compared of each variable, and the worst of that."""

    problem: Problem
    found: Sequence[Array]
    compared: Sequence[Sequence[Comparison]]

    @property
    def rows(self) -> list[VariableCheck]:
        """A row for each variable."""
        return [variable_check(self.problem, place, one) for place, one in enumerate(self.compared)]

    @property
    def wrong(self) -> Comparison | None:
        """The worst comparison, if one is wrong."""
        worst = worst_of([one for variable in self.compared for one in variable])
        return worst if worst is not None and worst.verdict is Verdict.WRONG else None


def _study(problem: Problem, settings: Settings, generator: np.random.Generator) -> _Study:
    comparer = Comparer(problem, settings.tolerance)
    places = range(len(problem.variables))
    compared = [list(comparer.compare(place, settings.mode, generator)) for place in places]
    for place, variable in enumerate(problem.variables):
        if compared[place] and all(one.verdict is Verdict.ROUGH for one in compared[place]):
            raise GradientError(
                f"the loss is not smooth where {variable.label} is, in any of the {len(compared[place])} places tried: "
                "differences cannot tell its gradient; give it another value"
            )
    return _Study(problem, comparer.found, compared)


def _error(study: _Study, tolerance: float, hand_made: bool, unreached: UnreachedError | None) -> str:
    """What is wrong, where, and why; "" if nothing is."""
    wrong = study.wrong
    if wrong is None:
        if unreached is not None:
            raise unreached
        return ""
    guilty = None if hand_made else blame(study.problem, wrong)
    if unreached is not None and guilty is not None and guilty.is_deliberate:
        raise unreached
    by = "as given" if hand_made else "by the graph"
    name = f"{study.problem.what} of {study.problem.variables[wrong.place].label} {wrong.where}"
    parts = [
        f"{name}: {wrong.number!r} {by}, {wrong.slope.value!r} by differences",
        f"they differ by {wrong.difference:.3g} of the greater, more than {tolerance:.3g}",
        hint(study.found[wrong.place], study.compared[wrong.place]),
        lost_on_the_way(study.problem) if hand_made else _blame_text(guilty),
        *_others(study, wrong.place),
    ]
    return "; ".join(part for part in parts if part)


def _blame_text(guilty: Blame | None) -> str:
    return "no single gradient rule accounts for it" if guilty is None else guilty.text


def _others(study: _Study, worst: int) -> Iterator[str]:
    """How the other variables fared."""
    wrong, right = [], []
    for place, row in enumerate(study.rows):
        if row.right:
            right.append(row.name)
        elif place != worst:
            guess = hint(study.found[place], study.compared[place])
            wrong.append(f"{row.name} (by {row.worst:.3g}{guess and f', {guess}'})")
    yield f"also wrong: {', '.join(wrong)}" if wrong else ""
    yield f"right: {', '.join(right)}" if right else ""
