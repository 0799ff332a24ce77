"""What a node is in the story: forward or backward, and whose cotangent."""

import numpy as np

import graphad as ga
from graphad.ir.graph import Graph
from graphad.render import style
from graphad.render.roles import cotangents, depth_of, style_of
from tests.render.nets import rnn

NONE: frozenset[ga.Node] = frozenset()


def test_depth_counts_reverse_modes_and_no_tangents() -> None:
    x, v = ga.input("x", shape=(3,)), ga.input("v", shape=(3,))
    y = ga.tanh(x)
    d_x = ga.grad(ga.sum(y), x)
    assert depth_of(y) == 0
    assert depth_of(d_x) == 1
    assert depth_of(ga.grad(ga.sum(ga.exp(d_x)), d_x)) == 2
    assert depth_of(ga.jvp(y, x, v)) == 0


def test_of_partial_sums_the_last_is_the_cotangent() -> None:
    loss, (U, W, b) = rnn(4)
    gradients = ga.grad(loss, [U, W, b])
    found = cotangents(Graph((), (loss, *gradients)).nodes)
    assert [found[U], found[W], found[b]] == gradients


def test_each_role_has_its_style() -> None:
    x = ga.input("x", shape=("batch", 3))
    w = ga.parameter(np.ones(3, "float32"), "w")
    steps = ga.parameter(np.zeros(3, "float32"), "steps", trainable=False)
    y = ga.tanh(x * w)
    loss = ga.sum(y)
    d_y, d_w = ga.grad(loss, [y, w])
    tangent = ga.jvp(y, x, x)
    assert style_of(x, NONE) is style.INPUT
    assert style_of(w, frozenset([w])) is style.PARAMETER
    assert style_of(steps, NONE) is style.STATE
    assert style_of(ga.constant(1.0), NONE) is style.CONSTANT
    assert style_of(y, NONE) is style.OPERATION
    assert style_of(loss, frozenset([loss])) is style.OUTPUT
    assert style_of(tangent, NONE) is style.TANGENT
    assert style_of(d_w, NONE) is style.COTANGENT
    assert style_of(d_w, frozenset([d_w])) is style.GRADIENT
    assert style_of(d_w.operands[0].operands[0], NONE) in (style.BACKWARD, style.COTANGENT)
    assert depth_of(d_y) == 1
