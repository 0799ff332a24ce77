"""Rows of clipping: what passes is itself, as long as no bound is reached."""

from __future__ import annotations

import math

import numpy as np

import graphad as ga
from graphad.ops.clipping import ClipGradient
from tests.rows.sample import FunctionSample, Sample, apart, each, normal

OPERATIONS = (Sample(ClipGradient(-1e3, 1e3), (normal(7, 3),), each(lambda x: x)),)
FUNCTIONS = (
    FunctionSample(
        "clip_by_value",
        lambda x: ga.clip_by_value([x], -0.53, 0.61)[0],
        (apart(7, 3),),
        each(lambda x: min(max(x, -0.53), 0.61)),
    ),
    FunctionSample(
        "clip_by_global_norm",
        lambda x, y: ga.clip_by_global_norm({"x": x, "y": [y]}, 1.5)[0]["x"],
        (normal(7, 3), normal(4)),
        lambda x, y: x * min(1.0, 1.5 / math.hypot(*np.ravel(x), *y)),
        case="scaled",
    ),
    FunctionSample(
        "clip_by_global_norm",
        lambda x, y: ga.clip_by_global_norm((x, y), 1.5)[1],
        (normal(7, 3), normal(4)),
        lambda x, y: math.hypot(*np.ravel(x), *y),
        case="norm",
    ),
    FunctionSample(
        "clip_by_global_norm",
        lambda x: ga.clip_by_global_norm(x, 1e3)[0],
        (normal(7, 3),),
        each(lambda x: x),
        case="short",
    ),
)
