"""Declares, differentiates, compiles and runs a tanh RNN of many steps, and prints the seconds and the peak memory."""

from __future__ import annotations

import resource
import sys
import time

import click
import numpy as np

import graphad as ga

BATCH, INPUTS, HIDDEN, CLASSES = 4, 3, 8, 5
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def weights(name: str, *shape: int) -> ga.Node:
    """A parameter of small random numbers."""
    return ga.parameter(np.random.default_rng(0).normal(0, 0.3, shape).astype("float32"), name=name)


def declare(steps: int) -> tuple[list[ga.Node], ga.Node, list[ga.Node]]:
    """The inputs, the loss and the parameters."""
    x, y = ga.input("x", shape=(BATCH, steps, INPUTS)), ga.input("y", shape=(BATCH,), dtype="int64")
    U, W, b = weights("U", INPUTS, HIDDEN), weights("W", HIDDEN, HIDDEN), weights("b", HIDDEN)
    V = weights("V", HIDDEN, CLASSES)

    def rnn(h: ga.Node, x_t: ga.Node) -> tuple[ga.Node, None]:
        return ga.tanh(x_t @ U + h @ W + b), None

    h, _ = ga.unroll(rnn, np.zeros((BATCH, HIDDEN), "float32"), x, axis=1)
    return [x, y], ga.mean(ga.softmax_cross_entropy(h @ V, y)), [U, W, b, V]


@click.command(help=__doc__)
@click.option("--steps", default=10_000, show_default=True, help="The steps of time.")
def main(steps: int) -> None:
    """Do it all, and print what it took."""
    times = [time.perf_counter()]
    inputs, loss, parameters = declare(steps)
    times.append(time.perf_counter())
    gradients = ga.grad(loss, parameters)
    times.append(time.perf_counter())
    step = ga.compile(inputs, [loss, *gradients])
    times.append(time.perf_counter())
    x = np.random.default_rng(1).normal(size=(BATCH, steps, INPUTS)).astype("float32")
    step(x, np.arange(BATCH))
    times.append(time.perf_counter())
    for name, seconds in zip(("declare", "grad", "compile", "run"), np.diff(times), strict=True):
        print(f"{name:<10}{seconds:8.3f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_UNIT
    print(f"{'together':<10}{times[-1] - times[0]:8.3f} s, peak memory {peak / 1e9:.2f} GB, {steps:,} steps, ", end="")
    print(f"recursion limit {sys.getrecursionlimit()}")
    print(step.report())


if __name__ == "__main__":
    main()
