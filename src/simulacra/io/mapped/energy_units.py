"""The unit of energies in files of others: stated, or told by the energies, or asked for.

The sum of the cells over the incident energy tells one unit from the other, but not whether both
are in GeV or both in MeV: 2 GeV would become 2 MeV. That is asked, unless no beam has such energies
in GeV.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.errors import EventsError
from simulacra.io.foreign import ENERGY
from simulacra.io.mapped.tables import scale_of
from simulacra.io.plausibility import RESPONSE, require_closure

LIKELY_GEV, LARGEST_GEV, LARGEST_MEV = 2e3, 1e4, 1e7
"""Energies up to 2 TeV are common, and no beam of single particles goes beyond 10 TeV: larger
numbers are in a smaller unit, and what lies between is taken in it with a note."""
UNITS = ("keV", "MeV", "GeV")


def settle_units(
    energy: Array,
    total: Array,
    energy_unit: str | None,
    cells_unit: str | None,
    response: str = "cell_energy",
    largest: float = 0.0,
) -> tuple[str, str, list[str]]:
    """Return the units of incident energies and of cells, and notes on what was concluded.

    Args:
        energy: incident energies as the file has them (n,).
        total: sums of the cells as the file has them (n,).
        energy_unit: of the incident energies, if the file or the user states it.
        cells_unit: of the cells, likewise.
        response: the target that the cells come from, for messages.
        largest: energy in the whole file, where these events are a part.

    Raises:
        EventsError: a unit cannot be told, or cells hold more than came in.
    """
    if not np.any(_usable(energy, total)):  # nothing to tell it from
        return energy_unit or "MeV", cells_unit or "MeV", []
    if energy_unit is None and cells_unit is None:
        _require_mev(energy, total, response, largest)
        note = f"energy and {response} are taken in MeV, which no column states (docs/files.md)"
        return "MeV", "MeV", [note]
    if energy_unit and cells_unit:
        notes = _check_stated(energy, total, energy_unit, cells_unit)
        return energy_unit, cells_unit, notes
    fitting = [
        unit for unit in UNITS if _closes(energy, total, energy_unit or unit, cells_unit or unit)
    ]
    what, other = (response, ENERGY) if energy_unit else (ENERGY, response)
    if len(fitting) != 1:
        ratio = _mean_ratio(energy, total)
        msg = (
            f"no unit is stated for {what}, and none can be told from {other} in "
            f"{energy_unit or cells_unit} (the cells sum to {ratio:.3g} times the incident energy "
            f"as numbers): give it (--map {what}=COLUMN:MeV)"
        )
        raise EventsError(msg)
    unit = fitting[0]
    ratio = _mean_ratio(energy, total) * _factor(energy_unit or unit, cells_unit or unit)
    note = (
        f"{what} is taken in {unit}, which no column states: the cells then sum to {ratio:.2g} "
        "times the incident energy"
    )
    return energy_unit or unit, cells_unit or unit, [note]


def _require_mev(energy: Array, total: Array, response: str, largest: float) -> None:
    """Raise an :class:`EventsError` unless nothing but MeV can be meant twice."""
    try:
        require_closure(energy, total)
    except EventsError as error:
        msg = f"{error}; units can be given: --map energy=COLUMN:GeV --map {response}=COLUMN:MeV"
        raise EventsError(msg) from None
    low, high = float(energy.min()), max(float(energy.max()), largest)
    if not LIKELY_GEV <= high < LARGEST_MEV:
        units = "MeV or GeV" if high < LIKELY_GEV else "keV or MeV"
        msg = (
            f"the energies ({low:g} to {high:g}) and the cells have one unit, but {units}? No "
            f"column states it: give both, such as --map energy=COLUMN:GeV --map "
            f"{response}=COLUMN:GeV"
        )
        raise EventsError(msg)


def _check_stated(energy: Array, total: Array, energy_unit: str, cells_unit: str) -> list[str]:
    ratio = _mean_ratio(energy, total) * _factor(energy_unit, cells_unit)
    low, high = RESPONSE
    if ratio >= high:
        msg = (
            f"with energy in {energy_unit} and cells in {cells_unit} the cells sum to {ratio:.3g} "
            "times the incident energy: a unit is wrong"
        )
        raise EventsError(msg)
    if ratio < low:
        return [
            f"the cells sum to {ratio:.3g} times the incident energy, with energy in {energy_unit} "
            f"and cells in {cells_unit}: are these the units?"
        ]
    return []


def _closes(energy: Array, total: Array, energy_unit: str, cells_unit: str) -> bool:
    low, high = RESPONSE
    return low <= _mean_ratio(energy, total) * _factor(energy_unit, cells_unit) < high


def _factor(energy_unit: str, cells_unit: str) -> float:
    return scale_of(cells_unit, "energy") / scale_of(energy_unit, "energy")


def _mean_ratio(energy: Array, total: Array) -> float:
    usable = _usable(energy, total)
    return float(np.mean(total[usable] / energy[usable]))


def _usable(energy: Array, total: Array) -> BoolArray:
    usable: BoolArray = np.isfinite(total) & np.isfinite(energy) & (energy > 0)
    return usable
