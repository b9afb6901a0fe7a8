"""The conditions of events, read from the columns that a mapping names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulacra.arrays import Array, IntArray
from simulacra.detectors import Calorimeter
from simulacra.errors import EventsError
from simulacra.io.foreign import ENERGY
from simulacra.io.mapped.cell_map import as_ids
from simulacra.io.mapped.join import first_of_each
from simulacra.io.mapped.mapping import Layout
from simulacra.io.mapped.particles import kinetic_energy, particle_of, primaries
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.rows import Rows, select_rows
from simulacra.io.mapped.scaling import floating, scale_stated, scaled
from simulacra.io.mapped.tables import DIMENSIONS, scale_of
from simulacra.particles import PDG, in_order


def read_conditions(
    plan: Plan, rows: Rows, detector: Calorimeter, believed: bool, notes: list[str]
) -> dict[str, Array]:
    """Return the columns of the conditions without the particle; the energy in the file's unit."""
    read = TruthReader(plan, rows)
    columns: dict[str, Array] = {}
    unstated = []
    for name, spec in detector.conditions.items():
        if name == PDG or not plan.has(name):
            continue
        values = read(name)
        unit = plan.unit(name)
        if name == ENERGY:
            if unit is not None and not believed:
                scale_stated(name, unit, "energy")
            columns[name] = floating(values)
            continue
        dimension = next((d for d in DIMENSIONS if _fits(spec.unit, d)), None)
        if unit is not None and dimension is not None and not believed:
            values = scaled(floating(values), scale_stated(name, unit, dimension))
        elif dimension is not None and not believed:
            unstated.append(f"{name} in {spec.unit}")
        columns[name] = values
    if unstated:
        notes.append(
            f"no column states the unit of the conditions: taken are {', '.join(unstated)}"
        )
    if not plan.has(ENERGY):
        columns[ENERGY] = kinetic_energy(plan, read)
    return columns


def read_particles(plan: Plan, layout: Layout, rows: Rows) -> tuple[Array | None, tuple[int, ...]]:
    """Return the particle of each event, and those of the whole file; None and () without them.

    Raises:
        EventsError: a number is no particle's.
    """
    if not plan.has(PDG):
        return None, ()
    every, _ = select_rows(plan, layout, slice(None))
    ids = np.unique(as_ids(PDG, TruthReader(plan, every)(PDG)))
    for pdg in ids.tolist():
        particle_of(pdg)
    return as_ids(PDG, TruthReader(plan, rows)(PDG)).astype(np.int32), in_order(ids.tolist())


class TruthReader:
    """Reads one number an event of a target, of the primary particle where there are several."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self._plan, self._rows = plan, rows
        self._primary: IntArray | None = None
        if "primary" in plan.places and rows.shot is None:
            place = plan.places["primary"]
            column = place.table.read(place.columns[0], rows.truth)
            self._primary = None if column.flat else primaries(str(place), column)

    def every(self, target: str) -> Iterator[Array]:
        """Yield the columns of a target, one number an event in each."""
        if target in self._plan.constants:
            yield np.full(self._rows.count, self._plan.constants[target].constant)
            return
        place = self._plan.places[target]
        for name in place.columns:
            label = f"{place.table.name}/{name}"
            column = place.table.read(name, self._rows.truth)
            if self._rows.shot is not None:
                yield column.single(label)[self._rows.shot]
                continue
            if self._primary is not None and column.counts is not None:
                values = column.values[self._primary]
            else:
                values = column.single(f"{label} for {target}")
            if self._rows.keys is not None:
                values = first_of_each(label, values, self._rows.keys)[self._rows.events]
            yield values

    def __call__(self, target: str) -> Array:
        """Return the column of a target (events,)."""
        columns = list(self.every(target))
        if len(columns) != 1:
            msg = f"--map {target} takes one column, not {len(columns)}"
            raise EventsError(msg)
        return columns[0]


def _fits(unit: str, dimension: str) -> bool:
    try:
        scale_of(unit, dimension)
    except ValueError:
        return False
    return True
