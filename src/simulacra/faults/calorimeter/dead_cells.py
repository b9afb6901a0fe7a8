"""Cells that read nothing in a share of events, each for itself."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject, chance


def dead_cells(subject: Subject) -> Response:
    """Return the response without the energy of cells that are dead."""
    showers = subject.response["showers"]
    return {"showers": np.where(chance(subject), 0, showers)}


DEAD_CELLS = Fault(
    "each cell reads nothing in a share of events, for itself",
    "share of events",
    "",
    dead_cells,
    high=1.0,
)
