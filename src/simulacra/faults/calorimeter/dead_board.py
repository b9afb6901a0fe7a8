"""A front-end board: all cells of a place read nothing in the same events."""

from __future__ import annotations

import numpy as np

from simulacra.faults.fault import Fault, Response, Subject, chance_of_events


def dead_board(subject: Subject) -> Response:
    """Return the response without the energy of the place in the events that the board misses."""
    showers = subject.response["showers"]
    return {"showers": np.where(chance_of_events(subject), 0, showers)}


DEAD_BOARD = Fault(
    "all cells of the place read nothing in the same events",
    "share of events",
    "",
    dead_board,
    high=1.0,
)
