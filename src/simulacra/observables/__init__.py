"""Observables: what physicists look at, as pure functions of events."""

from __future__ import annotations

from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import DetectorError
from simulacra.observables.catalogue import Lengths, calorimeter_observables
from simulacra.observables.observable import Observable, observe


def observables_of(detector: Detector, lengths: Lengths = "mm") -> tuple[Observable, ...]:
    """Return the observables of a detector, in the order of a report.

    Args:
        detector: the detector.
        lengths: the unit of a calorimeter's centres and widths: ``mm``, or ``cells`` of the layer
            (strip units in the strips).

    Example:
        >>> from simulacra.sample import load_sample
        >>> events = load_sample("test").take(slice(100))
        >>> values = observe(events, observables_of(events.detector))
        >>> values["response"].shape, len(values)
        ((100,), 48)

    Raises:
        DetectorError: there are none for this kind of detector.
    """
    if isinstance(detector, Calorimeter):
        return calorimeter_observables(detector, lengths)
    msg = f"no observables for detectors of kind {detector.kind!r}"
    raise DetectorError(msg)


__all__ = ["Lengths", "Observable", "observables_of", "observe"]
