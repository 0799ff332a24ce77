from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.errors import ArgumentError, DTypeError, GradientError, ShapeError, UnreachedError
from graphad.ir.node import Node
from graphad.ir.op import Array
from tests.autodiff.differences import value, values

POINT = np.array([0.3, -1.2, 0.7])


def vector(name: str = "x") -> Node:
    return ga.input(name, (3,), "float64")


def assert_alike(first: Node, second: Node, given: dict[Node, Array]) -> None:
    one, other = values([first, second], given)
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def tanh_rule(cotangent: Node, result: Node, x: Node) -> Node:
    return cotangent * (1.0 - result * result)


own_tanh = ga.custom_gradient(ga.tanh, tanh_rule)


def test_the_gradient_is_the_users_and_the_value_the_functions() -> None:
    double = ga.custom_gradient(ga.sin, lambda cotangent, result, x: 2.0 * cotangent)
    x = vector()
    y = double(x)
    for backend in ("numpy", "reference"):
        found, gradient = ga.compile([x], [y, ga.grad(ga.sum(y), x)], backend=backend)(POINT)
        np.testing.assert_array_equal(found, np.sin(POINT))
        np.testing.assert_array_equal(gradient, [2, 2, 2])


def test_it_costs_nothing_once_it_is_compiled() -> None:
    x = vector()
    assert ga.compile([x], own_tanh(x)).report().statements == 1
    assert "kernel" not in ga.compile([x], own_tanh(x)).source


def test_a_rule_that_is_right_agrees_with_differences_to_second_order() -> None:
    x = ga.parameter(POINT, name="x")
    loss = ga.sum(own_tanh(x * x) * x)
    ga.check_gradients(loss, x, order=2)


def test_the_second_derivative_is_that_of_the_rule() -> None:
    """The rule of the cube passes c x: so the second derivative is 1, whatever that of a cube is."""
    cube = ga.custom_gradient(lambda x: x * x * x, lambda c, y, x: c * x)
    x = vector()
    slope = ga.grad(ga.sum(cube(x)), x)
    first, second = values([slope, ga.grad(ga.sum(slope), x)], {x: POINT})
    np.testing.assert_array_equal(first, POINT)
    np.testing.assert_array_equal(second, [1, 1, 1])


def product(x: Node, w: Node) -> Node:
    return x @ w


def product_rule(cotangent: Node, _: Node, x: Node, w: Node) -> tuple[Node, Node]:
    return cotangent @ w.T, x.T @ cotangent


def test_several_operands_get_one_cotangent_each_and_forward_mode_is_the_adjoint() -> None:
    own = ga.custom_gradient(product, product_rule)
    x, w, u, v = (ga.input(name, shape, "float64") for name, shape in zip("xwuv", [(2, 3), (3, 4)] * 2, strict=True))
    generator = np.random.default_rng(0)
    given = {node: generator.standard_normal(node.type.static_shape) for node in (x, w, u, v)}
    c = generator.standard_normal((2, 4))
    y, expected = ga.tanh(own(x, w)), ga.tanh(x @ w)
    for found, right in zip(ga.vjp(y, [x, w], c), ga.vjp(expected, [x, w], c), strict=True):
        assert_alike(found, right, given)
    for wrt, tangents in (([x, w], [u, v]), ([x], [u]), ([w], [v])):
        assert_alike(ga.jvp(y, wrt, tangents), ga.jvp(expected, wrt, tangents), given)


def test_hessians_and_products_with_them_go_through_the_rule() -> None:
    x, v = vector(), vector("v")
    loss, expected = (ga.sum(f(x) * x[::-1]) for f in (own_tanh, ga.tanh))
    given = {x: POINT, v: np.array([1.0, -2.0, 0.5])}
    assert_alike(ga.hessian(loss, x), ga.hessian(expected, x), given)
    assert_alike(ga.hvp(loss, x, v), ga.hvp(expected, x, v), given)
    assert_alike(ga.jacobian(ga.grad(loss, x), x), ga.jacobian(ga.grad(expected, x), x), given)


def test_a_rule_that_is_not_linear_in_its_cotangent_has_reverse_mode_only() -> None:
    clipped = ga.custom_gradient(lambda x: x, lambda c, y, x: ga.where(ga.absolute(c) > 1.0, c * c, c))
    x = vector()
    np.testing.assert_array_equal(value(ga.grad(ga.sum(3.0 * clipped(x)), x), {x: POINT}), [9, 9, 9])
    with pytest.raises(GradientError, match="forward mode transposes the vjp of <lambda>, which is not linear"):
        ga.jvp(clipped(x), x, x)


def test_what_gets_none_or_is_used_beside_the_operands_is_not_reached() -> None:
    x, w, captured = vector("x"), vector("w"), vector("captured")
    half = ga.custom_gradient(lambda x, w: x * w * captured, lambda c, y, x, w: (c * w, None))
    loss = ga.sum(half(x, w))
    assert ga.grad(loss, x).type == x.type
    for node in (w, captured):
        with pytest.raises(UnreachedError, match=f"<{node.name}: "):
            ga.grad(loss, node)
    np.testing.assert_array_equal(
        value(ga.jvp(half(x, w), w, POINT), dict.fromkeys((x, w, captured), POINT)), np.zeros(3)
    )


def test_operands_may_be_arrays_numbers_and_integers() -> None:
    pick = ga.custom_gradient(
        lambda x, i, scale: ga.take_along_axis(x, i, 0) * scale,
        lambda c, y, x, i, scale: (ga.sum(c) + 0.0 * x, None, None),
    )
    x = vector()
    found = ga.grad(ga.sum(pick(x, np.array([2, 0]), 3.0)), x)
    np.testing.assert_array_equal(value(found, {x: POINT}), [2, 2, 2])


def test_a_cotangent_may_be_a_number_or_an_array() -> None:
    f = ga.custom_gradient(lambda x, s: x * s, lambda c, y, x, s: (np.ones(3), 7))
    x, s = vector(), ga.input("s", (), "float64")
    for_x, for_s = values(ga.grad(ga.sum(f(x, s)), [x, s]), {x: POINT, s: np.array(1.0)})
    np.testing.assert_array_equal(for_x, [1, 1, 1])
    assert for_s == 7


def test_a_rule_may_draw_and_may_be_written_in_a_cell() -> None:
    """Stochastic rounding of the state, straight through."""

    def rounded(x: Node) -> Node:
        return ga.floor(x * 8.0 + ga.uniform(x.shape, dtype=x.dtype)) / 8.0

    straight = ga.custom_gradient(rounded, lambda c, y, x: c)
    x, W = ga.input("x", (2, 6, 3), "float64"), ga.input("W", (3, 3), "float64")

    def cell(h: Node, x_t: Node) -> tuple[Node, Node]:
        h = straight(ga.tanh(x_t + h @ W))
        return h, h

    h, hs = ga.unroll(cell, ga.zeros_like(x[:, 0]), x, axis=1)
    outputs = [hs, *ga.grad(ga.sum(h * h), [x, W])]
    arrays = [np.random.default_rng(i).standard_normal(node.type.static_shape) for i, node in enumerate((x, W))]
    found, plain = (ga.compile([x, W], outputs, passes=passes)(*arrays) for passes in (None, ()))
    np.testing.assert_array_equal(found[0] * 8, np.round(found[0] * 8))
    for one, other in zip(found, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_a_custom_gradient_in_a_cell_is_pushed_forward_in_time_that_grows_with_its_steps_only() -> None:
    x = ga.input("x", (), "float64")

    def cell(h: Node, _: None) -> tuple[Node, None]:
        return own_tanh(h), None

    h, _ = ga.unroll(cell, x, steps=1_000)
    tangent, gradient = ga.jvp(h, x, 1.0), ga.grad(h, x)
    assert_alike(tangent, gradient, {x: np.array(0.5)})
    assert ga.compile([x], tangent).report().statements < 40


def test_one_cotangent_may_be_that_of_several_operands() -> None:
    total = ga.custom_gradient(lambda x, y: x + y, lambda c, result, x, y: (c, c))
    x, y = vector("x"), vector("y")
    tangent = ga.jvp(total(x, y), [x, y], [POINT, np.ones(3)])
    np.testing.assert_array_equal(value(tangent), POINT + 1)


def test_the_functions_name_and_docstring_are_kept() -> None:
    assert ga.custom_gradient(product, product_rule).__name__ == "product"
    assert "custom_gradient(x: float64[3]" not in repr(own_tanh(vector()))


# Bad input.


@pytest.mark.parametrize(
    ("returned", "kind", "message"),
    [
        (lambda c, y, x, i: c, GradientError, "returned 1 cotangents for 2 operands: return one for each"),
        (lambda c, y, x, i: (c, None, c), GradientError, "returned 3 cotangents for 2 operands"),
        (
            lambda c, y, x, i: (ga.sum(c), None),
            ShapeError,
            r"the cotangent <sum: float64\[\]> must be of the type of <x",
        ),
        (lambda c, y, x, i: (c.astype("float32"), None), DTypeError, r"<cast: float32\[3\]> must be of the type of <x"),
        (lambda c, y, x, i: (c, c), GradientError, r"a cotangent for <i: int64\[3\]>, which has none: return None"),
    ],
)
def test_cotangents_that_do_not_fit_are_refused_with_the_function_and_the_line(
    returned: Any, kind: type[Exception], message: str
) -> None:
    def scaled(x: Node, i: Node) -> Node:
        return x * i

    x, i = vector(), ga.input("i", (3,), "int64")
    y = ga.custom_gradient(scaled, returned)(x, i)
    with pytest.raises(kind, match=rf"the vjp of scaled: .*{message}.* \(at test_custom\.py:\d+\)"):
        ga.grad(ga.sum(y), x)


def test_a_function_that_returns_no_float_node_is_refused() -> None:
    x = vector()
    with pytest.raises(
        ArgumentError, match=r"pair\(x: float64\[3\]\): .*returns a node; it returned \(.*test_custom\.py:"
    ):
        ga.custom_gradient(pair, tanh_rule)(x)  # type: ignore[arg-type]
    with pytest.raises(GradientError, match=r"argmax\(x: float64\[3\]\): it returned <argmax: int64\[\]>"):
        ga.custom_gradient(ga.argmax, tanh_rule)(x)
    with pytest.raises(ArgumentError, match=r"takes two functions; got .* and None"):
        ga.custom_gradient(pair, None)  # type: ignore[arg-type]


def pair(x: Node) -> tuple[Node, Node]:
    return x, x


def test_central_differences_see_a_rule_that_is_wrong() -> None:
    x = ga.parameter(POINT, name="x")
    wrong = ga.custom_gradient(ga.tanh, lambda c, y, x: c)
    with pytest.raises(ga.errors.GradientMismatchError, match="gradient of x"):
        ga.check_gradients(ga.sum(wrong(x)), x)
