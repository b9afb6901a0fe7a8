"""What a monitor sees of each kind of detector: channels, their values and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors import Detector
from simulacra.detectors.by_kind import row_of
from simulacra.events import Events
from simulacra.files.entry_points import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OCCUPANCY = "occupancy"


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of n events.

    Attributes:
        present: which channels have a signal, (n, channels).
        values: numbers of channels by name, (n, channels); only those with a signal count.
        groupings: for each grouping, the number of the group that a channel belongs to in each
            event: (n, channels), or (1, channels) where it is the same in all events.
    """

    present: BoolArray
    values: Mapping[str, FloatArray]
    groupings: Mapping[str, IntArray]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a monitor sees of one kind of detector.

    Attributes:
        channels: the channels of some events.
        names: the names of the groups of each grouping; the first grouping is that of the channels.
        draw: draws a number of each channel (channels,).
    """

    channels: Callable[[Events], Channels]
    names: Callable[[Any], Mapping[str, tuple[str, ...]]]
    draw: Callable[[Any, FloatArray], Figure]


KINDS: Table[Watched] = Table(
    "simulacra.monitoring",
    {
        "calorimeter": "simulacra.monitoring.calorimeter.kind:WATCHED",
        "tpc": "simulacra.monitoring.tpc.kind:WATCHED",
    },
)


def kind_of(detector: Detector) -> Watched:
    """Return what a monitor sees of a detector.

    Raises:
        DetectorError: nothing.
    """
    return row_of(KINDS, detector, "monitoring")
