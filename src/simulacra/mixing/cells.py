"""Calorimeters: the energies of events and of what is added to them, cell by cell."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from simulacra.arrays import Array
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.mixing.draws import Draws

ROWS = 1024
"""Events that are added up at once in double precision: a bound on memory."""


def require_fixed(detector: Detector) -> None:
    """Raise an :class:`EventsError` unless a cell is the same place in all events.

    Only then is the sum of two events' cells the energy of both particles in that place.
    """
    assert isinstance(detector, Calorimeter)
    why = ""
    if detector.has_windows:
        why = "reads out a window around the cell that each particle hits"
    for section in detector.readout_sections:
        assert section.readout is not None
        cut = section.readout.segmentation
        if isinstance(cut, PolarSegmentation) and (cut.squares or not detector.has_matter):
            why = "has voxels around each particle's line"
    if why:
        msg = (
            f"{detector.name} {why}: cells of two events are not the same place; overlay events "
            "that read out all cells of the layers, such as those of a hybrid run (docs/hybrid.md)"
        )
        raise EventsError(msg)


def added(events: Events, library: Events, draws: Draws) -> Events:
    """Return events whose cells hold their own energy and that of the library's events (n, cells).

    Sums are taken in double precision, over the rows of the library in ascending order, and rounded
    once. Nothing is cut: an empty cell stays empty only where all events have it empty.
    """
    ones = np.ones(len(draws))
    shape = (draws.events, draws.size)
    # a row that is drawn twice for an event is added twice
    weights = csr_array((ones, (draws.event, draws.row)), shape=shape)
    response: dict[str, Array] = {}
    for name, array in events.response.items():
        stored = library[name].reshape(len(library), -1)
        sums = np.empty_like(array).reshape(len(events), -1)
        own = array.reshape(len(events), -1)
        for start in range(0, len(events), ROWS):
            rows = slice(start, start + ROWS)
            sums[rows] = own[rows].astype(np.float64) + _sums(weights, rows, stored)
        response[name] = sums.reshape(array.shape)
    return Events(events.conditions, response, events.detector, events.provenance)


def _sums(weights: csr_array, rows: slice, stored: Array) -> Array:
    """Return the sums (n, cells) for some events; only the rows that they need are widened."""
    part = weights[rows]
    needed = np.unique(part.indices)
    return part[:, needed] @ stored[needed].astype(np.float64)
