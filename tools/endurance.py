"""Calls one compiled function very often, and from many threads, and prints how memory grew and what was wrong.

tools/environment base python tools/endurance.py
"""

from __future__ import annotations

import resource
import sys
import threading
import time

import click
import numpy as np

import graphad as ga

FEATURES, KINDS = 4, 64
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def trained() -> ga.Function:
    """A training step, small enough that calling it is most of the work."""
    x, W = ga.input("x", shape=("batch", FEATURES)), ga.parameter(np.eye(FEATURES, dtype=np.float32) / 2, name="W")
    loss = ga.mean(ga.square(ga.tanh(x @ W)))
    return ga.compile([x], loss, updates=ga.optim.Adam(1e-9).updates(loss, [W]))


def growth(calls: int) -> float:
    """MiB by which the largest resident set grew over many training steps, after a thousand of them."""
    step, batch = trained(), np.ones((3, FEATURES), np.float32)
    for _ in range(1_000):
        step(batch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(calls):
        step(batch)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * BYTES_PER_UNIT / 2**20


def wrong_results(threads: int, calls: int) -> int:
    """How many results of one function, called from many threads with batches of two sizes, are wrong."""
    x = ga.input("x", shape=("batch", FEATURES))
    function, generator = ga.compile([x], ga.tanh(x)), np.random.default_rng(0)
    batches = [generator.standard_normal((3 + i % 2, FEATURES)).astype(np.float32) for i in range(KINDS)]
    wrong = [0] * threads

    def work(thread: int) -> None:
        for i in range(calls):
            batch = batches[(7 * i + thread) % KINDS]
            wrong[thread] += not np.allclose(function(batch), np.tanh(batch), atol=1e-6)

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(wrong)


@click.command()
@click.option("--calls", default=1_000_000, show_default=True)
def main(calls: int) -> None:
    """Call often, call from threads, and print."""
    begin = time.perf_counter()
    print(f"{calls:,} training steps: resident memory grew by {growth(calls):.2f} MiB")
    print(f"{(time.perf_counter() - begin) / calls * 1e6:.1f} microseconds each")
    print(f"8 threads, 1,000 calls each, of one function: {wrong_results(8, 1_000)} wrong results")


if __name__ == "__main__":
    main()
