"""Signals that couple into the neighbouring cells."""

from __future__ import annotations

import numpy as np

from simulacra.detectors import Calorimeter
from simulacra.faults.calorimeter.neighbours import passed_on, shares_of_neighbours
from simulacra.faults.fault import Fault, Response, Subject


def cross_talk(subject: Subject) -> Response:
    """Return the response after each struck cell gave a share to its neighbours, equally.

    The neighbours are the cells of the same layer with a side in common. The sum of all cells
    stays: a cell at the edge of the read-out gives all to the neighbours that are read out.
    """
    detector = subject.detector
    assert isinstance(detector, Calorimeter)
    showers = subject.response["showers"]
    given = np.where(subject.where, subject.strength * showers.astype(np.float64), 0.0)
    to = shares_of_neighbours(detector)
    return {"showers": passed_on(showers, given, to)}


CROSS_TALK = Fault(
    "each cell gives a share of its energy to its neighbours in the layer, equally",
    "share of a cell's energy",
    "",
    cross_talk,
    high=1.0,
)
