"""The division of jets by the process that they are of."""

from __future__ import annotations

from simulacra.arrays import BoolArray
from simulacra.conditions import Conditions
from simulacra.detectors import JetImage
from simulacra.detectors.jet_image import PROCESS
from simulacra.observables import observables_of
from simulacra.validation.division import Division, Part


def process_divisions(detector: JetImage) -> tuple[Division, ...]:
    """Return the one division of jets: by process, in which all observables are compared."""
    names = tuple(o.name for o in observables_of(detector))
    parts = tuple(_part(label, name) for label, name in detector.processes.items())
    return (Division(PROCESS, names, parts, by_scale=False),)


def _part(label: int, name: str) -> Part:
    def select(conditions: Conditions) -> BoolArray:
        chosen: BoolArray = conditions[PROCESS] == label
        return chosen

    return Part(name, select)
