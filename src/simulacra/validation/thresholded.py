"""Events as a readout with a threshold sees them: what lies below it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import SimulacraError
from simulacra.events import Events, EventSource


class Thresholded:
    """A calorimeter's events whose cells below a threshold are empty.

    Full simulation records energies down to the eV, which no readout does. CaloChallenge compares
    what lies above 1 MeV (dataset 1) or 15.15 keV (datasets 2 and 3).

    Args:
        source: the events; an energy below zero is left as it is, for whoever counts them.
        threshold: MeV.

    Raises:
        SimulacraError: the events are not of a calorimeter.
    """

    def __init__(self, source: EventSource, threshold: float) -> None:
        if not isinstance(source.detector, Calorimeter):
            msg = f"{source.detector.name} is no calorimeter: it has no cells to be emptied"
            raise SimulacraError(msg)
        self._source, self._threshold = source, threshold

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self._source.detector

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the events were made, and the threshold."""
        return {**self._source.provenance, "emptied_below_mev": self._threshold}

    def __len__(self) -> int:
        return len(self._source)

    def take(self, index: slice) -> Events:
        """Return some events, one after another."""
        events = self._source.take(index)
        cells = events["showers"]
        showers = np.where((cells >= 0) & (cells < self._threshold), cells.dtype.type(0), cells)
        return Events(events.conditions, {"showers": showers}, events.detector, self.provenance)
