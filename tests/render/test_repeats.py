"""Leaves that are drawn again at each step."""

from collections import Counter

import graphad as ga
from graphad.ir.graph import Graph
from graphad.render.picture import Picture, picture_of
from graphad.render.repeats import with_repeats
from tests.render.nets import rnn


def where(picture: Picture, title: str) -> Counter[str]:
    return Counter("outside" if box.frame is None else "inside" for box in picture.boxes if box.title == title)


def test_what_six_steps_share_is_drawn_once() -> None:
    loss, _ = rnn(6)
    picture = picture_of(Graph((), (loss,)), "never")
    assert with_repeats(picture) == picture


def test_what_more_steps_share_is_drawn_at_each() -> None:
    loss, _ = rnn(9)
    picture = with_repeats(picture_of(Graph((), (loss,)), "never"))
    for leaf in ("x", "U", "W", "b"):
        assert where(picture, leaf) == {"inside": 9}


def test_a_leaf_with_a_gradient_stays_beside_it_too() -> None:
    loss, parameters = rnn(9)
    picture = with_repeats(picture_of(Graph((), (loss, *ga.grad(loss, parameters))), "never"))
    assert where(picture, "W") == {"inside": 9, "outside": 1}
    assert {picture.boxes[a].title for a, b in picture.pairs if picture.boxes[b].title == "d_W"} == {"W"}


def test_no_arrow_is_lost_and_each_starts_at_a_box_of_the_same_title() -> None:
    loss, parameters = rnn(9)
    before = picture_of(Graph((), (loss, *ga.grad(loss, parameters))), "never")
    after = with_repeats(before)
    ends = [[(p.boxes[a.tail].title, p.boxes[a.head].title, a.label) for a in p.arrows] for p in (before, after)]
    assert ends[0] == ends[1]
    assert all(
        after.boxes[a.tail].frame is after.boxes[a.head].frame for a in after.arrows if after.boxes[a.tail].title == "W"
    )
