"""DOT and the SVG that it becomes: names do no harm, equal programs give equal bytes, figures do not clash."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import graphad as ga
from graphad.ir.graph import Graph
from graphad.render.dot import dot_text
from graphad.render.layout import laid_out
from graphad.render.picture import picture_of
from tests.render.nets import dense, rnn

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"];x[label="',
    "<script>alert(1)</script>",
    "back\\slash\\",
    "\\N \\G \\l",
    "&amp; &#92; &lt;",
    "{a|b}",
    "]]> --> </svg>",
    "<<b>x</b>>",
    "日本語 Ünïcödé ∂",
]


def dot_of(*outputs: ga.Node) -> str:
    return dot_text(picture_of(Graph((), outputs), "auto"))


def svg_of(*outputs: ga.Node) -> ET.Element:
    return ET.fromstring(laid_out(dot_of(*outputs), "svg"))  # noqa: S314 (of our own making)


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [group for group in root.iter(f"{SVG}g") if name in group.get("class", "").split()]


def texts(root: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def tooltips(root: ET.Element) -> list[str]:
    titles = (link.get("{http://www.w3.org/1999/xlink}title", "") for link in root.iter(f"{SVG}a"))
    return [title.replace("\u200b", "") for title in titles]


def product(names: list[str]) -> tuple[ga.Node, list[ga.Node]]:
    factors = [ga.input(name, shape=(3,)) for name in names]
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return ga.sum(result), factors


def test_hostile_names_are_shown_as_they_are_and_do_nothing_else() -> None:
    loss, _ = product(HOSTILE)
    root = svg_of(loss)
    assert not list(root.iter(f"{SVG}script"))
    assert set(HOSTILE) <= set(texts(root))
    assert {f"{name}: float32[3]" for name in HOSTILE} <= {tooltip.split("\n")[0] for tooltip in tooltips(root)}
    assert len(of_class(root, "input")) == len(HOSTILE) + 1  # and the legend's


def test_hostile_names_of_steps_are_shown_as_they_are() -> None:
    for name in HOSTILE:
        h, _ = ga.unroll(lambda h, _: (ga.tanh(h), None), ga.input("h", shape=(3,)), steps=1, name=name)
        assert f"{name} · t = 0" in texts(svg_of(h))


@pytest.mark.parametrize("name", ["a\nb", "tab\tbell\x07", "\x00", "\ud800", "\u2028"])
def test_characters_that_cannot_be_shown_are_spelled_out(name: str) -> None:
    spelled = name.encode("unicode_escape").decode()
    assert spelled in texts(svg_of(ga.exp(ga.input(name, shape=(3,)))))


def test_the_svg_has_every_box_and_every_arrow_under_its_class() -> None:
    loss, _ = dense()
    root = svg_of(loss)
    assert [len(of_class(root, kind)) for kind in ("input", "parameter", "operation", "output")] == [2, 3, 4, 2]
    assert len(of_class(root, "value")) == 6 + 1  # and the legend's


def test_types_stand_on_the_arrows() -> None:
    loss, _ = dense()
    shown = [text.strip() for text in texts(svg_of(loss))]
    assert {"float32[batch, 4]", "float32[4, 3]", "float32[3] → [batch, 3]"} <= set(shown)


def test_a_users_name_is_larger_than_an_operations() -> None:
    sizes = {
        "".join(text.itertext()): float(text.get("font-size", 0))
        for text in svg_of(ga.argmax(ga.exp(ga.input("x", shape=(3,))).named("shares"), axis=0)).iter(f"{SVG}text")
    }
    assert sizes["shares"] > sizes["argmax"] > sizes["exp"]


def test_steps_are_clusters_and_the_backward_pass_has_its_own() -> None:
    loss, parameters = rnn(3)
    shown = texts(svg_of(loss, *ga.grad(loss, parameters)))
    for step in range(3):
        assert f"cell · t = {step}" in shown
        assert f"cell · t = {step} · backward" in shown


def test_each_cotangent_is_level_with_its_primal() -> None:
    loss, parameters = rnn(3)
    picture = picture_of(Graph((), (loss, *ga.grad(loss, parameters))), "auto")
    root = svg_of(loss, *ga.grad(loss, parameters))
    heights = {
        group.get("id", "").rpartition("-")[2]: float(next(group.iter(f"{SVG}text")).get("y", 0))
        for group in of_class(root, "node")
        if list(group.iter(f"{SVG}text"))
    }
    for primal, cotangent in picture.pairs:
        assert abs(heights[f"box{primal}"] - heights[f"box{cotangent}"]) < 12  # points, less than between two levels


def test_the_background_is_transparent() -> None:
    root = svg_of(ga.exp(ga.input("x", shape=(3,))))
    (figure,) = of_class(root, "graph")
    assert not figure.findall(f"{SVG}polygon")  # Graphviz paints a background as the figure's own polygon


def test_two_figures_on_a_page_share_no_id() -> None:
    x = ga.input("x", shape=(3,))
    one, other = ({e.get("id") for e in svg_of(y).iter()} - {None} for y in (ga.exp(x), ga.tanh(x)))
    assert one
    assert not one & other


def test_a_leaf_alone_is_a_picture() -> None:
    assert "x" in texts(svg_of(ga.input("x", shape=(3,))))


def test_a_second_derivative_is_laid_out() -> None:
    w, x = ga.parameter(np.ones(3, "float32"), "w"), ga.input("x", shape=(3,))
    loss = ga.sum(ga.tanh(x * w) * w)
    d_w = ga.grad(loss, w)
    root = svg_of(loss, d_w, ga.grad(ga.sum(d_w * x), w))
    assert "d_d_w" in texts(root)


PROGRAM = """
import graphad as ga, sys
from tests.render.nets import rnn
loss, parameters = rnn(9)
drawing = ga_draw.draw_gradient(loss, parameters)
sys.stdout.reconfigure(encoding="utf-8")
print(drawing.dot, drawing.svg, drawing, sep="")
""".replace("ga_draw", "__import__('graphad.render.drawing', fromlist=['x'])")


def test_the_same_program_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    root = str(Path(ga.__file__).parents[1])
    printed = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "987")
    ]
    assert len(printed[0]) > 10_000
    assert printed[0] == printed[1] == printed[2]
