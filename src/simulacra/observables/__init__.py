"""Observables: what physicists look at, as pure functions of events."""

from __future__ import annotations

from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import DetectorError
from simulacra.observables.calorimeter import calorimeter_observables
from simulacra.observables.observable import Observable


def observables_of(detector: Detector) -> tuple[Observable, ...]:
    """Return the observables of a detector, in the order of a report.

    Raises:
        DetectorError: there are none for this kind of detector.
    """
    if isinstance(detector, Calorimeter):
        return calorimeter_observables(detector)
    msg = f"no observables for detectors of kind {detector.kind!r}"
    raise DetectorError(msg)


__all__ = ["Observable", "observables_of"]
