"""Cells that read energy that is not there."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject


def hot_cells(subject: Subject) -> Response:
    """Return the response with an exponential energy added to each struck cell."""
    showers = subject.response["showers"]
    extra = subject.rng.exponential(subject.strength, showers.shape)
    return {"showers": showers + np.where(subject.where, extra, 0.0)}


HOT_CELLS = Fault(
    "each cell reads an extra energy, exponential, in each event",
    "mean extra energy of a cell and event",
    "MeV",
    hot_cells,
)
