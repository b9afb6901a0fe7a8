"""Facts on files: events of any known kind, and the arrays of those that are of none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import PIECE, EventSource, event_facts, spans
from simulacra.info.arrays import array_facts
from simulacra.io import EventFile, recognise
from simulacra.mixing.chambers import is_chamber, read_chamber

MEGABYTE = 1_000_000
MOST_NUMBERS = 10 * PIECE
"""Numbers of the response up to which a file is gone through; of larger ones the first events."""


def file_facts(name: str, path: Path, detector: Detector | None) -> dict[str, Any]:
    """Return the facts on an events file; what cannot be read as events is listed as arrays."""
    facts: dict[str, Any] = {"file": name, "size": _size(path)}
    if is_chamber(path):
        return {**facts, **read_chamber(path).describe()}
    try:
        facts["format"] = recognise(path)
        source = EventFile(path, detector)
    except EventsError as error:
        arrays = array_facts(path)
        if not arrays:
            raise
        reason = str(error).removeprefix(f"{path}: ")
        return {**facts, "not read": reason, "arrays": arrays}
    return {**facts, **event_facts(source, _first_conditions(source))}


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.3g} MB" if size >= MEGABYTE else f"{size / 1e3:.3g} kB"


def _first_conditions(source: EventSource) -> Conditions:
    """Return the conditions of all events, or of as many as are looked at."""
    numbers = sum(int(np.prod(array.shape)) for array in source.detector.response_arrays.values())
    most = max(MOST_NUMBERS // max(numbers, 1), 1)
    places = [span for span in spans(source) if span.start < most]
    return Conditions.concatenate([source.take(span).conditions for span in places])
