from collections import namedtuple
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphad.errors import ArgumentError
from graphad.ir import nest


class Pair(NamedTuple):
    first: Any
    second: Any


def structures() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.integers(),
        lambda parts: (
            st.lists(parts, max_size=3)
            | st.lists(parts, max_size=3).map(tuple)
            | st.dictionaries(st.text(max_size=2), parts, max_size=3)
            | st.builds(Pair, parts, parts)
        ),
        max_leaves=10,
    )


@given(structures())
def test_a_structure_taken_apart_and_put_together_is_the_same(structure: Any) -> None:
    again = nest.rebuilt(structure, iter(nest.leaves(structure)))
    assert again == structure
    assert repr(again) == repr(structure)


@given(structures())
def test_mapping_goes_leaf_by_leaf_and_keeps_the_structure(structure: Any) -> None:
    doubled = nest.mapped(lambda a, b: a + b, structure, structure)
    assert nest.leaves(doubled) == [2 * leaf for leaf in nest.leaves(structure)]
    assert nest.outline(doubled) == nest.outline(structure)


@given(structures(), structures())
def test_structures_are_alike_exactly_if_one_outline_fits_both(a: Any, b: Any) -> None:
    if nest.outline(a) == nest.outline(b):
        nest.check_alike(a, b)
    else:
        with pytest.raises(ArgumentError, match="was expected"):
            nest.check_alike(a, b)


@pytest.mark.parametrize(
    ("a", "b"), [([1], (1,)), ([1], 1), ({"a": 1}, {"b": 1}), ([1, 2], [1, [2]]), ((), []), ({}, [])]
)
def test_kinds_lengths_and_keys_make_the_difference(a: Any, b: Any) -> None:
    with pytest.raises(ArgumentError):
        nest.mapped(lambda x, y: x, a, b)


def test_dicts_are_alike_whatever_the_order_of_their_keys() -> None:
    one, other = {"h": 1, "c": [2, {"y": 3, "x": 4}]}, {"c": [20, {"x": 40, "y": 30}], "h": 10}
    nest.check_alike(one, other)
    both = nest.mapped(lambda a, b: (a, b), one, other)
    assert both == {"h": (1, 10), "c": [(2, 20), {"y": (3, 30), "x": (4, 40)}]}
    assert [*both] == ["h", "c"]
    assert nest.leaves(one) == [2, 4, 3, 1]


def test_a_class_of_named_fields_is_made_again() -> None:
    point = namedtuple("point", "x y")  # noqa: PYI024 (both ways of declaring one)
    assert nest.mapped(lambda leaf: leaf + 1, {"at": point(1, [2])}) == {"at": point(2, [3])}
