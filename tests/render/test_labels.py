"""What is written on boxes and arrows."""

import re

import numpy as np
import pytest

import graphad as ga
from graphad.ir.op import Op
from graphad.render.labels import arrow_text, attributes, caption, has_users_name, shown, symbol, title, tooltip

X = ga.input("x", shape=("batch", 7, 4))


def kinds_of_op() -> list[type[Op]]:
    found = list(Op.__subclasses__())
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if hasattr(kind, "latex")]


@pytest.mark.parametrize("kind", kinds_of_op(), ids=lambda kind: kind.__name__)
def test_every_operation_has_a_sign_without_latex(kind: type[Op]) -> None:
    sign = symbol(kind.__new__(kind))
    assert sign == kind.name or re.fullmatch(r"[^\\{}a-zA-Z]{1,3}", sign)


def test_a_name_is_the_title_and_the_operation_the_caption() -> None:
    h = ga.tanh(X).named("h")
    assert (title(h), caption(h), has_users_name(h)) == ("h", "tanh", True)


def test_without_a_name_the_sign_is_the_title() -> None:
    assert (title(X * X), caption(X * X)) == ("×", "multiply")
    assert (title(ga.tanh(X)), caption(ga.tanh(X)), has_users_name(ga.tanh(X))) == ("tanh", "", False)


def test_the_cotangent_of_what_a_user_named_has_a_users_name() -> None:
    h = ga.tanh(X).named("h")
    d_h, d_exp = ga.grad(ga.sum(ga.exp(h * 2.0) * 3.0), [h, X])
    assert (title(d_h), has_users_name(d_h)) == ("d_h", True)
    assert title(d_exp) == "d_x"


def test_a_constant_is_titled_with_its_value_if_it_has_one_only() -> None:
    assert title(ga.constant(0.5)) == "0.5"
    assert title(ga.constant(7)) == "7"
    assert title(ga.constant(np.full((2, 3), 4.0, "float32"))) == "4.0"
    assert title(ga.constant([1.0, 2.0])) == "constant"
    assert title(ga.constant(np.zeros((0, 3)))) == "constant"


def test_the_value_of_a_size_is_titled_with_the_size() -> None:
    divisor = ga.mean(X).operands[1]
    assert title(divisor) == "28*batch"


def test_attributes_read_as_the_user_wrote_them() -> None:
    assert attributes(X[:, 3, 1:3]) == "[:, 3, 1:3]"
    assert attributes(X[:, ::2, 0]) == "[:, 0:8:2, 0]"
    assert attributes(ga.sum(X, axis=(1, 2), keepdims=True)) == "axes 1, 2"
    assert attributes(ga.reshape(X, (-1, 28))) == ""


def test_the_arrow_of_a_repeated_operand_tells_both_shapes() -> None:
    b = ga.input("b", shape=(4,))
    assert arrow_text(b, (X + b).operands[1]) == "float32[4] → [batch, 7, 4]"


def test_the_arrow_of_a_transposed_operand_has_a_sign() -> None:
    w = ga.input("w", shape=(3, 5))
    assert arrow_text(w, ga.transpose(w)) == "ᵀ float32[5, 3]"
    assert arrow_text(w, ga.broadcast_to(ga.transpose(w), (2, 5, 3))) == "ᵀ float32[3, 5] → [2, 5, 3]"
    assert arrow_text(w, w) == "float32[3, 5]"


def test_a_tooltip_tells_the_line_but_not_the_folder_of_the_users_code() -> None:
    lines = tooltip(ga.tanh(X).named("h")).splitlines()
    assert lines[:2] == ["h: float32[batch, 7, 4]", "tanh"]
    assert re.fullmatch(r"test_labels\.py:\d+", lines[2])


def test_a_tooltip_tells_who_made_a_node() -> None:
    d_x = ga.grad(ga.sum(ga.exp(X)), X)
    assert tooltip(d_x).splitlines()[-1] == "made by cotangent"


@pytest.mark.parametrize("name", ["a\nb", "\r\t\x00\x1f", "\ud800", "\u2028", "\u200b", "x" * 10_000])
def test_what_is_shown_is_one_short_printable_line(name: str) -> None:
    assert shown(name, 40).isprintable()
    assert 0 < len(shown(name, 40)) <= 60
