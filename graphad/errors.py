"""Every exception that graphad raises on purpose.

Each derives from `GraphadError` and from the built-in exception that a Python user would catch for the same mistake,
so both ``except ga.errors.GraphadError`` and ``except ValueError`` do what they say.
"""

from typing import Any


class GraphadError(Exception):
    """The base of everything graphad raises on purpose."""

    located = False

    def locate(self, call: str, place: str) -> None:
        """Say in the message which call went wrong and where, unless it says so already."""
        if not self.located:
            self.args = (f"{call}: {self}" + (f" (at {place})" if place else ""),)
            self.located = True


class ShapeError(GraphadError, ValueError):
    """Shapes, axes or sizes that do not fit together."""


class DTypeError(GraphadError, TypeError):
    """A dtype that an operation, an input or a gradient cannot take."""


class SymbolicValueError(GraphadError, TypeError):
    """A node was used as if it had a value: ``if node``, ``float(node)``, ``np.asarray(node)``."""


class ArgumentError(GraphadError, TypeError):
    """An argument that is missing, extra, named wrongly or of the wrong kind."""


class DuplicateNameError(GraphadError, ValueError):
    """Two inputs, or two parameters, of one function bear the same name."""


class UnboundInputError(GraphadError, ValueError):
    """An output depends on an input that the function was not given."""


class UnreachedError(GraphadError, ValueError):
    """A gradient was asked for something that the loss does not depend on."""


class IndexRangeError(GraphadError, IndexError):
    """An index that lies outside the axis it indexes."""


class GradientError(GraphadError, ValueError):
    """A gradient that cannot be taken: of a non-scalar, or through something that is not differentiable."""


class GradientMismatchError(GraphadError, AssertionError):
    """A gradient that differs from its central differences."""


class VerificationError(GraphadError, AssertionError):
    """A graph that breaks an invariant; it names the pass and the rewrite when one is to blame.

    ``reproduction``: the application of the rewrite alone, as two graphs and arguments, where values are to blame.
    """

    reproduction: Any = None


class MemoryBudgetError(GraphadError, ValueError):
    """A function needs more memory than it was given; the message tells how much, and for what."""


class ExecutionError(GraphadError, RuntimeError):
    """A statement of a compiled program failed; it names the node and the user's line."""


class RenderError(GraphadError, RuntimeError):
    """A picture could not be laid out, for example because no renderer is installed."""


class FileSuffixError(GraphadError, ValueError):
    """A file name whose suffix names no format that can be written."""


class OutputFileError(GraphadError, OSError):
    """A file or folder that cannot be written."""


class DataError(GraphadError, OSError):
    """A data set that is missing, damaged, or not what its name promises."""


class DivergenceError(GraphadError, ArithmeticError):
    """Training produced a loss that is not a finite number."""
