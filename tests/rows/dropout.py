"""Rows of dropout, where what it draws does not matter: everything is kept, or nothing."""

from __future__ import annotations

import graphad as ga
from tests.rows.sample import FunctionSample, each, normal, truth

FUNCTIONS = (
    FunctionSample("dropout", lambda x: ga.dropout(x, 0.0), (normal(7, 3),), each(lambda x: x), case="of none"),
    FunctionSample("dropout", lambda x: ga.dropout(x, 1.0), (normal(7, 3),), each(lambda x: 0.0), case="of all"),
    FunctionSample("dropout", lambda x: ga.dropout(x, 0.4, False), (normal(7, 3),), each(lambda x: x), case="not"),
    FunctionSample(
        "dropout",
        lambda x, training: ga.dropout(x, 1.0, training),
        (normal(7, 3), truth()),
        lambda x, training: x * (not training),
        case="at will",
    ),
)
