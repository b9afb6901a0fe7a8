"""A second incident energy in the same table: it must be the one that is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulacra.arrays import Array
from simulacra.errors import EventsError
from simulacra.io.foreign import ENERGY
from simulacra.io.left_out import ENERGIES, SINGLE
from simulacra.io.mapped.mapping import Layout, Place, Source, find
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.rows import Rows
from simulacra.io.mapped.scaling import floating, scaled
from simulacra.io.mapped.tables import scale_of
from simulacra.io.mapped.truth import TruthReader


def require_one_energy(
    plan: Plan, layout: Layout, rows: Rows, energy: Array, unit: str, first: int
) -> None:
    """Raise an :class:`EventsError` where another column of energies disagrees with the one read.

    A column that the user, or a program's convention, names for the energy is believed.

    Args:
        plan: where the energy was read.
        layout: which columns are named for what.
        rows: which events were read.
        energy: what was read (n,), MeV.
        unit: of energies that state none.
        first: the number of the first of the events.
    """
    if ENERGY not in plan.places or ENERGY in layout.sources:
        return
    read = plan.places[ENERGY].columns[0]
    used = {c for p in plan.places.values() if p.table.name == plan.truth.name for c in p.columns}
    for name in ENERGIES:
        if name not in plan.truth.columns or name in used:
            continue
        place = find({plan.truth.name: plan.truth}, name, Source((name,)))
        second = _energies(plan, rows, name, place)
        if second is None:
            continue
        second = scaled(second, scale_of(place.unit or unit, "energy"))
        apart = np.abs(energy - second) > SINGLE * np.abs(energy)
        if apart.any():
            event = int(np.argmax(apart))
            msg = (
                f"{read} and {name} disagree: {energy[event]:g} and {second[event]:g} MeV in event "
                f"{first + event}; remove the wrong one, or name the right one with its unit "
                f"(--map energy={read}:MeV)"
            )
            raise EventsError(msg)


def _energies(plan: Plan, rows: Rows, name: str, place: Place) -> Array | None:
    """Return a column as one number an event; None where it is something else."""
    read = TruthReader(replace(plan, places={**plan.places, name: place}), rows)
    try:
        return floating(read(name))
    except EventsError:  # lists, or numbers that differ within an event
        return None
