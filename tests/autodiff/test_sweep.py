import numpy as np
import pytest

import graphad as ga
from graphad.autodiff.sweep import Rows, Sweep, directions
from graphad.errors import DTypeError, ShapeError
from graphad.ir.node import Node, Scope, labels


def built_in(sweep: Sweep, twin: Node, position: int = 0) -> Node:
    with sweep.labels(twin.origin, "a rule", twin, position):
        return ga.tanh(twin)


def test_what_a_sweep_makes_for_a_node_has_its_scope_step_and_line_and_a_template_of_its_own() -> None:
    scope = Scope("cell")
    x = ga.input("x", (3,))
    with labels(scope, 4, template=(scope,)):
        h = ga.sin(x)
    first, second = Sweep(), Sweep()
    made = [built_in(first, h), built_in(first, h, position=1), built_in(second, h)]
    assert len({node.origin.template for node in made}) == 3
    assert built_in(first, h).origin.template == made[0].origin.template
    for node in made:
        assert (node.origin.scope, node.origin.step, node.origin.source) == (scope, 4, h.origin.source)
        assert (node.origin.twin, node.origin.made_by) == (h, "a rule")


def test_what_is_made_for_a_node_without_a_template_has_none() -> None:
    x = ga.input("x", (3,))
    assert built_in(Sweep(), x).origin.template is None


def test_sweeps_of_one_jacobian_are_steps_of_one_scope_and_share_their_templates() -> None:
    x, y = ga.input("x", (3,)), ga.input("y", (3,))
    rows, others = Rows(Scope("rows")), Rows(Scope("rows"))
    first, second = (built_in(Sweep(rows, row), x).origin for row in (0, 1))
    assert (first.scope, first.step, second.step) == (rows.scope, 0, 1)
    assert first.template == second.template
    assert first.source == x.origin.source
    for other in (built_in(Sweep(rows, 1), y), built_in(Sweep(rows, 1), x, position=1), built_in(Sweep(others, 1), x)):
        assert other.origin.template != first.template


def test_what_belongs_to_a_time_step_already_keeps_it_in_a_jacobian() -> None:
    scope, x = Scope("cell"), ga.input("x", (3,))
    with labels(scope, 4, template=(scope,)):
        h = ga.sin(x)
    rows = Rows(Scope("rows"))
    first, second = (built_in(Sweep(rows, row), h).origin for row in (0, 1))
    assert (first.scope, first.step) == (second.scope, second.step) == (scope, 4)
    assert first.template != second.template


def test_directions_are_nodes_of_the_types_of_theirs() -> None:
    x, s, v = ga.input("x", (2,), "float64"), ga.input("s", ()), ga.input("v", (2,), "float64")
    found = directions([np.ones(2), 3, v], [x, s, x], "tangent")
    assert [node.type for node in found] == [x.type, s.type, x.type]
    assert found[2] is v


def test_directions_that_do_not_fit_are_called_what_they_are() -> None:
    x = ga.input("x", (2,))
    with pytest.raises(ShapeError, match=r"the tangent <constant: float64\[3\]> .*<x: float32\[2\]>"):
        directions([np.ones(3)], [x], "tangent")
    with pytest.raises(DTypeError, match=r"the cotangent <constant: float64\[2\]> .*<x: float32\[2\]>"):
        directions([np.ones(2)], [x], "cotangent")
