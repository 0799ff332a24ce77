import builtins
import inspect
import keyword
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import graphad as ga
from graphad import Node
from graphad.backend.numpy_names import Names, comment, function_name, identifier, kernel_sources, scalar_literal
from graphad.ir.node import Scope, labels
from graphad.ops.indexing import OneHot, TakeAlongAxis, check_range
from graphad.ops.transcendental import Sigmoid, Tanh

HOSTILE = [
    "W:0",
    "class",
    "1st",
    "",
    "é",
    "a\nb",
    'x"]; import os',
    "<script>",
    "None",
    "\udcff",
    "\x00",
    "__builtins__",
]


@given(st.text())
@example("a\u0301")
def test_any_label_becomes_an_identifier(label: str) -> None:
    name = identifier(label)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)


@given(st.lists(st.text(max_size=4) | st.sampled_from([*HOSTILE, "x", "x_2", "x_3", "np", "step"]), max_size=12))
def test_each_node_has_a_name_that_no_other_has_and_that_nothing_else_needs(wanted: list[str]) -> None:
    names = Names(["tanh_kernel"])
    nodes = [ga.constant(0.0).named(label) for label in wanted]
    found = [names[node] for node in nodes]
    assert len(set(found)) == len(found)
    assert [names[node] for node in nodes] == found
    taken = {"np", "base64", "buffer", "memory", "arena", "compute", "results", "commit", "step", "__builtins__"}
    assert not set(found) & {*taken, "tanh_kernel", *dir(builtins)}


def test_a_name_tells_the_step() -> None:
    x = ga.input("x", shape=(3,))
    with labels(Scope("cell"), 12):
        node = ga.tanh(x)
    names = Names()
    assert [names[node], names[x], names[ga.input("x")]] == ["tanh_t12", "x", "x_2"]


def test_many_equal_names_are_told_apart_quickly() -> None:
    names = Names()
    assert names.fresh("x") == "x"
    assert [names.fresh("x") for _ in range(50_000)][-1] == "x_50001"


@given(st.text())
@example("a\nimport os")
@example("a\rb\u2028c\x0cd")
@example("\udcff.py:3")
def test_any_text_makes_a_comment_of_one_line(text: str) -> None:
    line = "y = 1" + comment(text)
    line.encode()
    namespace: dict[str, Any] = {}
    exec(compile(line.replace("\x00", ""), "a file", "exec"), namespace)  # noqa: S102 (that it does nothing is the fact)
    assert namespace["y"] == 1
    assert "\n" not in line
    assert "\r" not in line


def test_functions_are_called_by_their_own_names() -> None:
    functions = [
        op.numpy_call()[0] for op in (Tanh(), ga.sum(ga.constant([1.0, 2.0])).op, ga.max(ga.constant([1.0])).op)
    ]
    assert list(map(function_name, functions)) == ["np.tanh", "np.add.reduce", "np.maximum.reduce"]
    assert function_name(Sigmoid().numpy_call()[0]) == "sigmoid_kernel"
    assert function_name(np.argmax) == "np.argmax"


def test_kernels_come_with_what_they_call_each_once_callees_first_and_without_annotations() -> None:
    take, one_hot = TakeAlongAxis(0).numpy_call()[0], OneHot(3, np.dtype("float32")).numpy_call()[0]
    sources = kernel_sources([take, np.tanh, one_hot, take, Sigmoid().numpy_call()[0]])
    order = list(sources)
    assert order.index("check_range") < order.index("take_along_axis_kernel") < order.index("one_hot_kernel")
    assert order[-1] == "sigmoid_kernel"
    assert len(set(order)) == len(order)
    assert sources["check_range"].startswith("def check_range(indices, size):\n")
    namespace: dict[str, Any] = {"np": np}
    for source in sources.values():
        exec(source, namespace)  # noqa: S102 (as a backend does)
    np.testing.assert_array_equal(namespace["multiples"](3, np.empty(4)), [0, 3, 6, 9])
    with pytest.raises(IndexError):
        namespace["check_range"](np.array([3]), 3)
    assert kernel_sources([np.tanh, check_range, np.exp]) == {"check_range": sources["check_range"]}


def test_the_source_of_a_kernel_is_read_once_however_many_statements_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it takes a hundred times longer than writing a statement."""
    reads, getsource = [], inspect.getsource

    def counted(function: Callable[..., Any]) -> str:
        reads.append(function)
        return getsource(function)

    monkeypatch.setattr(inspect, "getsource", counted)
    assert len(kernel_sources([Sigmoid().numpy_call()[0]] * 1_000)) == len(reads) == 1


def literal_of(number: Any) -> str | None:
    return scalar_literal(ga.constant(number))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@example(0.1)
@example(-0.0)
@example(1e-45)
@example(3.4028234663852886e38)
@example(16777217.0)
def test_a_float32_literal_reads_back_as_the_same_number(number: float) -> None:
    value = np.float32(number)
    text = literal_of(value)
    assert text is not None
    assert np.float32(float(text)).tobytes() == value.tobytes()
    assert (
        np.add(np.full(1, -0.0, np.float32), float(text)).tobytes() == (np.full(1, -0.0, np.float32) + value).tobytes()
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float64_literal_reads_back_as_the_same_number(number: float) -> None:
    text = literal_of(np.float64(number))
    assert text is not None
    assert np.float64(text).tobytes() == np.float64(number).tobytes()


@given(st.sampled_from(["int8", "int64", "uint64", "bool"]), st.data())
def test_whole_numbers_and_truth_values_read_back_exactly(dtype: str, data: st.DataObject) -> None:
    limits = (0, 1) if dtype == "bool" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    value = np.array(data.draw(st.integers(*limits)), dtype)
    text = literal_of(value)
    assert text == str(value.item())


def test_a_literal_is_short() -> None:
    assert [literal_of(x) for x in (0.1, np.float64(0.1), 2.0, np.int8(-3), True)] == [
        "0.1",
        "0.1",
        "2.0",
        "-3",
        "True",
    ]


@pytest.mark.parametrize(
    "node", [ga.constant(np.nan), ga.constant(np.inf), ga.constant([1.0]), ga.input("x"), ga.constant(1.0) + 1.0]
)
def test_what_has_no_literal_or_is_no_single_number_is_not_written_as_one(node: Node) -> None:
    assert scalar_literal(node) is None
