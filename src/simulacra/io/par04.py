"""The HDF5 of Geant4's example Par04: a cylinder of voxels for each particle.

``incident_energy`` (n,) and ``showers`` (n, r, phi, z) in MeV: the axes of CaloChallenge's data
sets 2 and 3, which the same example made, in reverse.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import holds, opened, read_numbers
from simulacra.io.foreign import energy_and_cells, foreign_events, require_calorimeter
from simulacra.io.plausibility import (
    PAR04,
    Order,
    order_name,
    plausible_orders,
    polar_counts,
    require_closure,
)
from simulacra.io.writing import created, write_dataset

KIND = "par04"


def is_par04(path: Path) -> bool:
    """Return whether the file has Par04's two arrays."""
    return holds(path, "incident_energy", "showers")


def read_par04(path: Path, detector: Detector | None, rows: slice) -> Events:
    """Read events; the order of axes is found from their lengths.

    Raises:
        EventsError: no detector is given, the axes are not its own or cannot be told apart, or
            energies do not close.
    """
    with opened(path) as file:
        calorimeter = require_calorimeter(detector, KIND)
        energy = read_numbers(file, "incident_energy", rows).reshape(-1)
        showers = read_numbers(file, "showers", rows)
        order = _order(showers, calorimeter)
        to_layers = 1 + np.argsort(order)
        cells = np.transpose(showers, (0, *to_layers)).reshape(-1, calorimeter.n_cells)
        events = foreign_events(calorimeter, energy, cells, path, KIND)
        require_closure(energy, cells)
        return events


def _order(showers: Array, detector: Calorimeter) -> Order:
    """Return which axis of (layer, alpha, r) each axis of the showers is.

    Lengths decide; where two are equal, the showers themselves must look as documented.
    """
    counts = _counts(detector)
    fitting = [
        (first, second, third)
        for first, second, third in permutations(range(3))
        if showers.shape[1:] == (counts[first], counts[second], counts[third])
    ]
    if not fitting:
        msg = (
            f"showers are {showers.shape[1:]}, {detector.name} has {counts[2]} x {counts[1]} x "
            f"{counts[0]} (r, alpha, layer): a file of another detector?"
        )
        raise EventsError(msg)
    if len(fitting) == 1:
        return fitting[0]
    seen = plausible_orders(showers.sum(axis=0, dtype=np.float64).ravel(), counts)
    if PAR04 in fitting and PAR04 in seen:
        return PAR04
    looks = [order_name(order) for order in seen if order in fitting]
    msg = f"axes of {showers.shape[1:]} cannot be told apart by length; documented is " + (
        f"{order_name(PAR04)}, but the showers look like {looks[0]}"
        if looks
        else f"{order_name(PAR04)}, which these showers do not show: read more of them"
    )
    raise EventsError(msg)


def _counts(detector: Calorimeter) -> tuple[int, int, int]:
    counts = polar_counts(detector)
    if counts is None:
        msg = f"Par04's files are cylinders of equal layers; {detector.name} is none"
        raise EventsError(msg)
    return counts


def write_par04(events: Events, path: Path) -> None:
    """Write energies (n,) and showers (n, r, phi, z)."""
    energy, cells = energy_and_cells(events, KIND)
    grid = cells.reshape(-1, *_counts(require_calorimeter(events.detector, KIND)))
    with created(path) as file:
        write_dataset(file, "incident_energy", energy)
        write_dataset(file, "showers", np.ascontiguousarray(grid.transpose(0, 3, 2, 1)))
