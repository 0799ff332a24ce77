"""Who takes part. Each peer's module has functions that make a `Trainer`; a worker imports just the one it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

from tools.benchmark.settings import Setting, Weights

REMEDY = "pip install 'graphad[bench]'"


class Trainer(Protocol):
    """A net with weights, and its batch in the library's own arrays."""

    def step(self) -> Any:
        """One step of gradient descent, done when it returns: the loss before it."""

    def weights(self) -> Weights:
        """A copy of the weights, as numpy arrays under the settings' names and in their layout."""


@dataclass(frozen=True)
class Peer:
    """A way to train: ``module.build(setting)`` makes a trainer; ``needs`` are the libraries it imports."""

    name: str
    title: str
    module: str
    build: str
    needs: tuple[str, ...] = ()
    needs_recurrence: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The libraries that are not installed."""
        return tuple(library for library in self.needs if find_spec(library) is None)

    def runs(self, setting: Setting) -> bool:
        """Whether the peer's way makes sense for the setting."""
        return setting.is_recurrent or not self.needs_recurrence

    def load(self) -> Callable[[Setting], Trainer]:
        """Import the library."""
        module = import_module(f"tools.benchmark.peers.{self.module}")
        return cast("Callable[[Setting], Trainer]", getattr(module, self.build))


OURS = Peer("graphad", "graphad", "graphad_numpy", "build")
BY_HAND = Peer("by-hand", "numpy by hand", "by_hand", "build")
LIBRARIES = (
    Peer("jax-unrolled", "JAX jit, unrolled", "jax_jit", "unrolled", ("jax",)),
    Peer("jax-scan", "JAX jit, scan", "jax_jit", "scanned", ("jax",), needs_recurrence=True),
    Peer("tensorflow", "tf.function, unrolled", "tensorflow_function", "build", ("tensorflow",)),
    Peer("keras", "Keras on TensorFlow", "keras_layers", "build", ("keras", "tensorflow")),
    Peer("torch-eager", "torch, eager loop", "torch_loop", "eager", ("torch",)),
    Peer("torch-nn", "torch.nn", "torch_layers", "build", ("torch",)),
    Peer("torch-compile", "torch.compile", "torch_loop", "compiled", ("torch",)),
    Peer("pytensor-numba", "PyTensor, numba scan", "pytensor_scan", "numba", ("pytensor", "numba")),
    Peer("pytensor-c", "PyTensor, C scan", "pytensor_scan", "c", ("pytensor",)),
)
PEERS = {peer.name: peer for peer in (OURS, BY_HAND, *LIBRARIES)}
