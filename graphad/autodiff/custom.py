"""Gradients that the user writes: a function of nodes, and the map from the cotangent of its result to its operands'.

The result becomes the first operand of a `CustomGradient`, which is equal to it; the function's operands are the
others. So the cotangent passes by what the function built, and goes where the user's rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeAlias

from graphad.autodiff.reverse import cotangents_of
from graphad.autodiff.sweep import Sweep, directions
from graphad.errors import ArgumentError, GradientError, GraphadError
from graphad.ir.builder import call_text
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input
from graphad.ir.node import Node, apply, current_place
from graphad.ops.build import as_node
from graphad.ops.control import Identity

Rule: TypeAlias = Callable[..., Any]
"""(cotangent, result, *operands) -> a cotangent, or None, for each operand."""
_TRANSPOSING = Sweep(number=-1)
"""It walks over what another sweep has just built, and so needs no number of its own: copies of a cell stay alike."""


@dataclass(frozen=True)
class CustomGradient(Identity):
    """The first operand; its cotangent becomes those of the others by ``rule``.

    Two of them on the same operands are equal, whatever their rules: where values are computed, gradients are taken.
    """

    function: str
    rule: Rule = field(repr=False, compare=False)
    name = "custom_gradient"
    latex = r"\mathrm{custom}"

    def vjp(self, cotangent: Node, result: Node, *operands: Node) -> tuple[Node | None, ...]:
        """What the rule says; nothing for what the function built."""
        return None, *self._cotangents(cotangent, result, operands[1:])

    def jvp(self, tangents: tuple[Node | None, ...], result: Node, *operands: Node) -> Node | None:
        """The rule transposed: it is linear in the cotangent, so its own vjp maps tangents to the tangent.

        It is asked on inputs in the place of all it reads, so that no more than what it builds is walked over.
        """
        reads = (result, *operands[1:])
        stand_ins = [_input_like(node) for node in reads]
        cotangent = _input_like(result)
        found = self._cotangents(cotangent, stand_ins[0], stand_ins[1:])
        pairs = [(c, t) for c, t in zip(found, tangents[1:], strict=True) if c is not None and t is not None]
        seeds = [_input_like(tangent) for _, tangent in pairs]
        tangent = cotangents_of([c for c, _ in pairs], seeds, [cotangent], _TRANSPOSING).get(cotangent)
        if tangent is None:
            return None
        self._check_linear(tangent, cotangent)
        meant = zip((*stand_ins, *seeds), (*reads, *(tangent for _, tangent in pairs)), strict=True)
        return Graph((), (tangent,)).substitute(dict(meant)).outputs[0]

    def _check_linear(self, tangent: Node, cotangent: Node) -> None:
        if cotangent in set(Graph((), (tangent,)).nodes):
            raise GradientError(
                f"forward mode transposes the vjp of {self.function}, which is not linear in its cotangent: use ga.vjp"
            )

    def _cotangents(self, cotangent: Node, result: Node, operands: Sequence[Node]) -> list[Node | None]:
        given = self.rule(cotangent, result, *operands)
        try:
            return _checked(given, operands)
        except GraphadError as error:
            error.locate(f"the vjp of {self.function}", result.origin.place)
            raise


def _input_like(node: Node) -> Node:
    return apply(Input(node.type), name=node.label)


def _checked(given: Any, operands: Sequence[Node]) -> list[Node | None]:
    """The cotangents as nodes of the operands' types."""
    parts = list(given) if isinstance(given, (tuple, list)) else [given]
    if len(parts) != len(operands):
        raise GradientError(f"it returned {len(parts)} cotangents for {len(operands)} operands: return one for each")
    return [_of_type(part, operand) for part, operand in zip(parts, operands, strict=True)]


def _of_type(part: Any, operand: Node) -> Node | None:
    if part is None:
        return None
    if not operand.type.is_float:
        raise GradientError(f"it returned a cotangent for {operand!r}, which has none: return None in its place")
    return directions([part], [operand], "cotangent")[0]


def custom_gradient(function: Callable[..., Node], vjp: Rule) -> Callable[..., Node]:
    """``function``, whose gradient is what ``vjp`` says and not that of what it builds.

    ``function(*operands)`` builds a float node from nodes. ``vjp(cotangent, result, *operands)`` returns a cotangent
    for each operand (for one operand, it alone): a node, array or number of the operand's type, or None where there is
    no gradient. Its errors say which function they are of: GradientError for another count, ShapeError and DTypeError.

    What ``function`` uses beside its operands gets no gradient: pass it as an operand. The second derivative is that of
    ``vjp``, as it is built. Forward mode transposes ``vjp``, which must be linear in the cotangent: a GradientError
    says if it is not (a clipped cotangent is not).

    >>> import graphad as ga
    >>> rounded = ga.custom_gradient(ga.round, lambda cotangent, result, x: cotangent)
    >>> x = ga.input("x", shape=(2,))
    >>> ga.compile([x], [rounded(x), ga.grad(ga.sum(3.0 * rounded(x)), x)])([0.4, 1.7])
    [array([0., 2.], dtype=float32), array([3., 3.], dtype=float32)]
    """
    if not callable(function) or not callable(vjp):
        raise ArgumentError(f"custom_gradient takes two functions; got {function!r} and {vjp!r}")
    name = str(getattr(function, "__name__", "function"))

    @wraps(function)
    def build(*operands: Any) -> Node:
        nodes = [as_node(operand) for operand in operands]
        result = function(*nodes)
        try:
            return apply(CustomGradient(name, vjp), _float_node(result), *nodes)
        except GraphadError as error:
            error.locate(call_text(name, *operands), current_place())
            raise

    return build


def _float_node(result: Any) -> Node:
    if not isinstance(result, Node):
        raise ArgumentError(f"a function with a gradient of its own returns a node; it returned {result!r}")
    if not result.type.is_float:
        raise GradientError(f"it returned {result!r}, which has no gradient: only floats do")
    return result
