"""Time-projection chambers: whole events of many tracks, as their clusters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import TPC, parse_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.faces.text import Described, provenance_facts
from simulacra.io.datasets import holds, opened, read_numbers
from simulacra.io.writing import created, write_dataset
from simulacra.mixing.draws import Draws
from simulacra.mixing.pulses import Pulses

FORMAT = "simulacra-chamber"
VERSION = 1
ROWS = 65536
"""Rows of a column that are compressed together."""
UNITS = {"clusters": "mm, mm, mm, ADC, ADC"}


@dataclass(frozen=True, slots=True, repr=False)
class ChamberEvents(Described):
    """Whole events of a TPC: any number of clusters in a pad row.

    The clusters of one event follow one another, by pad row.

    Attributes:
        conditions: of the track that each event began with (n,).
        event: the event of each cluster (m,), ascending.
        row: its pad row (m,).
        clusters: x, y, z in mm, q, q_max in ADC (m, 5).
        track: the track with the largest sample: 0 the event's own, 1, 2, … those that were
            overlaid, in the order of the library's rows (m,).
        tracks: of how many tracks the cluster is made (m,).
        overlaid: row of the library of each overlaid track, event after event (t,).
        overlaid_event: whose it is (t,), ascending.
        detector: the chamber.
        provenance: how the events were made.
    """

    conditions: Conditions
    event: IntArray
    row: IntArray
    clusters: NDArray[np.float32]
    track: IntArray
    tracks: IntArray
    overlaid: IntArray
    overlaid_event: IntArray
    detector: TPC
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.conditions)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the events."""
        n, merged = max(len(self), 1), int(np.count_nonzero(self.tracks > 1))
        return {
            "events": len(self),
            "detector": f"{self.detector.name} ({self.detector.kind})",
            "tracks of an event": round(1 + len(self.overlaid) / n, 2),
            "clusters of an event": round(len(self.event) / n, 1),
            "clusters of several tracks": f"{merged / max(len(self.event), 1):.2%}",
            "provenance": provenance_facts(self.provenance),
        }


def whole_events(events: Events, library: Events, draws: Draws) -> ChamberEvents:
    """Return whole events: each track of ``events`` with those of the library drawn for it.

    Clusters in one pad row that lie in each other's window, in pads and in time bins, are merged
    (:meth:`simulacra.mixing.pulses.Pulses.found`). Thresholds were applied to each track by itself:
    two pulses that are too small stay lost even where their sum would not be.
    """
    detector = events.detector
    assert isinstance(detector, TPC)
    counts = draws.counts
    before = np.cumsum(counts) - counts
    number = 1 + np.arange(len(draws)) - before[draws.event]
    own = _clusters(events, np.arange(len(events)), np.arange(len(events)), 0 * counts)
    others = _clusters(library, draws.row, draws.event, number)
    event, row, track, clusters = map(np.concatenate, zip(own, others, strict=True))
    pulses = Pulses.of(event, row, clusters, detector)
    leader = pulses.leaders(detector.electronics.window)
    heads, found = pulses.found(leader, detector)
    tracks = np.bincount(leader, minlength=len(leader))[heads]
    alone = tracks == 1
    found[alone] = clusters[heads[alone]]  # to the last bit
    order = np.lexsort((pulses.pad[heads], pulses.time[heads], row[heads], event[heads]))
    heads = heads[order]
    return ChamberEvents(
        events.conditions,
        event[heads],
        row[heads],
        found[order].astype(np.float32),
        track[heads],
        tracks[order],
        draws.row,
        draws.event,
        detector,
        events.provenance,
    )


def _clusters(
    events: Events, rows: IntArray, event: IntArray, track: IntArray
) -> tuple[IntArray, IntArray, IntArray, Array]:
    """Return event, pad row and track of the clusters of some tracks (m,), and these (m, 5)."""
    which, row = np.nonzero(events["cluster_mask"][rows])
    clusters = events["clusters"][rows[which], row]
    return event[which], row, track[which], clusters


COLUMNS = ("event", "row", "clusters", "track", "tracks", "overlaid", "overlaid_event")


def write_chamber(events: ChamberEvents, path: Path) -> None:
    """Write whole events to HDF5; the file appears whole or not at all."""
    with created(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = VERSION
        file.attrs["detector"] = events.detector.to_yaml()
        file.attrs["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)
        for name, column in events.conditions.items():
            unit = (
                events.detector.conditions[name].unit if name in events.detector.conditions else ""
            )
            write_dataset(file, f"conditions/{name}", column, unit, ROWS)
        for name in COLUMNS:
            column = getattr(events, name)
            stored = column.astype(np.int32) if column.dtype.kind == "i" else column
            write_dataset(file, name, stored, UNITS.get(name), ROWS)


def is_chamber(path: Path) -> bool:
    """Return whether a file holds whole events of a chamber."""
    if not holds(path, "overlaid", "tracks"):
        return False
    with opened(path) as file:
        return str(file.attrs.get("format")) == FORMAT


def read_chamber(path: str | Path) -> ChamberEvents:
    """Read whole events.

    Raises:
        EventsError: the file is missing, damaged, or holds none.
    """
    with opened(Path(path)) as file:
        known = str(file.attrs.get("format")), file.attrs.get("format_version")
        if known != (FORMAT, VERSION):
            msg = "no whole events of a chamber that this version knows"
            raise EventsError(msg)
        detector = parse_detector(str(file.attrs["detector"]), str(path))
        assert isinstance(detector, TPC)
        conditions = {name: read_numbers(file, f"conditions/{name}") for name in file["conditions"]}
        columns = {name: read_numbers(file, name) for name in COLUMNS}
        facts = json.loads(str(file.attrs["provenance"]))
        return ChamberEvents(Conditions(conditions), **columns, detector=detector, provenance=facts)
