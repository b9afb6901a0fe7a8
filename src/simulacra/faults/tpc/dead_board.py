"""A front-end board: all clusters of a place are lost in the same events."""

from __future__ import annotations

from simulacra.faults.fault import Fault, Response, Subject, chance_of_events
from simulacra.faults.tpc.clusters import without


def dead_board(subject: Subject) -> Response:
    """Return the response without the clusters of the place in the events that are missed."""
    return without(subject, chance_of_events(subject))


DEAD_BOARD = Fault(
    "all clusters of the place are lost in the same events",
    "share of events",
    "",
    dead_board,
    high=1.0,
)
