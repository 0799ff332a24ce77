"""The compiled function: a declared graph that is called with arrays.

One function serves many shapes. For each set of named sizes it meets, it makes an executable and keeps it; all of them
share the parameters. A call computes, copies its results out, and commits new parameter values last, so a call that
fails or is interrupted leaves every parameter as it was. The key of random numbers is one of them: such a call is not
counted, and the next one draws what it drew.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from graphad.backend.executable import Executable
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.binding import bind, sizes_of
from graphad.compiler.budget import bytes_of
from graphad.compiler.finite import NonFinite, first_non_finite
from graphad.compiler.history import History, history
from graphad.compiler.keys import State, key_of, of_next_call, state_of, with_own_key
from graphad.compiler.lowering import Lowered, Report, lower
from graphad.compiler.profile import Profile, profile
from graphad.errors import (
    ArgumentError,
    DivergenceError,
    DTypeError,
    DuplicateNameError,
    FileSuffixError,
    ShapeError,
    UnboundInputError,
)
from graphad.files import write_whole
from graphad.ir import nest
from graphad.ir.collection import without_collection
from graphad.ir.graph import Graph
from graphad.ir.leaves import Input, Key, Parameter, SizeOf
from graphad.ir.node import Node
from graphad.ir.op import Array, Op
from graphad.ir.tensor_type import Dim, dimension_of, known
from graphad.rewrite.driver import Pass
from graphad.rewrite.pipeline import PIPELINE

BACKENDS = ("numpy", "reference")
_EXAMPLE_SIZE = 32
"""What a named size is taken for when a program is shown before any call has said it."""


_Kinds: TypeAlias = tuple[Any, ...]
"""What arguments are, as far as compiled code depends on it: the shape and dtype of each array."""


def _kinds(arguments: Sequence[Any], named: Mapping[str, Any]) -> _Kinds:
    given = [(x.shape, x.dtype) if type(x) is np.ndarray else type(x) for x in arguments]
    return (*given, *named)


class Function:
    """What `compile` returns. Call it with arrays, by position or by name; see `source` and `report`."""

    def __init__(
        self, graph: Graph, outputs: Any, parameters: Sequence[Node], settings: Mapping[str, Any], key: Key
    ) -> None:
        self._key = key
        self._graph, self._outputs, self._parameters, self._settings = graph, outputs, tuple(parameters), settings
        self._ready: dict[tuple[tuple[str, int], ...], Lowered] = {}
        self._seen: dict[_Kinds, Lowered] = {}
        self._latest: Lowered | None = None
        self._lock = threading.RLock()
        if not self.size_names:
            self.specialise()

    @property
    def graph(self) -> Graph:
        """The declared graph: the outputs, then the new value of each updated parameter (a key is one)."""
        return self._graph

    @property
    def seed(self) -> int:
        """What the random numbers depend on, beside their nodes and the number of the call."""
        return self.state().seed

    def state(self) -> State:
        """The seed and the number of calls: with the parameters, all that the next calls depend on."""
        with self._lock:
            return state_of(self._key)

    def restore(self, state: State) -> None:
        """Go on as a function of this state would. An ArgumentError leaves everything as it was."""
        with self._lock:
            np.copyto(self._key.storage.array, key_of(state).storage.array)

    @property
    def size_names(self) -> tuple[str, ...]:
        """The named sizes of the inputs, sorted."""
        return _size_names(self._graph.inputs)

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        """Run on arrays. Results have the structure of the declared outputs and are the caller's own.

        Beside them a call of an emitted program allocates no memory for data, once it was called with arrays of these
        shapes; of which operations this is not so, `ga.compile` says.

        Errors: ArgumentError, ShapeError, DTypeError for arguments that do not fit; IndexRangeError and
        ExecutionError from the computation; DivergenceError if a trained parameter would become NaN or infinite.
        After any of them, parameters are as they were.
        """
        kinds = _kinds(arguments, named)
        seen = self._seen.get(kinds)
        arrays, lowered = (arguments, seen) if seen is not None else self._checked(kinds, arguments, named)
        with self._lock, np.errstate(all="ignore"):
            self._latest = lowered
            lowered.executable.compute(arrays)
            found = lowered.executable.results()
            _refuse_non_finite(lowered, arrays)
            _commit(lowered.executable)
        return nest.rebuilt(self._outputs, iter(found))

    def _checked(
        self, kinds: _Kinds, arguments: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[Sequence[Array], Lowered]:
        """The arguments as arrays that fit the inputs, and what was compiled for their sizes.

        What fits as it is, is not looked at again: arrays of the same shapes and dtypes fit as well.
        """
        arrays = bind(self._graph.inputs, arguments, named)
        sizes = sizes_of(self._graph.inputs, arrays)
        self._refuse_empty(arrays)
        lowered = self.specialise(**sizes)
        if len(arguments) == len(arrays) and all(map(operator.is_, arrays, arguments)):
            self._seen[kinds] = lowered
        return arrays, lowered

    def _refuse_empty(self, arrays: Sequence[Any]) -> None:
        learns = any(not isinstance(node.op, Key) for node in self._parameters)
        for node, array in zip(self._graph.inputs, arrays, strict=True):
            if learns and array.size == 0:
                raise ShapeError(
                    f"input {node.label!r} is empty ({array.shape}): parameters are not updated from no data"
                )

    def specialise(self, /, **sizes: int) -> Lowered:
        """Compile for these sizes now, if that has not been done; calls do it by themselves."""
        if tuple(sorted(sizes)) != self.size_names:
            raise ArgumentError(
                f"the named sizes are {', '.join(self.size_names) or 'none'}; given: {', '.join(sizes) or 'none'}"
            )
        key = tuple(sorted(sizes.items()))
        with self._lock:
            if key not in self._ready:
                _check_integers(sizes)
                self._ready[key] = lower(self._graph, self._parameters, dict(key), **self._settings)
            self._latest = found = self._ready[key]
        return found

    def _shown(self) -> Lowered:
        """What was used last; before any call, an example in which every named size is 32."""
        return self._latest or self.specialise(**dict.fromkeys(self.size_names, _EXAMPLE_SIZE))

    def profile(self, /, *arguments: Any, runs: int = 20, **named: Any) -> Profile:
        """Time each statement of the program on these arguments, over some runs; parameters stay as they are.

        Print it for a table; its `save` writes a trace. An ArgumentError for the reference backend.
        """
        arrays, lowered = self._checked(_kinds(arguments, named), arguments, named)
        with self._lock:
            return profile(_emitted(lowered), arrays, runs)

    def first_non_finite(self, /, *arguments: Any, **named: Any) -> NonFinite | None:
        """The first statement of a call whose result holds NaN or infinity; parameters stay as they are."""
        arrays, lowered = self._checked(_kinds(arguments, named), arguments, named)
        with self._lock:
            return first_non_finite(_emitted(lowered), arrays)

    def why(self, node: Node) -> History:
        """What became of a node of the declared graph, from the user's line through each rewrite to its statements."""
        lowered = self._shown()
        graph = self._graph.specialise(lowered.report.sizes)
        return history(node, graph, self._settings["passes"], _emitted(lowered).statements())

    def save(self, path: str | Path) -> Path:
        """Write the program for the sizes used last as a module, parameters included, that runs alone with numpy.

        Its ``step(*arguments)`` does what a call does, and returns the outputs in a flat list: of a dict, those of its
        sorted keys. Errors: FileSuffixError unless it is a .py file,
        OutputFileError where it cannot be written.
        """
        target = Path(path)
        if target.suffix != ".py":
            raise FileSuffixError(f"{target.name}: a program is a .py file")
        with self._lock:
            write_whole(target, _emitted(self._shown()).standalone().encode())
        return target

    @property
    def source(self) -> str:
        """The emitted program for the sizes used last (before any call: 32 for each named size)."""
        return self._shown().executable.source

    def report(self) -> Report:
        """What compilation did for the sizes used last (before any call: 32 for each named size)."""
        return self._shown().report


def _check_integers(sizes: Mapping[str, Any]) -> None:
    for name, size in sizes.items():
        if not isinstance(dimension_of(size), int):
            raise ShapeError(f"the size {name} must be an integer here; got {size!r}")


def _emitted(lowered: Lowered) -> NumpyExecutable:
    """The emitted program."""
    if not isinstance(lowered.executable, NumpyExecutable):
        raise ArgumentError('there is no emitted program: compile with backend="numpy"')
    return lowered.executable


def _refuse_non_finite(lowered: Lowered, arrays: Sequence[Array]) -> None:
    """A DivergenceError if training would make a parameter useless."""
    values = lowered.executable.new_values()
    for number in lowered.trained:
        if not _is_finite(values[number]):
            node = _first_non_finite_part(lowered.updated[number], values[number])
            raise DivergenceError(
                f"the new value of {node!r} would not be finite, and all parameters stay as they were: "
                f"look for NaN or infinity in the arguments, or lower the learning rate{_origin_of(lowered, arrays)}"
            )


def _first_non_finite_part(nodes: Sequence[Node], values: Array) -> Node:
    """The first parameter whose part of the values is not finite."""
    parts = np.split(values.reshape(-1), np.cumsum([known(node.type.size) for node in nodes])[:-1])
    return next(node for node, part in zip(nodes, parts, strict=True) if not np.isfinite(part).all())


def _origin_of(lowered: Lowered, arrays: Sequence[Array]) -> str:
    """Where numbers stop being finite in this call, which has changed nothing yet."""
    emitted = isinstance(lowered.executable, NumpyExecutable)
    found = first_non_finite(_emitted(lowered), arrays) if emitted else None
    return "" if found is None else f". The first that is not finite: {found}"


def _is_finite(array: Array) -> bool:
    square = np.vdot(array, array)  # fast, and not finite if an element is not; but large elements overflow too
    return math.isfinite(square) or bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def _commit(executable: Executable) -> None:
    """Commit, whole: an interrupt in the middle starts it again, and is delivered afterwards."""
    interrupted: KeyboardInterrupt | None = None
    while True:
        try:
            executable.commit()
            break
        except KeyboardInterrupt as interrupt:
            interrupted = interrupt
    if interrupted is not None:
        raise interrupted


@without_collection
def compile(
    inputs: Node | Sequence[Node],
    outputs: Any,
    updates: Mapping[Node, Node] | None = None,
    *,
    backend: str = "numpy",
    passes: Sequence[Pass] | None = None,
    verify: bool = False,
    seed: int = 0,
    memory: int | str | None = None,
) -> Function:
    """Compile a graph to a function from arrays to arrays.

    ``outputs`` is a node, or a tuple, list or dict of nodes; a call returns the same structure. ``updates`` gives
    parameters new values at the end of each call; all of them are computed from the old values. ``passes`` replaces
    the rewrites; ``verify`` checks each of them on random data: a VerificationError shows the one application of a
    rewrite that is to blame, cut out of the graph, its ``reproduction``. ``backend`` is "numpy", or the slow oracle
    "reference".

    What the function draws at random depends on ``seed``, on the number of the call, and on the node that draws: its
    place, in the order of declaration, among all nodes that the outputs and updates draw from. Neither backend nor
    passes change it. Calls that fail are not counted.

    On the numpy backend all memory is planned, and a call allocates none but for its results. Excepted are arguments
    that are no contiguous arrays of the declared dtypes; and what numpy cannot write into given memory: the places of
    `argsort` (so of `sort`, `topk` and medians too) and of `searchsorted`, the draws of `randint`, and a condition of
    one axis and up to 8,192 elements in `where`.

    ``memory`` is a budget for intermediate values, the arena of the report: bytes, or text such as "64MB", "64 MiB"
    or "1.5GB". Where they need more, values that the gradient reads are computed again for it instead of being kept:
    the states of a loop, of which only those between tiles of time are kept if its own way back alone reads the
    others; then what takes few operations, then anything else. Arguments, parameters and the exceptions above are not
    counted. If it can't be done there is a MemoryBudgetError, at the first call if sizes are named.

    Errors: ArgumentError, DuplicateNameError, UnboundInputError, ShapeError, DTypeError, MemoryBudgetError.

    >>> import graphad as ga
    >>> x = ga.input("x", shape=("batch", 2))
    >>> double = ga.compile([x], {"twice": 2 * x})
    >>> double([[1, 2], [3, 4]])["twice"]
    array([[2., 4.],
           [6., 8.]], dtype=float32)
    """
    if not isinstance(inputs, (Node, Sequence)):
        raise ArgumentError(f"the inputs of a function are a node or a sequence of nodes; got {inputs!r}")
    declared = (inputs,) if isinstance(inputs, Node) else tuple(inputs)
    _check_inputs(declared)
    ends = nest.leaves(outputs)
    for node in ends:
        if not isinstance(node, Node):
            raise ArgumentError(f"outputs are nodes, or tuples, lists and dicts of them; got {node!r}")
    new_values = _checked_updates({} if updates is None else updates)
    graph = Graph(declared, (*ends, *new_values.values()))
    _check_leaves(graph)
    _check_sizes(graph)
    key = key_of(State(seed))
    if backend not in BACKENDS:
        raise ArgumentError(f"there is no backend {backend!r}: use one of {', '.join(BACKENDS)}")
    chosen = PIPELINE if passes is None else tuple(passes)
    for one in chosen:
        if not hasattr(one, "run"):
            raise ArgumentError(f"{one!r} is no pass: passes are objects such as those of graphad.rewrite.pipeline")
    if memory is not None and backend != "numpy":
        raise ArgumentError(f"a budget of memory is kept to by the backend numpy; {backend!r} plans no memory")
    budget = None if memory is None else bytes_of(memory)
    settings = {"passes": chosen, "backend": backend, "check": verify, "memory": budget}
    return _function(graph, nest.rebuilt(outputs, iter(ends)), tuple(new_values), settings, key)


def _function(
    declared: Graph, outputs: Any, parameters: tuple[Node, ...], settings: Mapping[str, Any], key: Key
) -> Function:
    """The function of a graph; if it draws random numbers, the number of the call is what it updates last."""
    graph, own = with_own_key(declared, key)
    if own is None:
        return Function(graph, outputs, parameters, settings, key)
    counted = Graph(graph.inputs, (*graph.outputs, of_next_call(own)))
    return Function(counted, outputs, (*parameters, own), settings, key)


def _check_inputs(inputs: Sequence[Any]) -> None:
    for node in inputs:
        if not isinstance(node, Node) or not isinstance(node.op, Input):
            raise ArgumentError(f"the inputs of a function are made by ga.input; got {node!r}")
    _check_names(inputs, "inputs")


def _check_names(nodes: Sequence[Node], what: str) -> None:
    seen: dict[str, Node] = {}
    for node in nodes:
        if node.name is None:
            continue
        if node.name in seen:
            places = f"{seen[node.name].origin.place} and {node.origin.place}"
            raise DuplicateNameError(f"two {what} are called {node.name!r}, declared at {places}: rename one")
        seen[node.name] = node


def _checked_updates(updates: Any) -> dict[Node, Node]:
    if not isinstance(updates, Mapping):
        raise ArgumentError(f"updates are a mapping from parameters to the nodes of their new values; got {updates!r}")
    updated: dict[Op, Node] = {}
    for parameter, value in updates.items():
        _check_update(parameter, value)
        if parameter.op in updated:
            raise ArgumentError(f"{updated[parameter.op]!r} and {parameter!r} are one parameter: give one new value")
        updated[parameter.op] = parameter
    return dict(updates)


def _check_update(parameter: Any, value: Any) -> None:
    if not isinstance(parameter, Node) or not isinstance(parameter.op, Parameter):
        raise ArgumentError(f"updates give parameters new values; {parameter!r} is none: declare it with ga.parameter")
    if not isinstance(value, Node):
        raise ArgumentError(f"the new value of {parameter!r} is a node; got {value!r}: use ga.constant")
    if value.shape != parameter.shape:
        raise ShapeError(f"the new value of {parameter!r} has the type {value.type}: reshape or reduce it")
    if value.dtype != parameter.dtype:
        raise DTypeError(f"the new value of {parameter!r} has the type {value.type}: cast it with .astype")


def _check_leaves(graph: Graph) -> None:
    known = set(graph.inputs)
    for node in graph.nodes:
        if isinstance(node.op, Input) and node not in known:
            raise UnboundInputError(
                f"the outputs depend on {node!r}, declared at {node.origin.place}, which is not among the inputs "
                f"{[one.label for one in graph.inputs]}: add it, or use the node that is"
            )
    _check_names([node for node in graph.nodes if isinstance(node.op, Parameter)], "parameters")


def _size_names(inputs: Sequence[Node]) -> tuple[str, ...]:
    sizes = (size for node in inputs for size in node.shape if isinstance(size, Dim))
    return tuple(sorted({name for size in sizes for name in size.names}))


def _check_sizes(graph: Graph) -> None:
    known = set(_size_names(graph.inputs))
    for node in graph.nodes:
        sizes = (node.op.size,) if isinstance(node.op, SizeOf) else node.shape
        for size in sizes:
            if isinstance(size, Dim) and not known.issuperset(size.names):
                raise ShapeError(
                    f"nothing says what {size} is in {node!r}, declared at {node.origin.place}: give the function an "
                    "input of that size, or use an integer"
                )
