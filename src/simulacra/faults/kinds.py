"""The faults of each kind of detector: one row a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulacra.arrays import BoolArray
from simulacra.detectors import Detector
from simulacra.detectors.by_kind import row_of
from simulacra.events import Events
from simulacra.faults.fault import Fault
from simulacra.files.entry_points import Table


class Place(Protocol):
    """The channels that a fault strikes, as a scenario has them."""

    def check(self, detector: Detector) -> None:
        """Raise a :class:`ValueError` where the detector has no such place."""

    def where(self, events: Events) -> BoolArray:
        """Return the channels (n, channels) or, where all events agree, (1, channels)."""

    def notes(self, detector: Detector) -> tuple[str, ...]:
        """Return remarks on the place that a user must read."""


@dataclass(frozen=True, slots=True)
class FaultsOfKind:
    """The faults of one kind of detector.

    Attributes:
        faults: the catalogue, by name.
        place: the class of a place, a pydantic model.
    """

    faults: Mapping[str, Fault]
    place: type[Place]


KINDS: Table[FaultsOfKind] = Table(
    "simulacra.faults",
    {
        "calorimeter": "simulacra.faults.calorimeter:FAULTS",
        "tpc": "simulacra.faults.tpc:FAULTS",
    },
)


def kind_of(detector: Detector) -> FaultsOfKind:
    """Return the faults of a detector's kind.

    Raises:
        DetectorError: there are none.
    """
    return row_of(KINDS, detector, "faults")
