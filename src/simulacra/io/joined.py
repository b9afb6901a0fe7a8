"""Several files as one sample, and rows of a file as a sample: read piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events, EventSource, numbers_of, pieces
from simulacra.files.memory import require_room
from simulacra.io.datasets import range_of
from simulacra.io.hdf5 import is_native

JOINED = "joined"
"""In the provenance of a joined sample: a list of what was joined."""
PARTICLE = ("particle", "pdg")
"""In the provenance: what the events begin with."""


@dataclass(frozen=True)
class RowsOf:
    """Consecutive events of a source.

    Attributes:
        source: where they lie.
        rows: from which to which; no step.
        name: the file, for the provenance.
    """

    source: EventSource
    rows: slice
    name: str

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self.source.detector

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the events were made."""
        return self.source.provenance

    def __len__(self) -> int:
        return int(self.rows.stop - self.rows.start)

    def take(self, index: slice) -> Events:
        """Return some of the events, one after another."""
        part = range_of(index, len(self))
        return self.source.take(slice(self.rows.start + part.start, self.rows.start + part.stop))


class Joined:
    """The events of several sources of one detector, one source after another.

    Where the sources are of different particles, the events have the particle as a condition.

    Args:
        parts: the sources; at least one.

    Raises:
        EventsError: they are of different detectors, share events, or are a mixture of particles
            in which nothing says which event is of which.
    """

    def __init__(self, parts: Sequence[RowsOf]) -> None:
        require_distinct(parts)
        first = [part.take(slice(0, 1)) for part in parts]
        self._detector = Events.concatenate(first, [part.name for part in parts]).detector
        self._parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])

    @property
    def detector(self) -> Detector:
        """The detector."""
        return self._detector

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the events were made: what all parts say, and under ``joined`` each of them."""
        return joined_provenance(self._parts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, index: slice) -> Events:
        """Return some events, one after another.

        Raises:
            EventsError: they cannot be used, or parts have different conditions.
        """
        rows = range_of(index, len(self))
        found = []
        for part, end in zip(self._parts, self._ends, strict=True):
            start = int(end) - len(part)
            first, last = max(rows.start - start, 0), min(rows.stop - start, len(part))
            if first < last:
                found.append(part.take(slice(first, last)))
        if not found:
            found = [self._parts[0].take(slice(0, 0))]
        if particles := self._detector.particles:
            found = [events.labelled(particles) for events in found]
        return _with(Events.concatenate(found), self.provenance)


def _with(events: Events, facts: Mapping[str, Any]) -> Events:
    """Return events with the provenance of a joined sample; of their particle, their own."""
    own = {key: events.provenance[key] for key in PARTICLE if key in events.provenance}
    return Events(events.conditions, events.response, events.detector, {**facts, **own})


def joined_provenance(parts: Sequence[RowsOf]) -> dict[str, Any]:
    """Return the provenance of parts together: as it is where they agree, else with each of them.

    Whatever all of them say alike, such as the particle, stays at its place.
    """
    facts = [dict(part.provenance) for part in parts]
    common = {
        key: value
        for key, value in facts[0].items()
        if all(key in other and other[key] == value for other in facts)
    }
    if all(other == common for other in facts):
        return common
    each = [
        {"file": part.name, "events": len(part), "provenance": own}
        for part, own in zip(parts, facts, strict=True)
    ]
    return {**common, JOINED: each}


def whole(parts: Sequence[RowsOf], particle: str | None = None) -> Events:
    """Return all events of all parts, checked.

    Args:
        parts: of files; their events follow one another.
        particle: what all of them begin with, where the files do not name it.

    Raises:
        EventsError: a condition or a response is not sensible, or the parts are an unlabelled
            mixture of particles.
        SimulacraError: the memory does not hold them all.
    """
    sizes = [4 * len(part) * numbers_of(part.detector) for part in parts]
    copies = min(len(parts), 2)  # the parts, and what they become
    require_room(copies * sum(sizes), f"{sum(map(len, parts))} events")
    read = []
    for part in parts:
        events = part.take(slice(0, len(part)))
        read.append(events if particle is None else events.named(particle))
        _check(events, part.name)
    if len(read) == 1:
        return read[0]
    return _with(Events.concatenate(read, [p.name for p in parts]), joined_provenance(parts))


def streamed(parts: Sequence[RowsOf], particle: str | None = None) -> tuple[int, Iterator[Events]]:
    """Return how many events all parts have, and :func:`whole` in checked pieces.

    Our own files are read as the pieces are taken. Those of others are read whole at once, since
    units and the order of cells are told from all events together.
    """
    if particle is not None or not all(is_native(Path(part.name)) for part in parts):
        events = whole(parts, particle)
        return len(events), iter([events])
    source: EventSource = parts[0] if len(parts) == 1 else Joined(parts)
    return len(source), _checked(source, ", ".join(part.name for part in parts))


def _checked(source: EventSource, name: str) -> Iterator[Events]:
    for _, events in pieces(source):
        _check(events, name)
        yield events


def _check(events: Events, name: str) -> None:
    try:
        events.check()
    except EventsError as error:
        msg = f"{name}: {error}"
        raise EventsError(msg) from None


def require_distinct(parts: Sequence[RowsOf]) -> None:
    """Raise an :class:`EventsError` where parts share events of a file."""
    files = [(Path(part.name).resolve(), part.rows.start, part.rows.stop) for part in parts]
    for (first, _, end), (second, start, _) in itertools.pairwise(sorted(files)):
        if first == second and start < end:
            msg = f"{first.name}: events would be read twice; name every file once"
            raise EventsError(msg)


def selected(parts: Sequence[RowsOf], rows: slice) -> list[RowsOf]:
    """Return the parts of consecutive events of all parts together.

    Raises:
        EventsError: there are none.
    """
    limits = range_of(rows, sum(len(part) for part in parts))
    kept, start = [], 0
    for part in parts:
        first, last = max(limits.start - start, 0), min(limits.stop - start, len(part))
        if first < last:
            own = slice(part.rows.start + first, part.rows.start + last)
            kept.append(RowsOf(part.source, own, part.name))
        start += len(part)
    if not kept:
        first, last = ("" if end is None else end for end in (rows.start, rows.stop))
        msg = f"{', '.join(part.name for part in parts)} has no events {first}:{last}"
        raise EventsError(msg)
    return kept
