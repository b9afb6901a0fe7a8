"""Events from the tables of a file: a mapping of columns says which holds what.

Rows may be events (cells in an array, or hits in lists), or hits that an event number gathers;
particles and hits may lie in two tables that it joins.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.events import Events
from simulacra.io.datasets import require_memory
from simulacra.io.foreign import ENERGY
from simulacra.io.mapped.energy_units import LARGEST_GEV, settle_units
from simulacra.io.mapped.hits import read_cells
from simulacra.io.mapped.left_out import left_out
from simulacra.io.mapped.mapping import Layout, Place
from simulacra.io.mapped.plan import Plan, Tables, plan_events
from simulacra.io.mapped.rows import select_rows
from simulacra.io.mapped.scaling import scaled
from simulacra.io.mapped.second_energy import require_one_energy
from simulacra.io.mapped.tables import scale_of
from simulacra.io.mapped.truth import read_conditions, read_particles
from simulacra.io.voxel_order import require_order
from simulacra.particles import PDG, particle_name
from simulacra.units import find_unit


def assemble(
    tables: Tables,
    layout: Layout,
    detector: Calorimeter,
    rows: slice,
    believed: bool = False,
) -> Events:
    """Return events of tables; provenance says from which columns, and in which units.

    Args:
        tables: the tables to look into.
        layout: which of their columns hold what.
        detector: what the events are of.
        rows: which events.
        believed: the file is of ours: units are the detector's, and nothing is judged.

    Raises:
        EventsError: something is missing, contradicts itself or makes no sense.

    Warns:
        UserWarning: something was concluded or left out.
    """
    plan = plan_events(tables, layout, detector)
    chosen, notes = select_rows(plan, layout, rows)
    require_memory(chosen.count * detector.n_cells * 8)
    columns = read_conditions(plan, chosen, detector, believed, notes)
    particle, particles = read_particles(plan, layout, chosen)
    if particle is not None and (len(particles) > 1 or PDG in detector.conditions):
        columns[PDG] = particle
        if PDG not in detector.conditions:
            detector = detector.with_particles(particles)
    cells, mapped = read_cells(plan, chosen, layout, detector, notes)
    units = {target: place.unit for target, place in plan.places.items()}
    if not believed:
        response = "cells" if "cells" in plan.places else "cell_energy"
        energy_unit = plan.unit(ENERGY) if plan.has(ENERGY) else "MeV"
        units_known = energy_unit is not None or units[response] is not None
        total = cells.sum(axis=1, dtype=np.float64)
        largest = _largest(plan)
        units[ENERGY], units[response], more = settle_units(
            columns[ENERGY], total, energy_unit, units[response], response, largest
        )
        as_documented = not units_known and not {ENERGY, response} & set(layout.sources)
        if not as_documented or largest < LARGEST_GEV:
            notes += more
        columns[ENERGY] = scaled(columns[ENERGY], scale_of(str(units[ENERGY]), "energy"))
        cells = scaled(cells, scale_of(str(units[response]), "energy"))
        if not mapped:
            require_order(cells, detector)
            if "cell_id" in layout.sources:
                notes.append(
                    "cell_id is taken as the place in our order of cells (docs/files.md); "
                    "--cells FILE.csv maps other numbers"
                )
        notes += [*_contradictions(plan, layout), *left_out(plan)]
    unit = "MeV" if believed else str(units[ENERGY])
    require_one_energy(plan, layout, chosen, columns[ENERGY], unit, rows.start or 0)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    facts = _facts(plan, layout, units, particles)
    return Events(Conditions(columns), {"showers": cells}, detector, facts)


def _contradictions(plan: Plan, layout: Layout) -> Iterator[str]:
    """Yield which columns state another unit than the one that the mapping gives."""
    for target, place in plan.places.items():
        source = layout.source(target)
        if source is None or source.unit is None:
            continue
        for column in place.columns[:1]:
            stated = place.table.unit(column)
            if stated is not None and find_unit(stated) != find_unit(source.unit):
                yield (
                    f"{place.table.name}/{column} states {stated}, the mapping says "
                    f"{source.unit}: that is taken"
                )


def _facts(
    plan: Plan, layout: Layout, units: Mapping[str, str | None], particles: tuple[int, ...]
) -> dict[str, Any]:
    """Return what the provenance says of where the numbers come from."""
    taken = {
        target: str(Place(place.table, place.columns[:LISTED_COLUMNS], units.get(target)))
        for target, place in plan.places.items()
    }
    taken |= {target: str(source) for target, source in plan.constants.items()}
    kind = {"kind": layout.kind} if layout.kind else {}
    cells = {"cells_file": layout.cells.name} if layout.cells else {}
    facts = {"converted_from": {"columns": taken, **kind, **cells}}
    one = particles[0] if len(particles) == 1 else None
    return facts if one is None else {**facts, "particle": particle_name(one), "pdg": one}


def _largest(plan: Plan) -> float:
    """Return the largest energy in the file, of which a piece may be read; 0 where none is."""
    if ENERGY not in plan.places:
        return 0.0
    place = plan.places[ENERGY]
    values = place.table.read(place.columns[0]).values
    return float(np.max(values, initial=0.0))


LISTED_COLUMNS = 4
"""How many of a target's columns the provenance names: a cell each may be hundreds."""
