"""The observables of each kind of detector: one row a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from simulacra.detectors import Detector
from simulacra.detectors.by_kind import row_of
from simulacra.files.entry_points import Table
from simulacra.observables.observable import Observable

Lengths = Literal["mm", "cells"]
"""The unit of a calorimeter's centres and widths; ``cells``: of the layer, or strip units."""


@dataclass(frozen=True, slots=True)
class ObservablesOfKind:
    """The observables of one kind of detector.

    Attributes:
        table: the observables of a detector, the primary one first, in units of the given lengths.
        selection: groups of observables by which training chooses an epoch.
        summary: groups of observables that a table of events has beside the conditions.
        classes: the categorical condition whose values training judges apart; empty: none.
    """

    table: Callable[[Any, Lengths], tuple[Observable, ...]]
    selection: tuple[str, ...]
    summary: tuple[str, ...] = ()
    classes: str = ""


KINDS: Table[ObservablesOfKind] = Table(
    "simulacra.observables",
    {
        "calorimeter": "simulacra.observables.calorimeter:OBSERVABLES",
        "tpc": "simulacra.observables.tpc:OBSERVABLES",
        "jet-image": "simulacra.observables.jets:OBSERVABLES",
    },
)


def kind_of(detector: Detector) -> ObservablesOfKind:
    """Return the observables of a detector's kind.

    Raises:
        DetectorError: there are none.
    """
    return row_of(KINDS, detector, "observables")
