"""The native format: HDF5 whose two top-level names are CaloChallenge's.

``incident_energies`` (n, 1) and the response arrays lie at the top, every other condition below
``conditions/``. The detector travels along as YAML text, the provenance as JSON.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py

from simulacra.arrays import Array
from simulacra.conditions import Conditions
from simulacra.detectors import Detector
from simulacra.detectors.calorimeter.impacts import (
    IMPACTS,
    POSITIONS,
    impacts_of,
    require_positions,
    why_offsets,
)
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.files.small_files import parse_object
from simulacra.io.datasets import (
    count_rows,
    holds,
    opened,
    read_column,
    read_quantity,
    unit_in,
)
from simulacra.io.foreign import (
    ENERGY,
    carried_detector,
    energy_unit,
    require_conditions,
    require_equal_lengths,
    require_shape,
)
from simulacra.io.left_out import arrays_of, note_left_out, require_one_energy
from simulacra.io.writing import Arrays, created, write_arrays

ENERGY_DATASET = "incident_energies"
FORMAT = "simulacra-events"
VERSION = 1
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
        first = f"conditions/{next(iter(_names_of_conditions(file)), '')}"
        name = ENERGY_DATASET if ENERGY_DATASET in file else first
    return count_rows(path, name)


def write_hdf5(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write ``n`` events; the file appears whole or not at all, and equal events give equal bytes.

    Args:
        pieces: the events, in one piece or more.
        n: their number.
        path: the file.
    """
    with created(path) as file:
        write_group(pieces, n, file)


def write_group(pieces: Iterable[Events], n: int, group: h5py.Group) -> None:
    """Write ``n`` events that come in pieces into a group of an open file, or the file itself."""
    write_arrays(_described(pieces, group), n, group)


def _described(pieces: Iterable[Events], group: h5py.Group) -> Iterator[Arrays]:
    """Yield the arrays of the pieces; with the first one, say in the file what they are."""
    for number, events in enumerate(pieces):
        if number == 0:
            _describe(events, group)
        yield _arrays(events)


def _describe(events: Events, group: h5py.Group) -> None:
    group.attrs["format"] = FORMAT
    group.attrs["format_version"] = VERSION
    if impacts_of(events.detector) == POSITIONS:  # which earlier versions wrote as offsets
        group.attrs[IMPACTS] = POSITIONS
    group.attrs["detector"] = events.detector.to_yaml()
    group.attrs["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)


def _arrays(events: Events) -> Arrays:
    """Return every array with its unit, under its name in the file."""
    arrays: dict[str, tuple[Array, str | None]] = {}
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


def read_hdf5(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events.

    Args:
        path: the file.
        detector: needed where the file does not carry its detector (a plain CaloChallenge file);
            where it does, the two must build and read out the same.
        rows: which events.
        unit: of energies that state none; None for the unit in memory.

    Raises:
        EventsError: the file is missing, damaged, of another detector or a newer format, or breaks
            the contract.

    Warns:
        UserWarning: it has conditions that the detector does not declare, or arrays that are not
            read.
    """
    with opened(path) as file:
        if unit is not None:
            energy_unit(file, [name for name in (ENERGY_DATASET, "showers") if name in file], unit)
        return read_group(file, detector, rows, unit)


def read_group(
    file: h5py.Group, expected: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events from a group of an open file, or from the file itself; see :func:`read_hdf5`."""
    ours = str(file.attrs.get("format")) == FORMAT  # whose groups are conditions, or a hybrid run's
    if ours and (version := file.attrs.get("format_version")) != VERSION:
        msg = f"format {version}, this version reads {VERSION}"
        raise EventsError(msg)
    text = str(file.attrs["detector"]) if "detector" in file.attrs else None
    detector = carried_detector(text, expected)
    columns = _columns(file, detector, rows, unit)
    require_conditions(detector, columns)
    if ours:
        _require_positions(file, detector)
    if unknown := sorted(set(columns) - set(detector.conditions)):
        msg = f"{file.file.filename}: {detector.name} declares no condition {', '.join(unknown)}: "
        msg += "nothing here takes account of it"
        warnings.warn(msg, stacklevel=3)
    response = {}
    for name, array in detector.response_arrays.items():
        default = unit if array.unit == "MeV" else None
        response[name] = read_quantity(file, name, array.unit, rows, default=default)
        require_shape(name, response[name], array.shape, detector)
    require_equal_lengths(**columns, **response)
    if ENERGY_DATASET in file:
        require_one_energy(file, ENERGY_DATASET, columns[ENERGY], rows, unit or "MeV")
    read = {ENERGY_DATASET, *response}
    arrays = {name for name in arrays_of(file) if "/" not in name or not ours}
    note_left_out(file, {a for a in arrays - read if not a.startswith("conditions/")})
    facts = _provenance(file)
    return Events(Conditions(columns), response, detector, facts)


def _provenance(file: h5py.Group) -> dict[str, Any]:
    try:
        return parse_object(str(file.attrs.get("provenance", "{}")))
    except ValueError as error:
        msg = f"its provenance is no JSON object: {error}"
        raise EventsError(msg) from None


def _require_positions(file: h5py.Group, detector: Detector) -> None:
    """Raise an :class:`EventsError` where impacts, of all events, may be offsets."""
    said = str(file.attrs[IMPACTS]) if IMPACTS in file.attrs else None
    if not why_offsets(said, detector):
        return
    spec, impacts = detector.conditions, {}
    for name in _names_of_conditions(file):
        if name.startswith("impact_") and name in spec:
            impacts[name] = read_column(file, f"conditions/{name}", spec[name].unit, slice(None))
    require_positions(said, detector, impacts)


def _names_of_conditions(file: h5py.Group) -> list[str]:
    group = file.get("conditions")
    return list(group) if isinstance(group, h5py.Group) else []


def _columns(
    file: h5py.Group, detector: Detector, rows: slice, unit: str | None
) -> dict[str, Array]:
    """Return the conditions in the units that the detector declares."""
    units = {name: spec.unit for name, spec in detector.conditions.items()}
    columns = {}
    if ENERGY_DATASET in file:
        in_memory = units.get(ENERGY, "MeV")
        columns[ENERGY] = read_column(file, ENERGY_DATASET, in_memory, rows, default=unit)
    unstated = []
    for name in _names_of_conditions(file):
        if name not in columns:
            path, in_memory = f"conditions/{name}", units.get(name, "")
            columns[name] = read_column(file, path, in_memory, rows)
            if in_memory and unit_in(file, path, in_memory) is None:
                unstated.append(f"{name} in {in_memory}")
    if unstated and "detector" not in file.attrs:  # who says the detector is believed
        msg = f"nothing states the unit of the conditions: taken are {', '.join(unstated)}"
        warnings.warn(msg, stacklevel=2)
    return columns
