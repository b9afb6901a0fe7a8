"""A sample as validation sees it: every observable of every event, measured in one pass.

The response is not kept. What needs it (mean showers, the classifiers' tables) goes through the
events again, piece by piece, so that a sample may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.datasets.shared_events import Digests, event_digests
from simulacra.detectors import Detector
from simulacra.energies import scale_of
from simulacra.errors import EventsError
from simulacra.events import Events, EventSource, pieces, spans
from simulacra.files.progress import OnProgress, silent
from simulacra.observables import Observable, observables_of, observe

Sums = TypeVar("Sums")


@dataclass(frozen=True)
class Sample:
    """Some events of a source, measured.

    Attributes:
        source: all events, in memory or in a file.
        rows: places in the source (n,), ascending.
        conditions: of these events.
        values: the observables by name, in the order of a report, each (n,).
        whole: which events have only finite numbers, in single precision, (n,); an observable that
            an event need not define may be nan.
        non_finite: numbers of each event's response that are not finite (n,).
        negative: energies and charges of each event's response below zero (n,).
        digests: of all events of the source that can be known again.
    """

    source: EventSource
    rows: IntArray
    conditions: Conditions
    values: Mapping[str, FloatArray]
    whole: BoolArray
    non_finite: IntArray
    negative: IntArray
    digests: Digests
    _summed: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        """Return the numbers of events and observables in one line."""
        return f"Sample({len(self)} events of {self.detector.name}, {len(self.values)} observables)"

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self.source.detector

    @cached_property
    def energies(self) -> FloatArray:
        """The detector's scale (n,), MeV: incident energies of a calorimeter."""
        return scale_of(self)

    def summed(self, sums: Callable[[Any, Iterable[Events]], Sums]) -> Sums:
        """Return what a function makes of the detector and all events, piece by piece.

        The events are gone through for it once, however often it is asked for.
        """
        if sums not in self._summed:
            self._summed[sums] = sums(self.detector, (events for _, events in self.pieces()))
        return cast("Sums", self._summed[sums])

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


def measured(
    events: EventSource | Sample, on_progress: OnProgress = silent, phase: str = "measuring"
) -> Sample:
    """Return what validation keeps of events; of a sample, itself.

    Args:
        events: in memory or in a file, which is gone through piece by piece.
        on_progress: called with (phase, events done, events in all).
        phase: its name.

    Raises:
        EventsError: there are no events.
    """
    if isinstance(events, Sample):
        return events
    if not len(events):
        msg = "the sample has no events"
        raise EventsError(msg)
    observables = observables_of(events.detector)
    n = len(events)
    values = {o.name: np.empty(n) for o in observables}
    whole, non_finite, negative = np.empty(n, bool), np.empty(n, np.int64), np.empty(n, np.int64)
    conditions, digests = [], []
    for place, piece in pieces(events):
        on_progress(phase, place.start, n)
        with np.errstate(invalid="ignore", over="ignore"):  # broken events are counted, not hidden
            found = observe(piece, observables)
            whole[place] = _whole(piece, found, observables)
        for name, array in found.items():
            values[name][place] = array
        non_finite[place] = sum(_count(~np.isfinite(array)) for array in piece.response.values())
        negative[place] = sum(
            _count(array.negative(piece[name]))
            for name, array in piece.detector.response_arrays.items()
        )
        conditions.append(piece.conditions)
        digests.append(event_digests(piece))
    on_progress(phase, n, n)
    return Sample(
        events,
        np.arange(n),
        Conditions.concatenate(conditions),
        values,
        whole,
        non_finite,
        negative,
        np.concatenate(digests),
    )


def _whole(
    events: Events, values: Mapping[str, FloatArray], observables: Sequence[Observable]
) -> BoolArray:
    """Return which events (n,) have only finite numbers in response and observables."""
    response = [_finite(array) for array in events.response.values()]
    observed = [
        _finite(values[o.name]) | (np.isnan(values[o.name]) & o.optional) for o in observables
    ]
    whole: BoolArray = np.logical_and.reduce([*response, *observed])
    return whole


def _finite(array: Array) -> BoolArray:
    """Return which events (n, ...) have only numbers that single precision holds."""
    finite = np.isfinite(array.astype(np.float32, copy=False))
    good: BoolArray = np.logical_and.reduce(finite.reshape(len(array), -1), axis=1)
    return good


def _count(marked: BoolArray) -> IntArray:
    """Return how many numbers of each event (n, ...) are marked, (n,)."""
    count: IntArray = np.count_nonzero(marked, axis=tuple(range(1, marked.ndim)))
    return count
