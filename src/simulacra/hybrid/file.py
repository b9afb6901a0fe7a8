"""Hybrid events in HDF5: each region as native events, and the truth beside them.

``regions/NAME/`` holds a region's events in the native layout. A file of one region has them at its
top as well (the same data, linked), so that it is an events file like any other. ``primaries/``,
``hits/``, ``requests/`` and ``audit/`` hold the columns of :class:`HybridEvents`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.hybrid.events import Audit, Hits, HybridEvents, Requests
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.rules import Entries
from simulacra.io import HDF5
from simulacra.io.datasets import opened, read_numbers
from simulacra.io.hdf5 import SEVERAL_REGIONS, read_group, write_group
from simulacra.io.writing import created, write_dataset

VERSION = 3
OLDER = 2
"""Which has no azimuths of those who entered; they are nan then."""
ROWS = 65536
"""Rows of a column that are compressed together."""
UNITS = {
    **dict.fromkeys(("energy", "brought", "deposited", "escaped", "handed_over"), "MeV"),
    **dict.fromkeys(("position", "x", "y", "margin"), "mm"),
    **dict.fromkeys(("angle", "theta", "phi"), "rad"),
}
SMALL = {"region": np.uint8, "rule": np.int16, "outcome": np.uint8}
"""Columns that hold small numbers, and their types on disk."""


def require_hdf5(path: Path) -> None:
    """Raise an :class:`EventsError` unless the file is called as HDF5 files are."""
    if path.suffix.lower() not in HDF5:
        msg = f"{path}: hybrid events are written as HDF5; endings known are {', '.join(HDF5)}"
        raise EventsError(msg)


def write_hybrid(events: HybridEvents, path: Path) -> None:
    """Write events; the file appears whole or not at all, and equal events give equal bytes."""
    with created(path) as file:
        for name, region in events.regions.items():
            write_group([region], len(region), file.create_group(f"regions/{name}"))
        if len(events.regions) == 1:
            (only,) = file["regions"].values()
            for name in only:
                file[name] = only[name]
            for name, value in only.attrs.items():
                file.attrs[name] = value
        else:
            file.attrs["format"] = SEVERAL_REGIONS
        file.attrs["hybrid_version"] = VERSION
        file.attrs["n_events"] = len(events)
        file.attrs["origins"] = json.dumps(events.origins)
        file.attrs["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)
        _write(file, "primaries", _columns(events.primaries))
        _write(file, "hits", _columns(events.hits))
        _write(file, "requests", _columns(events.requests) | _columns(events.requests.entries))
        _write(file, "audit", _columns(events.audit))


def _names(kind: type | Any) -> list[str]:  # noqa: ANN401 - a dataclass or one of its instances
    return [item.name for item in fields(kind)]


def _columns(table: Any) -> dict[str, Array]:  # noqa: ANN401 - a dataclass of columns
    """Return the columns of a dataclass by name, without what is none."""
    columns = {name: getattr(table, name) for name in _names(table)}
    return {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}


def _write(file: h5py.File, group: str, columns: Mapping[str, Array]) -> None:
    for name, column in columns.items():
        kind = np.int32 if column.dtype.kind == "i" else column.dtype
        stored = column.astype(SMALL.get(name, kind))
        write_dataset(file, f"{group}/{name}", stored, UNITS.get(name), ROWS)


def read_hybrid(path: str | Path) -> HybridEvents:
    """Read the events of a hybrid run.

    Raises:
        EventsError: the file is missing, damaged, or none of a hybrid run.
    """
    with opened(Path(path)) as file:
        if file.attrs.get("hybrid_version") not in (OLDER, VERSION):
            msg = f"{path}: no file of a hybrid run that this version knows"
            raise EventsError(msg)
        requests = _read(file, "requests")
        requests.setdefault("phi", np.full_like(requests["theta"], np.nan))
        entries = Entries(**{name: requests.pop(name) for name in _names(Entries)})
        return HybridEvents(
            Primaries(**_read(file, "primaries"), n_events=int(file.attrs["n_events"])),
            Hits(**_read(file, "hits")),
            Requests(**requests, entries=entries),
            Audit(**_read(file, "audit")),
            {name: read_group(group, None, slice(None)) for name, group in _regions(file)},
            tuple(json.loads(str(file.attrs["origins"]))),
            json.loads(str(file.attrs["provenance"])),
        )


def _regions(file: h5py.File) -> list[tuple[str, Any]]:
    names = json.loads(str(file.attrs["provenance"]))["card"]["regions"]
    return [(name, file[f"regions/{name}"]) for name in names]


def _read(file: h5py.File, group: str) -> dict[str, Array]:
    return {name: read_numbers(file, f"{group}/{name}", slice(None)) for name in file[group]}
