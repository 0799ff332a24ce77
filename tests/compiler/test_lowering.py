import numpy as np

import graphad as ga
from graphad import Graph
from graphad.backend.numpy_backend import NumpyExecutable
from graphad.compiler.lowering import lower
from graphad.ir.leaves import Constant
from graphad.rewrite.pipeline import PIPELINE


def test_the_report_tells_stages_work_and_memory() -> None:
    x = ga.input("x", shape=("batch", 3))
    step = ga.compile([x], ga.stop_gradient(ga.tanh(x) * 1.0))
    step(np.zeros((7, 3)))
    report = step.report()
    assert [stage.name for stage in report.stages[:-1]] == ["specialise", *(one.name for one in PIPELINE)]
    assert all(before.after == after.before for before, after in zip(report.stages, report.stages[1:], strict=False))
    assert report.sizes == {"batch": 7}
    assert (report.statements, report.flops, report.live_bytes) == (1, 21, 84)
    assert report.arena_bytes == 128
    assert 0 < report.seconds < 10
    text = str(report)
    assert "batch=7" in text
    assert all(stage.name in text for stage in report.stages)


def test_lowering_leaves_the_declared_graph_alone() -> None:
    x = ga.input("x", shape=("batch", 3))
    graph = Graph((x,), (ga.mean(x) * 1.0,))
    text = str(graph)
    lowered = lower(graph, (), {"batch": 5}, passes=PIPELINE, backend="numpy", check=True)
    assert isinstance(lowered.executable, NumpyExecutable)
    assert str(graph) == text
    assert not any(isinstance(node.op, Constant) and node.shape == (5,) for node in graph.nodes)


def test_the_report_says_what_waits_for_time_what_does_not_and_what_is_too_large() -> None:
    for batch, large in ((2, False), (4096, True)):
        x, W = ga.input("x", (batch, 40, 3)), ga.parameter(np.ones((3, 4), np.float32), name="W")

        def cell(h: ga.Node, x_t: ga.Node, W: ga.Node = W) -> tuple[ga.Node, None]:
            return ga.tanh(h + x_t @ W), None

        h_T, _ = ga.unroll(cell, init=ga.broadcast_to(0.0, (batch, 4)), xs=x, axis=1)
        text = str(ga.compile([x], ga.grad(ga.sum(h_T), W)).report())
        assert "forward loop over 40 steps, each waiting for the one before: " in text
        assert "backward loop over " in text
        assert ("for all steps at once, since it waits for none: " in text) != large
        assert ("  in tiles of 8 steps, since arrays for all steps would be 2,621,440 bytes" in text) == large
    assert ga.compile([], ga.exp(ga.constant(1.0))).report().time == ()
