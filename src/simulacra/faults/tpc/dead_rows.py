"""Pad rows that lose clusters, each for itself."""

from __future__ import annotations

from simulacra.faults.fault import Fault, Response, Subject, chance
from simulacra.faults.tpc.clusters import without


def dead_rows(subject: Subject) -> Response:
    """Return the response without the clusters that are lost."""
    return without(subject, chance(subject))


DEAD_ROWS = Fault(
    "each cluster is lost with a probability", "share of clusters", "", dead_rows, high=1.0
)
