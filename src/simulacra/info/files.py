"""Facts on files: events of any known kind, and the arrays of those that are of none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import PIECE, EventSource, particles_of, spans
from simulacra.info.arrays import array_facts
from simulacra.info.columns import column_text
from simulacra.info.detectors import response_facts
from simulacra.io import EventFile, recognise
from simulacra.particles import PDG, names_of

MEGABYTE = 1_000_000
MOST_NUMBERS = 10 * PIECE
"""Numbers of the response up to which a file is gone through; of larger ones the first events."""


def file_facts(name: str, path: Path, detector: Detector | None) -> dict[str, Any]:
    """Return the facts on an events file; what cannot be read as events is listed as arrays."""
    facts: dict[str, Any] = {"file": name, "size": _size(path)}
    try:
        facts["format"] = recognise(path)
        source = EventFile(path, detector)
    except EventsError as error:
        arrays = array_facts(path)
        if not arrays:
            raise
        reason = str(error).removeprefix(f"{path}: ")
        return {**facts, "not read": reason, "arrays": arrays}
    return {**facts, **source_facts(source)}


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.3g} MB" if size >= MEGABYTE else f"{size / 1e3:.3g} kB"


def source_facts(source: EventSource) -> dict[str, Any]:
    """Return the facts on events."""
    detector, conditions = source.detector, _first_conditions(source)
    named = names_of(particles_of(source)) or "not named"
    if PDG in conditions.columns:
        named = column_text(PDG, conditions[PDG], detector.conditions.get(PDG))
    looked = "" if len(conditions) == len(source) else f" (of the first {len(conditions)})"
    return {
        "events": len(source),
        "detector": f"{detector.name} ({detector.kind})",
        "particles": named,
        f"conditions{looked}": {
            name: column_text(name, column, detector.conditions.get(name))
            for name, column in conditions.columns.items()
            if name != PDG
        },
        "response": response_facts(detector),
        "provenance": provenance_facts(source.provenance),
    }


def _first_conditions(source: EventSource) -> Conditions:
    """Return the conditions of all events, or of as many as are looked at."""
    numbers = sum(int(np.prod(array.shape)) for array in source.detector.response_arrays.values())
    most = max(MOST_NUMBERS // max(numbers, 1), 1)
    places = [span for span in spans(source) if span.start < most]
    return Conditions.concatenate([source.take(span).conditions for span in places])


def provenance_facts(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return a provenance in short: no digests, and of what is nested only plain facts."""
    facts: dict[str, Any] = {}
    for name, value in provenance.items():
        if name.endswith("sha256") or value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            plain = {k: v for k, v in value.items() if not isinstance(v, Mapping | list | tuple)}
            facts[name] = plain or "…"
        elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
            facts[name] = f"{len(value)} entries"
        else:
            facts[name] = value
    return facts
