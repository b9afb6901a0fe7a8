"""What a file holds that is not read: named, so that nothing is dropped without a word."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection

import h5py
import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.io.datasets import range_of, read_column

ENERGIES = (
    "incident_energies",
    "incident_energy",
    "energy",
    "energies",
    "true_energy",
    "conditions/energy",
)
"""Names that the incident energy has in one file or another."""
SINGLE = 1e-5
"""Energies that were stored in single precision agree to this part."""
COUNTED = 100_000_000
"""Bytes of event weights whose signs are counted."""
_WEIGHT = re.compile(r"w(ei)?gh?t", re.IGNORECASE)


def arrays_of(file: h5py.Group) -> set[str]:
    """Return the paths of all data sets of a file."""
    found: set[str] = set()
    file.visititems(lambda name, item: _add(found, name, item))
    return found


def _add(found: set[str], name: str, item: object) -> None:
    if isinstance(item, h5py.Dataset):
        found.add(name)


def note_left_out(file: h5py.Group, names: Collection[str]) -> None:
    """Warn of arrays that are not read; of event weights, say what leaving them out does.

    Warns:
        UserWarning: there are such arrays.
    """
    for name in sorted(names):
        if _WEIGHT.search(name):
            warnings.warn(_of_weights(file, name), stacklevel=4)
    others = sorted(name for name in names if not _WEIGHT.search(name))
    if others:
        msg = f"{file.file.filename}: not read and left out: {', '.join(others)}"
        warnings.warn(msg, stacklevel=4)


def _of_weights(file: h5py.Group, name: str) -> str:
    item = file[name]
    numbers = item.dtype.kind in "iuf" and item.shape and item.nbytes <= COUNTED
    negative = int(np.count_nonzero(item[()] < 0)) if numbers else 0
    some = f", {negative} of them negative," if negative else ""
    return (
        f"{file.file.filename}: event weights ({name}){some} are left out: every event counts as "
        "one, and the distributions of the sample change"
    )


def require_one_energy(
    file: h5py.Group, read: str, energy: Array, rows: slice, default: str = "MeV"
) -> None:
    """Raise an :class:`EventsError` where another array of energies disagrees with the one read.

    Args:
        file: what holds both.
        read: the name of the one that was read.
        energy: its numbers (n,), MeV.
        rows: which events these are.
        default: the unit of energies that state none.
    """
    whole = file.get(read)
    for name in ENERGIES:
        other = file.get(name)
        if name == read or not isinstance(other, h5py.Dataset) or other == whole:
            continue
        if not other.shape or len(other) != len(whole) or other.size != len(whole):
            continue  # not one number an event: something else, or named among what is left out
        part = range_of(rows, len(other))
        second = read_column(file, name, "MeV", part, default=default)
        apart = np.abs(energy - second) > SINGLE * np.abs(energy)
        if apart.any():
            event = int(np.argmax(apart))
            msg = (
                f"{read} and {name} disagree: {energy[event]:g} and {second[event]:g} MeV in event "
                f"{part.start + event}; remove the wrong one, or state the units"
            )
            raise EventsError(msg)
