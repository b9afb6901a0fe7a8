"""Negative values that noise and pedestals leave in a response."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.faults.kinds import kind_of

REMEDY = "zero-suppression"


@dataclass(slots=True)
class NegativeValues:
    """The negative values of events that passed, where a response has no sign.

    Attributes:
        detector: of the events.
        negative: their number so far.
        values: the number of all values so far.
    """

    detector: Detector
    negative: int = 0
    values: int = 0

    def counted(self, pieces: Iterator[Events]) -> Iterator[Events]:
        """Yield the pieces and count."""
        for events in pieces:
            for name, array in self.detector.response_arrays.items():
                self.negative += int(np.count_nonzero(array.negative(events.response[name])))
                self.values += events.response[name].size
            yield events

    @property
    def note(self) -> str:
        """The number and the remedy in words; empty where nothing is negative."""
        if not self.negative:
            return ""
        share = 100 * self.negative / self.values
        words = (
            f"{self.negative} of {self.values} values ({share:.2g} %) are negative; training "
            "refuses such events"
        )
        if REMEDY in kind_of(self.detector).faults:
            words += f"; a last step {REMEDY} sets values below its threshold to zero"
        return words
