"""Where in the tables of a file everything is: conditions, cells, event numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulacra.detectors import Calorimeter
from simulacra.errors import EventsError
from simulacra.io.foreign import ENERGY
from simulacra.io.mapped.mapping import (
    LENGTHS,
    TARGETS,
    Layout,
    Place,
    Source,
    columns_in,
    find,
)
from simulacra.io.mapped.tables import Table, describe
from simulacra.particles import PDG

Tables = Mapping[str, Table]
KINEMATICS = ("momentum", "total_energy")
"""What the kinetic energy follows from."""
EVENT_NUMBERS = ("event", "eventid", "eventnumber", "eventno", "evt", "evtid", "evtno", "evid")
"""How columns of event numbers are called, without capitals and underscores."""
RESPONSE = ("cells", "cell_id", "cell_energy")
"""What is taken from columns of these names where the mapping is silent."""


@dataclass(frozen=True)
class Plan:
    """Where in the tables everything is.

    Attributes:
        places: the columns of each target that there is.
        truth: the table of the conditions.
        hits: the table of the response; often the same.
        keys: the columns of the event number in a table, by the table's name.
        constants: numbers that all events share, by their target.
    """

    places: Mapping[str, Place]
    truth: Table
    hits: Table
    keys: Mapping[str, Place]
    constants: Mapping[str, Source]

    def has(self, target: str) -> bool:
        """Return whether a target is known, from columns or as a number."""
        return target in self.places or target in self.constants

    def unit(self, target: str) -> str | None:
        """Return the unit that is stated for a target."""
        found = self.constants.get(target) or self.places.get(target)
        return found.unit if found else None

    @property
    def joined(self) -> bool:
        """Whether conditions and response lie in two tables."""
        return self.truth.name != self.hits.name


def plan_events(tables: Tables, layout: Layout, detector: Calorimeter | None) -> Plan:
    """Find the columns of each target.

    Args:
        tables: the tables to look into.
        layout: what they hold.
        detector: its conditions are needed; without it, the energy and what is mapped.

    Raises:
        EventsError: something is missing or in several tables; the message lists the columns.
    """
    declared = tuple(detector.conditions) if detector else (ENERGY, *layout.sources)
    needed = [name for name in declared if name not in TARGETS]
    known = {**dict.fromkeys(declared), **TARGETS}
    if unknown := [target for target in layout.sources if target not in known]:
        msg = f"--map {unknown[0]}: there is no such target; there are {', '.join(known)}"
        raise EventsError(msg)
    constants = {
        target: source
        for target in known
        if (source := layout.source(target)) is not None and source.constant is not None
    }
    _require_conditions_only(constants, needed)
    wanted = dict.fromkeys((*needed, *RESPONSE, *layout.sources))
    places = _places(tables, layout, [t for t in wanted if t not in (*constants, "event")])
    missing = [name for name in needed if name not in constants]
    _require_complete(places, tables, missing, detector.name if detector else "")
    hits = _one_table(places, [target for target in places if target in (*RESPONSE, *LENGTHS)])
    conditions = [target for target in places if target not in (*RESPONSE, *LENGTHS)]
    truth = _one_table(places, conditions) if conditions else _list_of_events(tables, hits, layout)
    if PDG not in (*places, *constants) and _names_primary(places, truth, hits):
        places[PDG] = find({truth.name: truth}, PDG, Source((PDG,)))
    if detector and PDG in detector.conditions and PDG not in (*places, *constants):
        _require_complete(places, tables, [PDG], detector.name)
    return Plan(places, truth, hits, _keys(truth, hits, layout), constants)


def _places(tables: Tables, layout: Layout, targets: list[str]) -> dict[str, Place]:
    """Return the columns of targets that there are; none where others say the same."""
    places = {
        target: place for target in targets if (place := _place(tables, layout, target)) is not None
    }
    _keep_one_response(places, layout)
    derived = any(target in places for target in KINEMATICS)
    if ENERGY in places and ENERGY not in layout.sources and (derived or _is_deposit(places)):
        places.pop(ENERGY)
    return places


def _list_of_events(tables: Tables, hits: Table, layout: Layout) -> Table:
    """Return the table that names the events where no condition comes from a column."""
    others = [table for table in tables.values() if table.name != hits.name]
    return others[0] if len(layout.trees) == 2 and len(others) == 1 else hits


def _keys(truth: Table, hits: Table, layout: Layout) -> dict[str, Place]:
    """Return the columns of event numbers of two tables, which must have them if they differ."""
    keys = {
        table.name: place
        for table in {truth.name: truth, hits.name: hits}.values()
        if (place := _key(table, layout)) is not None
    }
    for table in (truth, hits):
        if truth.name != hits.name and table.name not in keys:
            msg = (
                f"{truth.name} and {hits.name} are joined by an event number, and {table.name} has "
                f"no column 'event': name it (--map event={table.name}/COLUMN); "
                f"{describe({table.name: table})}"
            )
            raise EventsError(msg)
    return keys


def _place(tables: Tables, layout: Layout, target: str) -> Place | None:
    source = layout.source(target)
    if source is not None:
        return find(tables, target, source)
    own = Source((target,))
    if not any(columns_in(table, own) for table in tables.values()):
        return None
    return find(tables, target, own)


def _names_primary(places: Mapping[str, Place], truth: Table, hits: Table) -> bool:
    """Return whether a table has a column pdg that is of the particle that was shot.

    It is not where it stands with hits, or in lists.
    """
    if columns_in(truth, Source((PDG,))) is None:
        return False
    hit = places.get("cell_energy")
    row_is_hit = truth.name == hits.name and hit is not None and _is_flat(hit)
    return not row_is_hit and truth.read(PDG, slice(0, 1)).flat


def _require_conditions_only(constants: Mapping[str, Source], conditions: list[str]) -> None:
    for target, source in constants.items():
        if target not in (*conditions, PDG, "mass"):
            msg = f"--map {target}={source}: a column is needed, not a number"
            raise EventsError(msg)


def _is_deposit(places: Mapping[str, Place]) -> bool:
    """Return whether the column that is called energy is mapped as that of hits."""
    hit = places.get("cell_energy")
    energy = places[ENERGY]
    return hit is not None and (hit.table.name, hit.columns) == (energy.table.name, energy.columns)


def _is_flat(place: Place) -> bool:
    """Return whether a place holds one number a row and not a list."""
    return place.table.read(place.columns[0], slice(0, 1)).flat


def _keep_one_response(places: dict[str, Place], layout: Layout) -> None:
    """Leave either all cells or hits, and of a hit either its cell's number or its position."""
    hits = ("cell_energy", "cell_id", *LENGTHS)
    if "cells" in places and not (
        "cell_energy" in layout.sources and "cells" not in layout.sources
    ):
        for target in hits:
            if target in layout.sources and "cells" in layout.sources:
                msg = f"--map cells and --map {target} say the same: give one"
                raise EventsError(msg)
            places.pop(target, None)
        return
    places.pop("cells", None)
    by_position = any(axis in layout.sources for axis in LENGTHS)
    if by_position and "cell_id" in layout.sources:
        msg = "a hit's cell comes from --map cell_id or from --map cell_x, cell_y, cell_z, not both"
        raise EventsError(msg)
    use_id = "cell_id" in places and not by_position
    for target in LENGTHS if use_id else ("cell_id",):
        places.pop(target, None)


def _require_complete(
    places: Mapping[str, Place], tables: Tables, conditions: list[str], detector: str
) -> None:
    what = "tree" if len(tables) == 1 else "file"
    where = "cell_id" in places or all(axis in places for axis in LENGTHS)
    if "cells" not in places and not ("cell_energy" in places and where):
        msg = (
            f"the {what} has neither a branch 'cells' nor 'cell_id' and 'cell_energy'; "
            f"{describe(tables)}; say which they are (--map cell_id=… --map cell_energy=…:MeV)"
        )
        raise EventsError(msg)
    derived = (ENERGY,) if any(target in places for target in KINEMATICS) else ()
    missing = [n for n in conditions if n not in places and n not in derived]
    if missing:
        msg = (
            f"the conditions {', '.join(missing)} of detector {detector} are missing; "
            f"{describe(tables)}; say which they are (--map {missing[0]}=COLUMN:UNIT)"
        )
        raise EventsError(msg)


def _one_table(places: Mapping[str, Place], targets: list[str]) -> Table:
    found = {places[target].table.name: places[target].table for target in targets}
    if len(found) > 1:
        where = ", ".join(f"{target}={places[target]}" for target in targets)
        msg = (
            f"{where} lie in different trees; name one (--tree, or --map {targets[0]}=TREE/COLUMN)"
        )
        raise EventsError(msg)
    return next(iter(found.values()))


def _key(table: Table, layout: Layout) -> Place | None:
    """Return the columns of a table's event number."""
    for source in layout.sources.get("event", ()):
        if (columns := columns_in(table, source)) is not None:
            return Place(table, columns, source.unit)
    usual = [column for column in table.columns if _plain(column) in EVENT_NUMBERS]
    return Place(table, (usual[0],), None) if len(usual) == 1 else None


def _plain(name: str) -> str:
    """Return a name as ``eventid``, however it is spelt: ``fEventID``, ``event_id``."""
    word = name.replace("_", "")
    return (word[1:] if word[:2] in ("fE", "iE") else word).lower()
