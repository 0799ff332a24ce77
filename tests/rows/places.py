"""Rows of what reads and adds at places of a flat array."""

from __future__ import annotations

from graphad.ops.places import AddPlaces, PlacesInRows, ReadPlaces
from tests.rows.indexing import added, read
from tests.rows.sample import Sample, below, normal

OPERATIONS = (
    Sample(PlacesInRows(5), (below(9, 7), below(5, 7)), lambda starts, i: starts + i, smooth=False),
    Sample(ReadPlaces(), (normal(5), below(5, 7)), lambda x, i: read(x, i, 0)),
    Sample(AddPlaces(), (normal(5), normal(7), below(5, 7)), lambda x, v, i: x + added(v, i, 5, 0)),
)
