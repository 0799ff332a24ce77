import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphad as ga
from graphad.ops.error_function import Erf, Erfc
from tests.autodiff.differences import value

LINE = np.concatenate([np.linspace(-30, 30, 24_001), np.geomspace(1e-300, 1, 601), -np.geomspace(1e-300, 1, 601)])
NORMAL = {"float64": 1e-300, "float32": 1e-36}
"""Below, numbers have fewer digits."""
kernels = pytest.mark.parametrize(("kernel", "exact"), [(Erf().kernel, math.erf), (Erfc().kernel, math.erfc)])


@kernels
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1.2e-15), ("float32", 5e-7)])
def test_the_error_functions_are_right_to_the_last_digits_over_the_whole_line(
    kernel: Any, exact: Any, dtype: str, tolerance: float
) -> None:
    x = LINE.astype(dtype)
    expected = np.array([exact(float(number)) for number in x])
    found = kernel(x)
    assert found.dtype == dtype
    kept = np.abs(expected) > NORMAL[dtype]
    np.testing.assert_allclose(found[kept], expected[kept], rtol=tolerance)
    np.testing.assert_allclose(found[~kept], expected[~kept], atol=NORMAL[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_line_are_exact(dtype: str) -> None:
    x = np.array([-math.inf, -1e4, -0.0, 0.0, 1e4, math.inf, math.nan], dtype)
    np.testing.assert_array_equal(Erf().kernel(x), [-1, -1, -0.0, 0, 1, 1, math.nan])
    np.testing.assert_array_equal(np.signbit(Erf().kernel(x)[2:4]), [True, False])
    np.testing.assert_array_equal(Erfc().kernel(x), [2, 2, 1, 1, 0, 0, math.nan])


@kernels
def test_the_error_function_is_written_over_its_operand(kernel: Any, exact: Any) -> None:
    x = np.linspace(-3, 3, 7)
    expected = kernel(x)
    assert kernel(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_complements_add_up_to_one() -> None:
    x = ga.input("x", LINE.shape, "float64")
    np.testing.assert_allclose(value(ga.erf(x) + ga.erfc(x), {x: LINE}), 1.0, rtol=1e-15)


def test_an_emitted_program_has_the_error_function_with_numpy_alone(tmp_path: Path) -> None:
    x = ga.input("x", (5,))
    function = ga.compile([x], ga.erf(x))
    function(np.zeros(5))
    program = tmp_path / "program.py"
    program.write_text(function.source)
    assert "graphad" not in function.source.partition("import numpy")[2]
    (found,) = runpy.run_path(str(program))["step"](np.full(5, 0.75, np.float32))
    np.testing.assert_allclose(found, math.erf(0.75), rtol=1e-6)
