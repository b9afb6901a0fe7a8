"""Events as an awkward array: a record for each event, without empty cells and pad rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
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
        name, present, columns = lists(events.detector, events.response)
        counts = present.sum(axis=1)
        fields = {k: awkward.unflatten(column, counts) for k, column in columns.items()}
        response = {name: awkward.zip(fields)}
    return awkward.zip({**flat, **response}, depth_limit=1)


def _hits(
    detector: Calorimeter, response: Mapping[str, Array]
) -> tuple[str, BoolArray, dict[str, Array]]:
    """Return the cells with energy: their place in the response, their layer, their energy, MeV."""
    showers = response["showers"]
    layer_of = np.repeat(
        np.arange(len(detector.layers)), [la.cells.stop - la.cells.start for la in detector.layers]
    )
    present: BoolArray = showers != 0
    _, cell = np.nonzero(present)
    return "hits", present, {"cell": cell, "layer": layer_of[cell], "energy": showers[present]}


def _clusters(_: TPC, response: Mapping[str, Array]) -> tuple[str, BoolArray, dict[str, Array]]:
    """Return the clusters: their pad row, x, y, z (mm), q and q_max (ADC)."""
    present: BoolArray = response["cluster_mask"] > 0
    _rows, row = np.nonzero(present)
    numbers = response["clusters"][present]
    columns = {name: numbers[:, place] for place, name in enumerate(CLUSTER)}
    return "clusters", present, {"row": row, **columns}


_List = Callable[[Any, Mapping[str, Array]], tuple[str, BoolArray, dict[str, Array]]]
_LISTS: Mapping[str, _List] = MappingProxyType({"calorimeter": _hits, "tpc": _clusters})
"""For each kind of detector and its response: name, entries that are there, and their columns."""
