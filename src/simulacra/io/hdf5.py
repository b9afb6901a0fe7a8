"""The native format: HDF5 whose two top-level names are CaloChallenge's.

``incident_energies`` (n, 1) and the response arrays lie at the top, every other condition below
``conditions/``. The detector travels along as YAML text, the provenance as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from simulacra.atomic import whole_file
from simulacra.conditions import Conditions
from simulacra.detectors import Detector, parse_detector
from simulacra.errors import EventsError, SimulacraError
from simulacra.events import Events, require_same_detector

ENERGY = "energy"
ENERGY_DATASET = "incident_energies"


def write_hdf5(events: Events, path: Path) -> None:
    """Write events; the file appears whole or not at all, and equal events give equal bytes."""
    with whole_file(path) as part, h5py.File(part, "w") as file:
        file.attrs["format"] = "simulacra-events"
        file.attrs["format_version"] = 1
        file.attrs["detector"] = events.detector.to_yaml()
        file.attrs["provenance"] = json.dumps(dict(events.provenance), sort_keys=True)
        for name, column in events.conditions.columns.items():
            spec = events.detector.conditions.get(name)
            unit = spec.unit if spec else ""
            if name == ENERGY:
                _write(file, ENERGY_DATASET, column[:, None], unit)
            else:
                _write(file, f"conditions/{name}", column, unit)
        for name, array in events.detector.response_arrays.items():
            _write(file, name, events.response[name], array.unit)


def _write(file: h5py.File, name: str, array: NDArray[Any], unit: str) -> None:
    options: dict[str, Any] = {}
    if array.size:
        rows = min(len(array), 1024)
        options = {
            "chunks": (rows, *array.shape[1:]),
            "compression": "gzip",
            "compression_opts": 6,
            "shuffle": True,
        }
    dataset = file.create_dataset(name, data=array, track_times=False, **options)
    dataset.attrs["unit"] = unit


def read_hdf5(path: Path, detector: Detector | None = None) -> Events:
    """Read events.

    Args:
        path: the file.
        detector: needed where the file does not carry its detector (a plain CaloChallenge file);
            where it does, the two must agree.

    Raises:
        EventsError: the file is missing, damaged, of another detector, or breaks the contract.
    """
    if not path.is_file():
        msg = f"no events file {path}"
        raise EventsError(msg)
    try:
        with h5py.File(path, "r") as file:
            return _read(file, detector)
    except EventsError as error:
        msg = f"{path}: {error}"
        raise EventsError(msg) from None
    except (OSError, KeyError, RuntimeError) as error:
        msg = f"{path}: not a readable HDF5 events file (truncated or damaged?): {error}"
        raise EventsError(msg) from None


def _read(file: h5py.File, expected: Detector | None) -> Events:
    detector = expected
    if "detector" in file.attrs:
        try:
            detector = parse_detector(str(file.attrs["detector"]), "the file's detector")
        except SimulacraError as error:
            raise EventsError(str(error)) from None
        if expected is not None:
            require_same_detector(expected, detector)
    if detector is None:
        msg = "the file does not say which detector it is of; name it (--detector)"
        raise EventsError(msg)
    columns = {}
    if ENERGY_DATASET in file:
        columns[ENERGY] = _dataset(file, ENERGY_DATASET)[()].reshape(-1)
    if "conditions" in file:
        columns |= {name: _dataset(file, f"conditions/{name}")[()] for name in file["conditions"]}
    missing = [name for name in detector.conditions if name not in columns]
    if missing:
        msg = f"the conditions {', '.join(missing)} of detector {detector.name} are missing"
        raise EventsError(msg)
    response = {}
    for name, array in detector.response_arrays.items():
        if name not in file:
            msg = f"no array {name!r}, which detector {detector.name} reads out"
            raise EventsError(msg)
        response[name] = np.asarray(_dataset(file, name)[()])
        if response[name].shape[1:] != array.shape:
            msg = (
                f"{name} has {response[name].shape[1:]} values an event, detector "
                f"{detector.name} reads out {array.shape}: a file of another detector?"
            )
            raise EventsError(msg)
    facts = json.loads(str(file.attrs.get("provenance", "{}")))
    return Events(Conditions(columns), response, detector, facts)


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        msg = f"{name} is not a dataset"
        raise EventsError(msg)
    return dataset
