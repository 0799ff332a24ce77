"""The legend explains what is there, and nothing else."""

import graphad as ga
from graphad.ir.graph import Graph
from graphad.render import style
from graphad.render.legend import Legend, legend_of
from graphad.render.picture import picture_of
from tests.render.nets import dense, rnn


def legend(*outputs: ga.Node) -> Legend:
    return legend_of(picture_of(Graph((), outputs), "auto"))


def test_a_forward_pass_is_not_told_of_the_backward_pass() -> None:
    loss, _ = dense()
    found = legend(loss)
    assert [box.style for box in found.boxes] == [style.INPUT, style.PARAMETER, style.OPERATION, style.OUTPUT]
    assert found.arrows == (style.VALUE,)
    assert found.notes == (style.SIGNS["→"],)


def test_a_gradient_over_time_explains_all_its_kinds() -> None:
    loss, parameters = rnn(9)
    found = legend(loss, *ga.grad(loss, parameters))
    kinds = {box.style for box in found.boxes}
    assert kinds >= {style.COTANGENT, style.BACKWARD, style.GRADIENT, style.STEPS, style.CONSTANT}
    assert found.arrows == style.ARROW_STYLES
    assert found.notes == (*style.SIGNS.values(), style.LEVEL)


def test_a_lone_leaf_has_a_legend_of_one_box() -> None:
    found = legend(ga.input("x", shape=(3,)))
    assert ([box.style for box in found.boxes], found.arrows, found.notes) == ([style.INPUT], (), ())
