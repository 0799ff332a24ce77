from __future__ import annotations

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError


def test_options_that_ask_for_what_is_done_anyway_are_taken() -> None:
    x = ga.input("x", (2, 3))
    assert np.sum(x, axis=1, dtype=None, out=None, where=True).shape == (2,)
    assert np.sort(x, kind="stable").shape == np.argsort(x, stable=True).shape == (2, 3)


def test_an_option_that_nobody_knows_is_pythons_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        ga.sum(ga.input("x", (3,)), axes=0)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", ["quicksort", True, 1])
def test_an_order_that_is_not_stable_is_refused(kind: object) -> None:
    with pytest.raises(ArgumentError, match=r"sort\(x: float32\[3\].*kind= .*always stable"):
        np.sort(ga.input("x", (3,)), kind=kind)  # type: ignore[call-overload]


def test_a_node_as_an_option_is_refused_like_any_other_value() -> None:
    x = ga.input("x", (3,))
    with pytest.raises(ArgumentError, match=r"where= is not supported: put ga\.where"):
        np.sum(x, where=x > 0)


def test_arguments_in_places_that_mean_something_else_in_numpy_are_refused() -> None:
    x = ga.input("x", (2, 3))
    with pytest.raises(TypeError, match="positional argument"):
        ga.var(x, 0, False, 1)  # type: ignore[call-arg]
    with pytest.raises(ArgumentError, match=r"sum\(x: .*keepdims is True or False; got None"):
        np.sum(x, 0, None)
