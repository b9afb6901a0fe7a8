"""A gain that differs from the calibrated one."""

from __future__ import annotations

from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import with_columns


def gain(subject: Subject) -> Response:
    """Return the response with both charges times 1 + strength; thresholds are not applied anew."""
    clusters, factor = subject.response["clusters"], 1.0 + subject.strength
    return with_columns(subject, {i: clusters[..., i] * factor for i in (3, 4)})


GAIN = Fault("both charges of a cluster are scaled", "relative change", "", gain, low=-1.0)
