"""Whether a file holds the very events that are to be written: then there is nothing to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulacra.errors import EventsError
from simulacra.events import Events, spans
from simulacra.io import FORMATS, EventFile, Format, recognise


def may_hold(path: Path, kind: Format, n: int) -> bool:
    """Return whether a file is one of a format with so many events; quick, whatever its size."""
    try:
        return FORMATS[recognise(path)] is kind and kind.count(path) == n
    except EventsError:
        return False


def holds(path: Path, events: Events) -> bool:
    """Return whether a file has these events: all numbers, the detector and the provenance."""
    try:
        found = EventFile(path)
        if dict(found.provenance) != dict(events.provenance):
            return False
        return found.detector == events.detector and all(
            _equal(found.take(rows), events.take(rows)) for rows in spans(found)
        )
    except EventsError:
        return False


def _equal(one: Events, other: Events) -> bool:
    columns, others = one.conditions.columns, other.conditions.columns
    return set(columns) == set(others) and all(
        np.array_equal(array, second)
        for array, second in (
            *((columns[name], others[name]) for name in columns),
            *((one.response[name], other.response[name]) for name in one.response),
        )
    )
