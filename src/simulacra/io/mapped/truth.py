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
from simulacra.io.mapped.particles import PDG, kinetic_energy, named_particle, primaries
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.rows import Rows
from simulacra.io.mapped.scaling import floating, scale_stated, scaled
from simulacra.io.mapped.tables import DIMENSIONS, listed, scale_of


def read_conditions(
    plan: Plan, rows: Rows, detector: Calorimeter, believed: bool, notes: list[str]
) -> tuple[dict[str, Array], str | None]:
    """Return the columns of the conditions, and the particle where it is none of them."""
    read = _TruthReader(plan, rows)
    columns: dict[str, Array] = {}
    unstated = []
    for name, spec in detector.conditions.items():
        if not plan.has(name):
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
    particle = None
    if plan.has(PDG) and PDG not in detector.conditions:
        ids = as_ids(PDG, read(PDG))
        particle = named_particle(ids)
        if particle is None and len(ids):
            columns[PDG] = ids.astype(np.int32)
            notes.append(
                f"several particles ({listed(map(str, np.unique(ids)))}) in the column pdg, which "
                f"{detector.name} does not declare as a condition"
            )
    return columns, particle


class _TruthReader:
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
