"""Events as an awkward array: a record for each event, without empty cells and pad rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.detectors import TPC, Calorimeter
from simulacra.errors import MissingDependencyError
from simulacra.events import Events

CLUSTER = ("x", "y", "z", "q", "q_max")
"""The numbers of a cluster."""


def to_awkward(events: Events) -> Any:  # noqa: ANN401 - awkward carries no types
    """Return a record for each event (``awkward.Array``): its conditions and its response.

    See :meth:`simulacra.Events.to_awkward`.
    """
    try:
        import awkward
    except ImportError:
        msg = "awkward arrays need awkward: pip install 'simulacra[root]'"
        raise MissingDependencyError(msg) from None
    flat = {name: awkward.Array(column) for name, column in events.conditions.items()}
    lists = _LISTS.get(events.detector.kind)
    if lists is None:
        response = {name: awkward.Array(array) for name, array in events.response.items()}
    else:
        name, present, columns = lists(events)
        counts = present.sum(axis=1)
        fields = {k: awkward.unflatten(column, counts) for k, column in columns.items()}
        response = {name: awkward.zip(fields)}
    return awkward.zip({**flat, **response}, depth_limit=1)


def _hits(events: Events) -> tuple[str, BoolArray, dict[str, Array]]:
    """Return the cells with energy: their place in the response, their layer, their energy, MeV."""
    detector, showers = events.detector, events["showers"]
    assert isinstance(detector, Calorimeter)
    layer_of = np.repeat(
        np.arange(len(detector.layers)), [la.cells.stop - la.cells.start for la in detector.layers]
    )
    present: BoolArray = showers != 0
    _, cell = np.nonzero(present)
    return "hits", present, {"cell": cell, "layer": layer_of[cell], "energy": showers[present]}


def _clusters(events: Events) -> tuple[str, BoolArray, dict[str, Array]]:
    """Return the clusters: their pad row, x, y, z (mm), q and q_max (ADC)."""
    assert isinstance(events.detector, TPC)
    present: BoolArray = events["cluster_mask"] > 0
    _, row = np.nonzero(present)
    numbers = events["clusters"][present]
    columns = {name: numbers[:, place] for place, name in enumerate(CLUSTER)}
    return "clusters", present, {"row": row, **columns}


_LISTS: dict[str, Callable[[Events], tuple[str, BoolArray, dict[str, Array]]]] = {
    "calorimeter": _hits,
    "tpc": _clusters,
}
"""What the list of an event is called and holds, and where in the response its entries are."""
