"""Observables: what physicists look at, as pure functions of events."""

from __future__ import annotations

from simulacra.detectors import Detector
from simulacra.observables.axis import Axis
from simulacra.observables.kinds import Lengths, kind_of
from simulacra.observables.observable import Observable, observe


def observables_of(detector: Detector, lengths: Lengths = "mm") -> tuple[Observable, ...]:
    """Return the observables of a detector, in the order of a report; the primary one comes first.

    Observables that the read-out fixes are left out (:func:`fixed_observables`).

    Args:
        detector: the detector.
        lengths: the unit of a calorimeter's centres and widths: ``mm``, or ``cells`` of the layer
            (strip units in the strips).

    Example:
        >>> from simulacra.datasets.samples import load_sample
        >>> events = load_sample("test").take(slice(100))
        >>> values = observe(events, observables_of(events.detector))
        >>> values["response"].shape, len(values)
        ((100,), 59)

    Raises:
        DetectorError: there are none for this kind of detector.
    """
    return tuple(o for o in kind_of(detector).table(detector, lengths) if not o.fixed)


def fixed_observables(detector: Detector) -> tuple[Observable, ...]:
    """Return the observables that the detector's read-out alone decides.

    In a layer of one cell the width is 0 and the centre is that of the cell; in rings that are not
    divided in alpha (CaloChallenge's dataset 1 has such layers) only the radius is measured. Up to
    rounding these are constants: no sample can be judged by them.

    Raises:
        DetectorError: there are no observables for this kind of detector.
    """
    return tuple(o for o in kind_of(detector).table(detector, "mm") if o.fixed)


def selection_groups(detector: Detector) -> tuple[str, ...]:
    """Return the groups of observables by which an epoch is chosen, unless a card says otherwise.

    Groups of which the read-out leaves nothing are not among them.

    Raises:
        DetectorError: there are no observables for this kind of detector.
    """
    names = {o.group for o in observables_of(detector)}
    return tuple(
        group
        for group in kind_of(detector).selection
        if any(name == group or name.startswith(f"{group}_") for name in names)
    )


__all__ = [
    "Axis",
    "Lengths",
    "Observable",
    "fixed_observables",
    "observables_of",
    "observe",
    "selection_groups",
]
