"""A wrong start of the drift time, and a wrong drift velocity."""

from __future__ import annotations

from simulacra.detectors import TPC
from simulacra.faults.fault import Fault, Response, Subject
from simulacra.faults.tpc.clusters import drift_lengths, with_drift


def timing(subject: Subject) -> Response:
    """Return the response with drift times that are longer by the strength in ns."""
    detector = subject.detector
    assert isinstance(detector, TPC)
    length = detector.drift_length
    drifted = drift_lengths(subject, length) + subject.strength * detector.drift.velocity
    return with_drift(subject, drifted, length)


def drift_velocity(subject: Subject) -> Response:
    """Return the response with drift lengths times 1 + strength, as of a velocity taken wrongly."""
    detector = subject.detector
    assert isinstance(detector, TPC)
    length = detector.drift_length
    return with_drift(subject, drift_lengths(subject, length) * (1.0 + subject.strength), length)


TIMING = Fault("drift times are longer", "delay", "ns", timing, low=-float("inf"))
DRIFT_VELOCITY = Fault(
    "drift lengths are scaled, as by a velocity that is taken wrongly",
    "relative change",
    "",
    drift_velocity,
    low=-0.5,
    high=0.5,
)
