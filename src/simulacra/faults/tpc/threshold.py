"""Clusters below a threshold are not read out."""

from __future__ import annotations

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import without


def threshold(subject: Subject) -> Response:
    """Return the response without struck clusters whose largest sample is below the strength."""
    largest = subject.response["clusters"][..., 4]
    return without(subject, subject.where & (largest < subject.strength))


THRESHOLD = Fault(
    "clusters whose largest sample is below the threshold are lost", "threshold", "ADC", threshold
)
