"""What an observable is: a pure function of events, with a name, a label and a unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.events import Events
from simulacra.observables.axis import LINEAR, Axis

CHUNK = 1_000_000
"""Numbers of the response that :func:`observe` looks at together: 8 MB in double precision."""


def _events_themselves(events: Events) -> Events:
    return events


@dataclass(frozen=True, slots=True)
class Observable:
    """A number for each event.

    Attributes:
        name: unique within a detector, ``width_eta.strips``.
        label: what a plot's axis says, LaTeX allowed, without the unit.
        unit: the unit, or an empty text.
        function: what ``prepare`` returns to an array (n,); finite for finite events.
        group: observables that are judged together, ``width_eta``.
        prepare: what the observables of a kind of detector share; :func:`observe` calls it once.
        axis: how histograms, distances and classifiers spread its values out.
        optional: whether an event need not define it (a track without clusters has no distance to
            anything): then nan says so, which is no fault of the event.
        fixed: whether the read-out alone decides it: the same number in each event whose layer has
            energy, such as the width across a single cell. Such a number says nothing of showers.
    """

    name: str
    label: str
    unit: str
    function: Callable[[Any], FloatArray]
    group: str
    prepare: Callable[[Events], Any] = _events_themselves
    axis: Axis = LINEAR
    optional: bool = False
    fixed: bool = False

    def __call__(self, events: Events) -> FloatArray:
        """Return the observable of each event, shape (n,)."""
        return self.function(self.prepare(events))


def observe(events: Events, observables: Sequence[Observable]) -> dict[str, FloatArray]:
    """Return the observables of each event by name, each of shape (n,).

    Many at once are much faster than one after the other: sums that several of them need are
    computed once. Events are taken in chunks, so that memory stays bounded beside the results.
    """
    numbers = sum(array.size for array in events.response.values())
    step = max(1, CHUNK * len(events) // max(numbers, 1))
    values = {o.name: np.empty(len(events)) for o in observables}
    for start in range(0, len(events), step):
        place = slice(start, start + step)
        chunk = events.take(place)
        prepared = {prepare: prepare(chunk) for prepare in {o.prepare for o in observables}}
        for o in observables:
            values[o.name][place] = o.function(prepared[o.prepare])
    return values
