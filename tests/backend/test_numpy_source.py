import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import graphad as ga
from graphad import Node
from graphad.backend.numpy_statements import constant_line
from graphad.ir.evaluation import evaluate
from graphad.ir.leaves import Constant
from tests.ir.random_graphs import Sample, samples

DECLARATION = """
import numpy as np
import graphad as ga
x, y = ga.input("x", shape=("batch", 5, 3)), ga.input("y", shape=("batch",), dtype="int64")
generator = np.random.default_rng(0)
U, W, V, b = (ga.parameter(generator.normal(size=shape).astype("float32"), name=name)
              for name, shape in (("U", (3, 4)), ("W", (4, 4)), ("V", (4, 2)), ("b", (4,))))
def cell(h, x_t):
    h = ga.tanh(x_t @ U + h @ W + b)
    return h, h
h, _ = ga.unroll(cell, ga.broadcast_to(ga.constant(np.zeros((1, 4), "float32")), ("batch", 4)), x, axis=1)
loss = ga.mean(ga.softmax_cross_entropy(h @ V, y))
step = ga.compile([x, y], [loss, h], updates=ga.optim.Adam(0.1).updates(loss, [U, W, V, b]))
step.specialise(batch=7)
"""

ALONE = """
import sys
import numpy as np
import program
for name, value in np.load("parameters.npz").items():
    getattr(program, name)[...] = value
given = np.load("arguments.npz")
for _ in range(3):
    found = program.step(given["x"], given["y"])
assert "graphad" not in sys.modules
np.savez("found.npz", loss=found[0], h=found[1], **{name: getattr(program, name) for name in "UWVb"})
"""


def loaded(source: str, path: Path) -> ModuleType:
    """The emitted program, as a module of its own."""
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_emitted_program_runs_alone_and_trains_as_the_function_does(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    exec(DECLARATION, namespace)  # noqa: S102 (the declaration that other processes run too)
    step, parameters = namespace["step"], {name: namespace[name] for name in "UWVb"}
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(7, 5, 3)).astype("float32"), generator.integers(0, 2, 7)
    (tmp_path / "program.py").write_text(step.source, encoding="utf-8")
    np.savez(tmp_path / "arguments.npz", x=x, y=y)
    np.savez(tmp_path / "parameters.npz", **{name: node.value for name, node in parameters.items()})
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, check=True, env={})
    loss, h = [step(x, y) for _ in range(3)][-1]
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_array_equal(found["loss"], loss)
    np.testing.assert_array_equal(found["h"], h)
    for name, node in parameters.items():
        np.testing.assert_array_equal(found[name], node.value)


def test_the_same_declaration_gives_the_same_bytes_whatever_the_seed_of_hashes() -> None:
    def source(seed: str) -> str:
        command = [sys.executable, "-c", DECLARATION + "print(step.source)"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        return done.stdout

    first = source("1")
    assert "np.tanh" in first
    assert source("2") == first


@given(samples())
def test_any_program_is_python_that_computes_the_same_alone(sample: Sample) -> None:
    step = ga.compile(sample.graph.inputs, sample.graph.outputs, updates=sample.updates)
    expected = [array.copy() for array in evaluate(sample.whole, sample.arguments)]
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(step.source, "program.py", "exec"), namespace)  # noqa: S102 (that it runs alone is the fact)
    read = {node.name: node for node in sample.whole.nodes if node.name in {"w0", "w1"}}
    for name, node in read.items():
        namespace[str(name)][...] = node.value
    found = namespace["step"](*sample.arguments)
    for a, b in zip(found, expected, strict=False):
        np.testing.assert_array_equal(a, b)
    for parameter, value in zip(sample.updates, expected[len(found) :], strict=True):
        np.testing.assert_array_equal(namespace[str(parameter.name)], value)


X = ga.input("x", shape=(2, 3))
ARRAY = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -0.125]], np.float32)
RESERVED = ["np", "base64", "buffer", "memory", "arena", "compute", "compute_0", "results", "commit", "step", "found"]
BUILT_IN = ["__builtins__", "__name__", "print", "zip", "range", "slice", "x_given", "one_hot_kernel", "check_range"]
ODD = ["class", "None", "1st", "é", "a b", 'x"]\nimport os', "'''", "#", "\\", "\udcff", "\x00", "self", "arguments"]


@pytest.mark.parametrize("name", [*RESERVED, *BUILT_IN, *ODD])
def test_a_program_works_whatever_its_nodes_are_called(name: str, tmp_path: Path) -> None:
    x, index = ga.input(name, shape=(2, 3)), ga.input("index", shape=(2,), dtype="int64")
    w = ga.parameter(np.full((3, 2), 2.0, np.float32), name=name)
    hot = ga.one_hot(index, 3).named(name)
    out = (ga.sigmoid(x.T) * w).named(name)
    for kept in ([x, index], [index, x]):
        w.value = np.full((3, 2), 2.0)
        step = ga.compile(kept, [out, hot], updates={w: w + out})
        found, one = step(**{name: ARRAY, "index": [2, 0]})
        np.testing.assert_allclose(found, 2 / (1 + np.exp(-ARRAY.T)), rtol=1e-6)
        np.testing.assert_array_equal(one, [[0, 0, 1], [1, 0, 0]])
        np.testing.assert_allclose(w.value, 2 + found, rtol=1e-6)
        loaded(step.source, tmp_path / "program.py")


@pytest.mark.parametrize("name", [*RESERVED, *BUILT_IN])
def test_a_parameter_may_bear_any_name_alone(name: str) -> None:
    w, index = ga.parameter([2.0, 3.0, 4.0], name=name), ga.input("index", shape=(2,), dtype="int64")
    step = ga.compile([index], ga.one_hot(index, 3) * w)
    np.testing.assert_array_equal(step([2, 0]), [[0, 0, 4], [2, 0, 0]])


@pytest.mark.parametrize("name", ["evil\nraise SystemExit(3)\n.py", "a\rb = 1.py", "\udcff.py", "ünï\u2028.py"])
def test_the_name_of_the_users_file_cannot_break_the_program(name: str, tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"ga": ga}
    text = "x = ga.input('x', shape=(2, 3))\ny = ga.tanh(x)"
    exec(compile(text, name, "exec"), namespace)  # noqa: S102 (a file with a hostile name)
    step = ga.compile([namespace["x"]], namespace["y"])
    np.testing.assert_array_equal(step(ARRAY), np.tanh(ARRAY))
    loaded(step.source, tmp_path / "program.py")


@pytest.mark.parametrize(
    "value",
    [
        np.nan,
        -np.inf,
        [np.inf, np.nan, -0.0],
        np.zeros((0, 3), np.float32),
        np.zeros((3, 0), bool),
        np.arange(200.0).reshape(20, 10),
        np.array([2**63 - 1, -(2**63)]),
        np.array(2**64 - 1, np.uint64),
        np.array([[True, False]]),
        np.float32(1e-45),
    ],
)
@pytest.mark.parametrize("use", [lambda c: c, lambda c: c.T, lambda c: ga.where(ga.equal(c, c), c, c)])
def test_constants_of_every_kind_reach_the_program_bit_by_bit(value: Any, use: Callable[[Node], Node]) -> None:
    constant = ga.constant(value)
    for passes in ((), None):
        found = ga.compile([], use(constant), passes=passes)()
        expected = np.asarray(evaluate(ga.Graph((), (use(constant),)), [])[0])
        assert np.asarray(found).tobytes() == expected.tobytes()
        assert found.dtype == constant.dtype
        assert found.shape == use(constant).shape


@pytest.mark.parametrize(
    "node",
    [
        ga.cast(ga.constant(0.1), "float64"),
        ga.cast(ga.constant(300), "uint8"),
        ga.constant(np.uint64(1)) + ga.constant(np.uint64(2)),
        ga.constant(np.int8(100)) + ga.constant(np.int8(100)),
        ga.constant(0.1) * ga.constant(0.3),
        ga.exp(ga.constant(0.7)),
        ga.where(ga.constant(True), ga.constant(0.1), ga.constant(0.2)),
        ga.sigmoid(ga.constant(0.3)),
    ],
)
def test_functions_of_numbers_alone_are_computed_in_their_dtype(node: Node) -> None:
    """A Python number has none: of two of them numpy makes float64 or int64."""
    for passes in ((), None):
        found = ga.compile([], node, passes=passes)()
        (expected,) = evaluate(ga.Graph((), (node,)), [])
        assert found.dtype == node.dtype
        assert found == expected


def test_a_number_beside_an_array_is_written_as_a_number() -> None:
    source = ga.compile([X], ga.where(X > 0.5, X * 0.1, 0.0)).source
    for call in ("np.greater(x, 0.5, greater)", "np.multiply(x, 0.1, multiply)", "multiply, 0.0, out=where)"):
        assert call in source


def test_a_part_without_axes_is_a_view_and_not_a_number_of_the_first_moment() -> None:
    """numpy's x[1, 2] would copy a number out once, when the program is loaded."""
    for build in (lambda x: x[1, 2], lambda x: x[0][1], lambda x: ga.exp(x)[1, 0]):
        node = build(X)
        step = ga.compile([X], [node, node * 2.0], passes=())
        for array in (ARRAY, ARRAY + 1):
            (expected,) = evaluate(ga.Graph((X,), (node,)), [array])
            assert step(array) == [expected, 2 * expected]
    w = ga.parameter([1.0, 2.0])
    step = ga.compile([], w[1] * 3.0, updates={w: w + 1.0})
    assert [step(), step()] == [6.0, 9.0]


@pytest.mark.parametrize(
    "index",
    [
        np.s_[::-1],
        np.s_[0::-1],
        np.s_[0:2:-1],
        np.s_[1:0:-1, ::-2],
        np.s_[1:1],
        np.s_[:, 2:0:-1],
        np.s_[-1, ...],
        np.s_[5:, -2:],
        np.s_[..., 1],
    ],
)
def test_slices_are_what_they_are_in_numpy(index: Any) -> None:
    np.testing.assert_array_equal(ga.compile([X], X[index])(ARRAY), ARRAY[index])
    np.testing.assert_array_equal(ga.compile([X], X[index] * 2.0, passes=())(ARRAY), ARRAY[index] * 2)


def test_statements_write_into_places_and_say_their_line() -> None:
    source = ga.compile([X], ga.tanh(X) * 2.0).source
    ast.parse(source)
    (line,) = [line for line in source.splitlines() if "np.tanh" in line]
    assert line.startswith("    np.tanh(x, tanh)  # test_numpy_source.py:")


def test_every_view_of_a_block_of_parameters_is_read() -> None:
    U, V = (ga.parameter(np.ones((3, 3), np.float32), name=name) for name in "UV")
    loss = ga.sum(X @ U @ V)
    source = ga.compile([X], loss, updates=ga.optim.SGD(0.1).updates(loss, [U, V])).source
    assert "U = parameters[0:9].reshape((3, 3))" in source
    assert source.count("= parameters[") == 2


def test_a_result_that_overwrites_an_operand_is_the_same_array_in_loops_too() -> None:
    """Of two arrays that overlap numpy asks at each call how; of one array it knows."""
    assert "\nadd = reshape\n" in ga.compile([X], ga.exp(X).reshape(-1) + 1.0).source
    x, w = ga.input("x", (6, 2, 3)), ga.parameter(np.zeros((3, 3), np.float32), name="w")
    h, _ = ga.unroll(lambda h, x_t: (ga.tanh(x_t + h @ w), None), ga.broadcast_to(0.0, (2, 3)), x)
    source = ga.compile([x], h).source
    assert re.search(r"^add\w* = matmul\w*$", source, re.MULTILINE)


def test_a_product_of_two_matrices_is_a_method_call_and_of_many_np_matmul() -> None:
    one, many = ga.input("one", (2, 3)), ga.input("many", (4, 2, 3))
    assert "one.dot(transpose, matmul)" in ga.compile([one], one @ one.T).source
    assert "np.matmul(many, transpose, matmul)" in ga.compile([many], many @ ga.transpose(many, (0, 2, 1))).source


def test_an_input_that_is_read_in_another_order_of_axes_is_staged_in_that_order() -> None:
    x, w = ga.input("x", (2, 5, 3)), ga.parameter(np.ones((3, 4), np.float32), name="w")
    step = ga.compile([x], ga.transpose(x, (1, 0, 2)).reshape(10, 3) @ w)
    assert "x = buffer(0, (5, 2, 3), 'float32').transpose((1, 0, 2))" in step.source
    assert "out=reshape" not in step.source
    array = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(step(array), array.transpose(1, 0, 2).reshape(10, 3) @ np.ones((3, 4)), rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.arange(3, 203), "np.arange(3, 203)"),
        (np.full((2, 100), 0.5), "np.full((2, 100), 0.5, 'float64')"),
        (np.full(100, -np.inf), "np.full((100,), -np.inf, 'float64')"),
        (np.array([0.0, -0.0] * 4), "np.array([0.0, -0.0, 0.0, -0.0, 0.0, -0.0, 0.0, -0.0], 'float64')"),
        (np.arange(3, 203, dtype=np.int32), "b64decode"),
        (np.arange(200) % 100, "b64decode"),
    ],
)
def test_a_constant_that_counts_or_is_one_number_is_written_as_such(
    array: np.ndarray[Any, Any], text: str, tmp_path: Path
) -> None:
    line = constant_line("name", Constant.of(array)).text
    assert text in line
    found = loaded(f"import base64\nimport numpy as np\n{line}", tmp_path / "program.py").name
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(array))
    assert found.dtype == array.dtype


def test_the_program_carries_the_kernels_it_calls_once_and_no_others() -> None:
    source = ga.compile([X], [ga.sigmoid(X), ga.sigmoid(ga.sigmoid(X))]).source
    functions = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert functions.count("sigmoid_kernel") == 1
    assert {name for name in functions if name.endswith("_kernel")} == {"sigmoid_kernel"}
