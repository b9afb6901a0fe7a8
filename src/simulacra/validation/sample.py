"""A sample as validation sees it: every observable of every event, measured in one pass.

Cells are not kept. What needs them (mean showers, the classifiers' tables) goes through the events
again, piece by piece, so that a sample may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter, Detector
from simulacra.energies import scale_of
from simulacra.events import Events, EventSource, pieces, spans
from simulacra.observables import observables_of, observe
from simulacra.validation.cells import CellSums, cell_sums

ENERGY_ARRAYS = ("showers", "images")
"""Arrays of the response that hold energies, which cannot be negative."""


@dataclass(frozen=True)
class Sample:
    """Some events of a source, measured.

    Attributes:
        source: all events, in memory or in a file.
        rows: places in the source (n,), ascending.
        conditions: of these events.
        values: the observables by name, in the order of a report, each (n,).
        whole: which events have only finite numbers, in single precision, (n,).
        non_finite: numbers of each event's response that are not finite (n,).
        negative: numbers of each event's response below zero where it is an energy (n,).
    """

    source: EventSource
    rows: IntArray
    conditions: Conditions
    values: Mapping[str, FloatArray]
    whole: BoolArray
    non_finite: IntArray
    negative: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self.source.detector

    @cached_property
    def energies(self) -> FloatArray:
        """The detector's scale (n,), MeV: incident energies of a calorimeter."""
        return scale_of(self)

    @cached_property
    def cells(self) -> CellSums:
        """What a calorimeter's cells come to; the events are gone through for it once."""
        assert isinstance(self.detector, Calorimeter)
        return cell_sums(self.detector, (events for _, events in self.pieces()))

    def take(self, chosen: BoolArray | IntArray) -> Sample:
        """Return the events of a mask (n,) or of ascending places; itself where that is all."""
        if len(chosen) == len(self) and (chosen.dtype != bool or np.all(chosen)):
            return self
        return replace(
            self,
            rows=self.rows[chosen],
            conditions=self.conditions.take(chosen),
            values={name: array[chosen] for name, array in self.values.items()},
            whole=self.whole[chosen],
            non_finite=self.non_finite[chosen],
            negative=self.negative[chosen],
        )

    def pieces(self) -> Iterator[tuple[slice, Events]]:
        """Yield the events with their cells and their places among the n; read nothing else."""
        for span in spans(self.source):
            place = slice(*np.searchsorted(self.rows, [span.start, span.stop]).tolist())
            rows = self.rows[place] - span.start
            if len(rows):
                events = self.source.take(span)
                yield place, events if len(rows) == len(events) else events.take(rows)


def measured(events: EventSource | Sample) -> Sample:
    """Return what validation keeps of events; of a sample, itself."""
    if isinstance(events, Sample):
        return events
    observables = observables_of(events.detector)
    n = len(events)
    values = {o.name: np.empty(n) for o in observables}
    whole, non_finite, negative = np.empty(n, bool), np.empty(n, np.int64), np.empty(n, np.int64)
    conditions = []
    for place, piece in pieces(events):
        with np.errstate(invalid="ignore", over="ignore"):  # broken events are counted, not hidden
            found = observe(piece, observables)
            whole[place] = _whole(piece, found)
        for name, array in found.items():
            values[name][place] = array
        arrays = piece.response
        non_finite[place] = sum(_count(~np.isfinite(array)) for array in arrays.values())
        negative[place] = sum(_count(arrays[name] < 0) for name in ENERGY_ARRAYS if name in arrays)
        conditions.append(piece.conditions)
    return Sample(
        events,
        np.arange(n),
        Conditions.concatenate(conditions),
        values,
        whole,
        non_finite,
        negative,
    )


def _whole(events: Events, values: Mapping[str, FloatArray]) -> BoolArray:
    """Return which events (n,) have only finite numbers in response and observables."""
    n = len(events)
    arrays = [*events.response.values(), *values.values()]
    # what single precision cannot hold is broken, too
    good = [
        np.isfinite(a.astype(np.float32, copy=False)).reshape(n, -1).all(axis=1) for a in arrays
    ]
    result: BoolArray = np.all(good, axis=0)
    return result


def _count(marked: BoolArray) -> IntArray:
    """Return how many numbers of each event (n, ...) are marked, (n,)."""
    count: IntArray = np.count_nonzero(marked, axis=tuple(range(1, marked.ndim)))
    return count
