"""The HDF5 of Geant4's example Par04: a cylinder of voxels for each particle.

``incident_energy`` (n,) and ``showers`` (n, r, phi, z) in MeV: the axes of CaloChallenge's data
sets 2 and 3, which the same example made, in reverse. ``incident_theta`` (n,), in rad, is the polar
angle in the example's barrel, in which a particle at 90 degrees meets the layers head on: the angle
of incidence is |90 deg - incident_theta|. ``incident_phi`` (n,) turns the whole event.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.detectors import Calorimeter, Detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io.datasets import opened, read_column, read_quantity
from simulacra.io.foreign import (
    ENERGY,
    energy_and_cells,
    energy_unit,
    foreign_events,
    require_calorimeter,
)
from simulacra.io.left_out import arrays_of, note_left_out, require_one_energy
from simulacra.io.plausibility import require_closure
from simulacra.io.voxel_order import (
    IN_LAYER,
    STATED,
    Order,
    cells_of,
    clearer_orders,
    fitting_orders,
    looks_round,
    order_name,
    polar_counts,
)
from simulacra.io.writing import Arrays, created, write_arrays

KIND = "par04"
INCIDENT_ENERGY, INCIDENT_THETA, INCIDENT_PHI = "incident_energy", "incident_theta", "incident_phi"
PAR04 = (INCIDENT_ENERGY, "showers")
"""The arrays of such a file, but for the angles."""
THETA = "theta"
DOCUMENTED: Order = (2, 1, 0)
"""Of (layer, alpha, r): r slowest, then phi, then z."""
HEAD_ON = math.pi / 2
SAME_ANGLE = 1e-3
"""Angles that differ by less are one, rad."""


def read_par04(
    path: Path, detector: Detector | None, rows: slice, unit: str | None = None
) -> Events:
    """Read events; the order of axes is found from their lengths.

    Args:
        path: the file.
        detector: whose voxels they are; where it declares ``theta``, the file must hold angles.
        rows: which events.
        unit: of energies and voxels that state none; None for MeV where they look like it.

    Raises:
        EventsError: no detector is given, the axes are not its own or cannot be told apart, or
            energies do not close.
    """
    with opened(path) as file:
        calorimeter = require_calorimeter(detector, KIND)
        default = energy_unit(file, (INCIDENT_ENERGY, "showers"), unit)
        energy = read_column(file, INCIDENT_ENERGY, "MeV", rows, default=default)
        showers = read_quantity(file, "showers", "MeV", rows, default=default)
        cells = _in_order(showers, calorimeter)
        columns = {ENERGY: energy, **_angles(file, calorimeter, rows)}
        events = foreign_events(calorimeter, columns, cells, path, KIND)
        require_closure(energy, cells)
        require_one_energy(file, INCIDENT_ENERGY, energy, rows, default)
        read = {INCIDENT_ENERGY, INCIDENT_THETA, INCIDENT_PHI, "showers"}
        note_left_out(file, arrays_of(file) - read)
        return events


def _angles(file: h5py.File, detector: Calorimeter, rows: slice) -> dict[str, Array]:
    """Return the angle of incidence, where the detector declares one.

    Warns:
        UserWarning: angles of the file that the detector has no condition for.
    """
    columns: dict[str, Array] = {}
    if INCIDENT_THETA in file:
        theta = read_column(file, INCIDENT_THETA, "rad", rows)
        if len(theta) and (theta.min() < 0 or theta.max() > math.pi):
            msg = (
                f"{INCIDENT_THETA} goes from {theta.min():g} to {theta.max():g}, not from 0 to pi: "
                "if it is in degrees, state it as the attribute 'unit' of the array"
            )
            raise EventsError(msg)
        incidence = np.abs(HEAD_ON - theta)
        if THETA in detector.conditions:
            columns[THETA] = incidence
        elif len(incidence) and incidence.max() > SAME_ANGLE:
            _note(f"{INCIDENT_THETA} is left out: {detector.name} has no condition theta")
    if INCIDENT_PHI in file and "phi" in detector.conditions:
        columns["phi"] = read_column(file, INCIDENT_PHI, "rad", rows)
    elif INCIDENT_PHI in file:
        phi = read_column(file, INCIDENT_PHI, "rad", rows)
        if len(phi) and np.ptp(phi) > SAME_ANGLE:
            _note(f"{INCIDENT_PHI} is left out: {detector.name} has no condition phi")
    return columns


def _note(text: str) -> None:
    warnings.warn(text, stacklevel=5)


def _in_order(showers: Array, detector: Calorimeter) -> Array:
    """Return showers (n, three axes) as flat cells (n, cells).

    Lengths tell the axes apart; where two are equal, they are as documented, unless the showers
    clearly look otherwise.
    """
    counts = _counts(detector)
    fitting = fitting_orders(showers.shape[1:], counts)
    if not fitting:
        msg = (
            f"showers are {showers.shape[1:]}, {detector.name} has {counts[2]} x {counts[1]} x "
            f"{counts[0]} (r, alpha, layer): a file of another detector?"
        )
        raise EventsError(msg)
    if len(fitting) == 1:
        return cells_of(showers, fitting[0])
    taken = next((order for order in (DOCUMENTED, STATED) if order in fitting), fitting[0])
    cells = cells_of(showers, taken)
    what = f"axes of {showers.shape[1:]} cannot be told apart by length; "
    what += "documented is" if taken == DOCUMENTED else "taken is"
    if IN_LAYER in clearer_orders(cells, detector):
        looks = _exchanged(taken)
        msg = f"{what} {order_name(taken)}, but the showers look like {order_name(looks)}"
        raise EventsError(msg)
    if not looks_round(cells, detector):
        _note(f"{what} {order_name(taken)}, which these showers do not show: read so all the same")
    return cells


def _exchanged(order: Order) -> Order:
    """Return the order with alpha and r exchanged."""
    first, second, third = (IN_LAYER[axis] for axis in order)
    return first, second, third


def _counts(detector: Calorimeter) -> tuple[int, int, int]:
    counts = polar_counts(detector)
    if counts is None:
        msg = f"Par04's files are cylinders of equal layers; {detector.name} is none"
        raise EventsError(msg)
    return counts


def write_par04(pieces: Iterable[Events], n: int, path: Path) -> None:
    """Write energies (n,), showers (n, r, phi, z) and, where events have angles, those.

    Raises:
        EventsError: the voxels are no cylinder of equal layers, or an angle of incidence is
            negative, which the format has no place for.
    """
    with created(path) as file:
        write_arrays(map(_arrays, pieces), n, file)


def _arrays(events: Events) -> Arrays:
    held = [name for name in (THETA, "phi") if name in events.conditions.columns]
    energy, cells = energy_and_cells(events, KIND, held)
    grid = cells.reshape(-1, *_counts(require_calorimeter(events.detector, KIND)))
    angles = {}
    if THETA in held:
        theta = events.conditions[THETA]
        if len(theta) and theta.min() < 0:
            msg = "par04 files hold angles of incidence without a sign; theta is negative"
            raise EventsError(msg)
        angles = {INCIDENT_THETA: HEAD_ON - theta, INCIDENT_PHI: np.zeros_like(theta)}
    if "phi" in held:
        angles[INCIDENT_PHI] = events.conditions["phi"]
    return {
        INCIDENT_ENERGY: (energy, "MeV"),
        "showers": (np.ascontiguousarray(grid.transpose(0, 3, 2, 1)), "MeV"),
        **{name: (column, "rad") for name, column in angles.items()},
    }
