"""CaloChallenge's plain HDF5 (arXiv:2410.21611): two arrays and nothing about the detector.

``incident_energies`` (n, 1) and ``showers`` (n, voxels), both in MeV; in each layer r runs fastest,
then alpha. The voxels are described elsewhere, in an XML binning that is a detector here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened
from simulacra.io.foreign import energy_and_cells, energy_unit, require_calorimeter
from simulacra.io.hdf5 import ENERGY_DATASET, read_group
from simulacra.io.plausibility import require_closure
from simulacra.io.voxel_order import require_order
from simulacra.io.writing import Arrays, created, write_arrays

KIND = "calochallenge"
CALOCHALLENGE = (ENERGY_DATASET, "showers")
"""The arrays of such a file."""
PUBLISHED = {
    368: "calochallenge-1-photons",
    533: "calochallenge-1-pions",
    6480: "calochallenge-2",
    40500: "calochallenge-3",
}
"""Number of voxels of the published data sets; a guess to offer, not to act upon."""


def read_calochallenge(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events of a plain file; ``detector`` says where its voxels are.

    Args:
        path: the file.
        detector: whose voxels they are.
        rows: which events.
        unit: of energies and voxels that state none; None for MeV where they look like it.

    Raises:
        EventsError: no detector is given, the voxels are not its own, or units, energies or the
            order of voxels make no sense.
    """
    with opened(path) as file:
        if detector is None:
            shape: tuple[int, ...] = getattr(file.get("showers"), "shape", ()) or ()
            guess = PUBLISHED.get(shape[-1]) if len(shape) == 2 else None
            hint = f"; its {shape[-1]} voxels are as many as those of {guess}" if guess else ""
            msg = f"the file does not say which detector it is of; name it (--detector){hint}"
            raise EventsError(msg)
        calorimeter = require_calorimeter(detector, KIND)
        default = energy_unit(file, (ENERGY_DATASET, "showers"), unit)
        events = read_group(file, calorimeter, rows, default)
        require_closure(events.conditions["energy"], events["showers"])
        require_order(events["showers"], calorimeter)
    facts = {"converted_from": {"format": KIND, "file": path.name}}
    return replace(events, provenance=facts)


def write_calochallenge(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write the two arrays in double precision, as published files have them, with their unit."""
    with created(path) as file:
        write_arrays(map(_arrays, pieces), n, file)


def _arrays(events: Events) -> Arrays:
    energy, cells = energy_and_cells(events, KIND)
    return {
        ENERGY_DATASET: (energy.astype(np.float64)[:, None], "MeV"),
        "showers": (cells.astype(np.float64), "MeV"),
    }
