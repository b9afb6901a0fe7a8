"""The native format: HDF5 whose two top-level names are CaloChallenge's.

``incident_energies`` (n, 1) and the response arrays lie at the top, every other condition below
``conditions/``. The detector travels along as YAML text, the provenance as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import h5py

from simulacra.arrays import Array
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import count_rows, holds, opened, read_numbers
from simulacra.io.foreign import ENERGY, carried_detector, require_conditions, require_shape
from simulacra.io.writing import ROWS, created, new_dataset, write_rows

ENERGY_DATASET = "incident_energies"
FORMAT = "simulacra-events"
SEVERAL_REGIONS = "simulacra-hybrid"
"""What a file says that holds several samples, one for each region of a hybrid run."""


def is_native(path: Path) -> bool:
    """Return whether the file says that it is ours."""
    if not holds(path):
        return False
    with opened(path) as file:
        return str(file.attrs.get("format")) == FORMAT


def regions_of(path: Path) -> tuple[str, ...]:
    """Return the regions of a file of several; none where it is another kind of file."""
    if not holds(path):
        return ()
    with opened(path) as file:
        several = str(file.attrs.get("format")) == SEVERAL_REGIONS
        return tuple(file["regions"]) if several else ()


def count_hdf5(path: Path) -> int:
    """Return the number of events."""
    with opened(path) as file:
        first = f"conditions/{next(iter(file.get('conditions', ())), '')}"
        name = ENERGY_DATASET if ENERGY_DATASET in file else first
    return count_rows(path, name)


def write_hdf5(events: Events, path: Path) -> None:
    """Write events; the file appears whole or not at all, and equal events give equal bytes."""
    write_hdf5_pieces([events], len(events), path)


def write_hdf5_pieces(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write ``n`` events that come in pieces, one or more, as they come."""
    with created(path) as file:
        write_group(pieces, n, file)


def write_group(pieces: Iterable[Events], n: int, group: h5py.Group) -> None:
    """Write ``n`` events that come in pieces into a group of an open file, or the file itself.

    All arrays are written some rows at a time, so that equal events give equal bytes however they
    come, as long as pieces are multiples of these rows.
    """
    datasets: dict[str, h5py.Dataset] = {}
    start = 0
    for events in pieces:
        arrays = _arrays(events)
        if not datasets:
            _describe(events, group)
            datasets = {
                name: new_dataset(group, name, (n, *array.shape[1:]), array.dtype, unit)
                for name, (array, unit) in arrays.items()
            }
        for first in range(0, len(events), ROWS):
            for name, (array, _) in arrays.items():
                write_rows(datasets[name], start + first, array[first : first + ROWS])
        start += len(events)
    if start != n:
        msg = f"{start} events came where {n} were announced"
        raise EventsError(msg)


def _describe(events: Events, group: h5py.Group) -> None:
    group.attrs["format"] = FORMAT
    group.attrs["format_version"] = 1
    group.attrs["detector"] = events.detector.to_yaml()
    group.attrs["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)


def _arrays(events: Events) -> dict[str, tuple[Array, str]]:
    """Return every array with its unit, under its name in the file."""
    arrays: dict[str, tuple[Array, str]] = {}
    for name, column in events.conditions.columns.items():
        spec = events.detector.conditions.get(name)
        unit = spec.unit if spec else ""
        if name == ENERGY:
            arrays[ENERGY_DATASET] = column[:, None], unit
        else:
            arrays[f"conditions/{name}"] = column, unit
    for name, array in events.detector.response_arrays.items():
        arrays[name] = events.response[name], array.unit
    return arrays


def read_hdf5(path: Path, detector: Detector | None, rows: slice) -> Events:
    """Read events.

    Args:
        path: the file.
        detector: needed where the file does not carry its detector (a plain CaloChallenge file);
            where it does, the two must agree.
        rows: which events.

    Raises:
        EventsError: the file is missing, damaged, of another detector, or breaks the contract.
    """
    with opened(path) as file:
        return read_group(file, detector, rows)


def read_group(file: h5py.Group, expected: Detector | None, rows: slice) -> Events:
    """Read events from a group of an open file, or from the file itself; see :func:`read_hdf5`."""
    text = str(file.attrs["detector"]) if "detector" in file.attrs else None
    detector = carried_detector(text, expected)
    columns = {}
    if ENERGY_DATASET in file:
        columns[ENERGY] = read_numbers(file, ENERGY_DATASET, rows).reshape(-1)
    if "conditions" in file:
        columns |= {
            name: read_numbers(file, f"conditions/{name}", rows) for name in file["conditions"]
        }
    require_conditions(detector, columns)
    response = {}
    for name, array in detector.response_arrays.items():
        response[name] = read_numbers(file, name, rows)
        require_shape(name, response[name], array.shape, detector)
    facts = json.loads(str(file.attrs.get("provenance", "{}")))
    if not isinstance(facts, dict):
        msg = "its provenance is not a JSON object"
        raise EventsError(msg)
    return Events(Conditions(columns), response, detector, facts)
