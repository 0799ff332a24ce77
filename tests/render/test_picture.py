"""Which boxes and arrows a graph becomes."""

import sys
import time
from collections import Counter

import numpy as np

import graphad as ga
from graphad.ir.graph import Graph
from graphad.render import style
from graphad.render.picture import Box, Picture, picture_of
from graphad.render.steps import Fold
from graphad.render.style import BoxStyle
from tests.render.nets import dense, rnn


def painted(*outputs: ga.Node, fold: Fold = "auto") -> Picture:
    return picture_of(Graph((), outputs), fold)


def the(picture: Picture, title: str) -> Box:
    (found,) = (box for box in picture.boxes if box.title == title)
    return found


def arrows(picture: Picture) -> set[tuple[str, str, str]]:
    return {(picture.boxes[a.tail].title, picture.boxes[a.head].title, a.label) for a in picture.arrows}


def count(picture: Picture) -> Counter[BoxStyle]:
    return Counter(box.style for box in picture.boxes)


def test_a_layer_is_drawn_as_it_is_written() -> None:
    loss, _ = dense()
    picture = painted(loss)
    assert arrows(picture) == {
        ("x", "•", "float32[batch, 4]"),
        ("W", "•", "float32[4, 3]"),
        ("•", "+", "float32[batch, 3]"),
        ("b", "+", "float32[3] → [batch, 3]"),
        ("+", "h", "float32[batch, 3]"),
        ("h", "loss", "float32[batch, 3]"),
    }
    assert count(picture) == {style.INPUT: 1, style.PARAMETER: 2, style.OPERATION: 3, style.OUTPUT: 1}


def test_a_number_stands_beside_each_of_its_readers() -> None:
    x, one = ga.input("x", shape=(3,)), ga.constant(1.0)
    picture = painted(ga.exp(x + one) * one)
    assert count(picture)[style.CONSTANT] == 2
    assert all(box.small for box in picture.boxes if box.style is style.CONSTANT)


def test_a_named_broadcast_and_one_that_is_an_output_are_boxes() -> None:
    b = ga.input("b", shape=(3,))
    rows = ga.broadcast_to(b, (2, 3))
    assert [box.title for box in painted(rows).boxes] == ["b", "broadcast_to"]
    assert [box.title for box in painted(ga.exp(rows.named("rows"))).boxes] == ["b", "rows", "exp"]


def test_an_operand_that_is_read_twice_has_two_arrows() -> None:
    x = ga.input("x", shape=(3,))
    assert len(painted(x * x).arrows) == 2


def test_each_step_has_a_frame_and_leaves_stand_outside() -> None:
    loss, _ = rnn(3)
    picture = painted(loss)
    inside = Counter(box.frame.title for box in picture.boxes if box.frame is not None)
    assert inside == {"cell · t = 0": 7, "cell · t = 1": 6, "cell · t = 2": 6}  # the first has h = 0.0 in it
    assert the(picture, "x").frame is None
    assert the(picture, "U").frame is None


def test_what_is_carried_from_step_to_step_has_an_arrow_of_its_own() -> None:
    loss, parameters = rnn(3)
    picture = painted(loss, *ga.grad(loss, parameters))
    carried = [a for a in picture.arrows if a.style is style.CARRIED]
    assert [picture.boxes[a.tail].title for a in carried] == ["h", "h"]
    back = Counter(picture.boxes[a.head].title for a in picture.arrows if a.style is style.PULLED_ACROSS)
    assert back["d_h"] == 2


def test_of_many_steps_three_are_drawn_and_one_box_for_the_others() -> None:
    loss, _ = rnn(50)
    picture = painted(loss)
    assert count(picture)[style.STEPS] == 1
    assert the(picture, "… 47 more steps …").style is style.STEPS
    assert sum(box.title == "h" for box in picture.boxes) == 3
    assert arrows(picture) >= {
        ("h", "… 47 more steps …", "float32[batch, 5]"),
        ("… 47 more steps …", "•", "float32[batch, 5]"),
        ("W", "… 47 more steps …", "float32[5, 5]"),
    }


def test_arrows_to_steps_that_are_left_out_are_drawn_once() -> None:
    loss, _ = rnn(50)
    picture = painted(loss)
    into = [(a.tail, a.head) for a in picture.arrows if picture.boxes[a.head].style is style.STEPS]
    assert len(into) == len(set(into)) == 5  # x, U, W, b and the state


def test_the_backward_pass_leaves_out_the_same_steps() -> None:
    loss, parameters = rnn(50)
    picture = painted(loss, *ga.grad(loss, parameters))
    assert sorted(box.depth for box in picture.boxes if box.style is style.STEPS) == [0, 1]
    assert sum(picture.boxes[cotangent].title == "d_h" for _, cotangent in picture.pairs) == 3


def test_never_draws_every_step() -> None:
    loss, _ = rnn(20)
    picture = painted(loss, fold="never")
    assert sum(box.title == "h" for box in picture.boxes) == 20
    assert count(picture)[style.STEPS] == 0


def test_each_cotangent_stands_in_the_frame_of_its_primal() -> None:
    loss, parameters = rnn(4)
    picture = painted(loss, *ga.grad(loss, parameters))
    titles = [(picture.boxes[a].title, picture.boxes[b].title) for a, b in picture.pairs]
    assert {("h", "d_h"), ("U", "d_U"), ("W", "d_W"), ("b", "d_b")} <= set(titles)
    assert titles.count(("h", "d_h")) == 4
    for primal, cotangent in picture.pairs:
        assert picture.boxes[primal].frame is picture.boxes[cotangent].frame
        assert picture.boxes[cotangent].depth == picture.boxes[primal].depth + 1


def test_the_terms_of_a_weights_gradient_stand_where_they_are_made() -> None:
    loss, (_, W, _) = rnn(4)
    picture = painted(loss, ga.grad(loss, W))
    terms = {box.frame.title for box in picture.boxes if box.title == "d_W" and box.frame is not None}
    assert terms == {"cell · t = 1", "cell · t = 2", "cell · t = 3"}


def test_cotangents_of_stacked_outputs_stand_at_their_steps() -> None:
    x, w = ga.input("x", shape=(4, 3)), ga.parameter(np.ones(3, "float32"), "w")

    def cell(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, ga.Node]:
        h = ga.tanh(h * w + x_t).named("h")
        return h, h

    _, hs = ga.unroll(cell, ga.zeros_like(x[0]), x)
    loss = ga.sum(ga.exp(hs))
    picture = painted(loss, ga.grad(loss, w))
    assert all(box.frame is not None for box in picture.boxes if box.title == "d_h")


def test_ten_thousand_steps_take_seconds_and_no_recursion() -> None:
    assert sys.getrecursionlimit() <= 1000
    loss, _ = rnn(10_000)
    graph = Graph((), (loss,))
    start = time.perf_counter()
    picture = picture_of(graph, "auto")
    assert time.perf_counter() - start < 10
    assert len(graph.nodes) > 60_000
    assert len(picture.boxes) < 40
