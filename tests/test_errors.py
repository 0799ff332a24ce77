import inspect

import pytest

from graphad import errors
from graphad.errors import GraphadError, ShapeError

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__]
BUILT_IN = (TypeError, ValueError, LookupError, AssertionError, RuntimeError, OSError, ArithmeticError)


@pytest.mark.parametrize("kind", [found for found in CLASSES if found is not GraphadError])
def test_each_error_is_one_of_ours_and_one_that_python_users_catch(kind: type[Exception]) -> None:
    assert issubclass(kind, GraphadError)
    assert issubclass(kind, BUILT_IN)
    assert kind.__doc__
    with pytest.raises(GraphadError, match="what went wrong"):
        raise kind("what went wrong")


def test_every_error_of_ours_can_be_caught_at_once() -> None:
    assert len(CLASSES) > 10
    assert all(issubclass(kind, GraphadError) for kind in CLASSES)


def test_an_error_says_once_where_it_happened() -> None:
    error = ShapeError("3 meets 4")
    error.locate("add(x, y)", "step 2 model.py:7")
    error.locate("matmul(x, y)", "step 3 model.py:9")
    assert str(error) == "add(x, y): 3 meets 4 (at step 2 model.py:7)"
    other = ShapeError("3 meets 4")
    assert not other.located
    other.locate("add(x, y)", "")
    assert str(other) == "add(x, y): 3 meets 4"
