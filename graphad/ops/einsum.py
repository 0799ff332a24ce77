"""Einstein's sums: products of arrays whose axes are named by letters, summed over the letters that the result lacks.

The letters of each operand become the labels of a `Factor`; axes that an ellipsis stands for are labelled by how far
they are from its end. Repeated labels of one operand are its diagonal, labels that nobody else needs are summed, and
what is left is contracted two at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from string import ascii_letters
from typing import NamedTuple

import numpy as np

from graphad.errors import ArgumentError, ShapeError
from graphad.ir.builder import builder
from graphad.ir.node import Node, apply
from graphad.ir.tensor_type import Dimension
from graphad.ops.build import Operand, cast
from graphad.ops.contraction import Factor, contract, counted, numbers, reshaped
from graphad.ops.diagonal import Diagonal
from graphad.ops.structure import Sum

Labels = tuple[str | int, ...]
_ORDERS = (True, False, "greedy", "optimal")


class Subscripts(NamedTuple):
    """The labels of the operands' axes, and of the result's."""

    operands: tuple[Labels, ...]
    result: Labels


@builder
def einsum(subscripts: str, *operands: Operand, optimize: bool | str = "greedy") -> Node:
    """The sum of products that ``subscripts`` say, as in numpy: ``"ij,jk->ik"`` is the product of two matrices.

    A letter names an axis, and the same letter the same index. A letter that the result lacks is summed over; one that
    an operand has twice takes its diagonal; ``...`` stands for any axes, which broadcast. Without ``->`` the result has
    the axes of ``...``, then the letters that occur once, in alphabetical order. Sizes of 1 meet any size.

    Many operands are contracted two at a time, in the order that np.einsum_path finds (``optimize``: "greedy" or True,
    "optimal", or False, from left to right), where a named size counts as 64. An ArgumentError for subscripts that
    cannot be read, a ShapeError for axes or sizes that do not fit.

    >>> import graphad as ga
    >>> queries, keys = ga.input("q", ("batch", 5, 2, 8)), ga.input("k", ("batch", 6, 2, 8))
    >>> einsum("bihd,bjhd->bhij", queries, keys)
    <matmul: float32[batch, 2, 5, 6]>
    """
    nodes = numbers(operands)
    if optimize not in _ORDERS:
        raise ArgumentError(f"optimize is one of {_ORDERS}; got {optimize!r}")
    labels, result = parsed(subscripts, [node.ndim for node in nodes])
    factors = _distinct([_diagonal(node, of_node) for node, of_node in zip(nodes, labels, strict=True)])
    reduced = [_summed(factor, _needed(factors[:i] + factors[i + 1 :], result)) for i, factor in enumerate(factors)]
    found = _contracted(reduced, result, optimize)
    return cast(found.ordered(result), nodes[0].dtype)  # sums of small integers are int64


def parsed(subscripts: str, ndims: Sequence[int]) -> Subscripts:
    """The labels that the subscripts give to operands of so many axes, and to the result."""
    given, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    if len(terms) != len(ndims):
        raise ArgumentError(f"{subscripts!r} is for {len(terms)} operands; got {len(ndims)}")
    operands = tuple(_labels(term, ndim) for term, ndim in zip(terms, ndims, strict=True))
    counts = Counter(label for labels in operands for label in labels)
    broadcast = tuple(sorted(label for label in counts if isinstance(label, int)))
    if not arrow:
        once = sorted(label for label, count in counts.items() if isinstance(label, str) and count == 1)
        return Subscripts(operands, (*broadcast, *once))
    result = _labels(output, len(broadcast) + len(output.replace("...", "")))
    _check_result(result, counts)
    return Subscripts(operands, result)


def _labels(term: str, ndim: int) -> Labels:
    """The labels of one operand: its letters, and in place of the ellipsis -n, ..., -1."""
    before, ellipsis, after = term.partition("...")
    letters = before + after
    if letters and not (letters.isascii() and letters.isalpha()):
        raise ArgumentError(f"{term!r} cannot be read: subscripts are letters, '...' at most once, ',' and one '->'")
    left = ndim - len(letters)
    if left < 0 or (left and not ellipsis):
        raise ShapeError(f"{term!r} has {len(letters)} letters for {ndim} axes: '...' stands for axes without a letter")
    return (*before, *range(-left, 0), *after)


def _check_result(result: Labels, counts: Mapping[str | int, int]) -> None:
    unknown = [label for label in result if label not in counts]
    if unknown:
        raise ArgumentError(f"no operand has the subscript {unknown[0]!r} of the result")
    if len(set(result)) < len(result):
        raise ArgumentError(f"the result has one subscript twice: {''.join(map(str, result))!r}")


def _diagonal(node: Node, labels: Labels) -> Factor:
    """The elements where axes of one label have one index."""
    label, count = Counter(labels).most_common(1)[0] if labels else ("", 1)
    if count == 1:
        return Factor(node, labels)
    first, second = [axis for axis, other in enumerate(labels) if other == label][:2]
    if node.shape[first] != node.shape[second]:
        raise ShapeError(f"{label!r} stands for the sizes {node.shape[first]} and {node.shape[second]} of one operand")
    rest = tuple(other for axis, other in enumerate(labels) if axis not in (first, second))
    return _diagonal(apply(Diagonal(0, first, second), node), (*rest, label))


def _distinct(factors: Sequence[Factor]) -> list[Factor]:
    """The factors without the axes of size 1 that stand for more: what is the same for all needs no index."""
    sizes: dict[object, Dimension] = {}
    for factor in factors:
        for label, size in zip(factor.labels, factor.node.shape, strict=True):
            known = sizes.setdefault(label, size)
            if 1 not in (known, size) and known != size:
                name = "'...'" if isinstance(label, int) else repr(label)
                raise ShapeError(f"{name} stands for the sizes {known} and {size}")
            sizes[label] = size if known == 1 else known
    kept = [[x for x in factor.labels if factor.sizes([x]) == (sizes[x],)] for factor in factors]
    return [Factor(reshaped(x.node, x.sizes(labels)), tuple(labels)) for x, labels in zip(factors, kept, strict=True)]


def _needed(others: Sequence[Factor], result: Labels) -> set[object]:
    return {*result, *(label for other in others for label in other.labels)}


def _summed(factor: Factor, kept: Collection[object]) -> Factor:
    axes = tuple(axis for axis, label in enumerate(factor.labels) if label not in kept)
    labels = tuple(label for label in factor.labels if label in kept)
    return Factor(apply(Sum(axes), factor.node), labels) if axes else factor


def _contracted(factors: list[Factor], result: Labels, optimize: bool | str) -> Factor:
    for places in _path(factors, result, optimize):
        taken = [factors[place] for place in places]
        factors = [factor for place, factor in enumerate(factors) if place not in places]
        while len(taken) > 1:
            x, y, *rest = taken
            taken = [contract(x, y, _needed([*factors, *rest], result)), *rest]
        factors.append(taken[0])
    return factors[0]


def _path(factors: Sequence[Factor], result: Labels, optimize: bool | str) -> list[tuple[int, ...]]:
    """Which factors to contract next, again and again; a product goes to the end of those that are left."""
    if len(factors) < 3:
        return [tuple(range(len(factors)))]
    labels = dict.fromkeys(label for factor in factors for label in factor.labels)
    if len(labels) > len(ascii_letters):
        raise ArgumentError(f"{len(labels)} axes have different names: no more than {len(ascii_letters)} may")
    letters = dict(zip(labels, ascii_letters, strict=False))
    terms = ["".join(letters[label] for label in one) for one in (*(factor.labels for factor in factors), result)]
    shapes = [tuple(map(counted, factor.node.shape)) for factor in factors]
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]  # one number each, whatever the shape
    path, _ = np.einsum_path(f"{','.join(terms[:-1])}->{terms[-1]}", *stand_ins, optimize=optimize)
    return list(path[1:])
