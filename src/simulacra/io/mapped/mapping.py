"""Which column of a file holds what: ``--map energy=Ebeam:GeV``.

A mapping names for each *target* the columns it comes from, and their unit. Targets are the
detector's conditions and what :data:`TARGETS` lists. It works on any tables of named columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from simulacra.errors import EventsError
from simulacra.io.mapped.tables import Table, describe, is_unit
from simulacra.units import parse_quantity

TARGETS = {
    "cells": "all cells of an event, in one column or several",
    "cell_id": "their number of a hit's cell; several columns where it takes several",
    "cell_energy": "energy of a hit",
    "cell_x": "position of a hit",
    "cell_y": "position of a hit",
    "cell_z": "position of a hit along the beam",
    "event": "event number, which joins trees and rows; several columns such as run,event",
    "pdg": "particle id (PDG)",
    "momentum": "momentum of the particle: three columns; the energy follows with the mass",
    "mass": "mass of the particle; without it that of its PDG id",
    "total_energy": "total energy of the particle; the kinetic energy follows with the mass",
    "primary": "1 for the particle that was shot, where a column lists several",
}
"""What a mapping can name beside a detector's conditions."""
LENGTHS = ("cell_x", "cell_y", "cell_z")
ALIASES = {"x": "cell_x", "y": "cell_y", "z": "cell_z"}
"""Shorter names of targets."""
_CONSTANT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SCATTERED = "scattered"
"""What stands after an event number whose rows need not lie together."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a target comes from: columns of one table, or a number that all events share.

    Attributes:
        columns: their names.
        unit: the unit they are in, if it is known.
        constant: the number, in ``unit``; there are no columns then.
    """

    columns: tuple[str, ...]
    unit: str | None = None
    constant: float | None = None

    def __str__(self) -> str:
        what = ",".join(self.columns) if self.constant is None else f"{self.constant:g}"
        return what + (f":{self.unit}" if self.unit else "")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the tables of a file become events.

    Attributes:
        sources: for each target where it comes from; for ``event`` one source a table, if need be.
        trees: the tables to look into; none means all.
        cells: a CSV file that maps their cells to ours.
        origin: where the middle of the detector's front lies in their coordinates, mm.
        kind: the kind of file that these names are of; empty where the user says them.
    """

    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    trees: tuple[str, ...] = ()
    cells: Path | None = None
    origin: tuple[float, float, float] | None = None
    kind: str = ""

    @classmethod
    def parse(
        cls,
        maps: Sequence[str] = (),
        trees: Sequence[str] = (),
        cells: Path | None = None,
        origin: str | None = None,
    ) -> Layout:
        """Return the layout that the command line means.

        Args:
            maps: ``target=column``, ``target=column:unit``, ``target=column,column:unit``, or a
                number that no column holds: ``energy=50GeV``.
            trees: names of trees, or several with commas between them.
            cells: the CSV file.
            origin: three lengths with their units, ``0,0,-150mm``; 0 needs none.

        Raises:
            EventsError: one of them is of another form.
        """
        sources: dict[str, tuple[Source, ...]] = {}
        for text in maps:
            target, source = _parse_source(text)
            if target in sources and target != "event":
                msg = f"--map {target} is given twice"
                raise EventsError(msg)
            sources[target] = (*sources.get(target, ()), source)
        point = None if origin is None else _parse_origin(origin)
        names = tuple(name.strip() for text in trees for name in text.split(",") if name.strip())
        return cls(sources, names, cells, point)

    @property
    def is_default(self) -> bool:
        """Whether the user said nothing of the file."""
        return not (self.sources or self.trees or self.cells or self.origin)

    def over(self, conventional: Layout) -> Layout:
        """Return this layout, with what a known kind of file does by itself where it is silent."""
        trees = self.trees if self.trees or self.sources else conventional.trees
        sources = {**conventional.sources, **self.sources}
        return replace(self, sources=sources, trees=trees, kind=conventional.kind)

    def source(self, target: str) -> Source | None:
        """Return where a target comes from, None where the layout does not say it."""
        found = self.sources.get(target)
        return found[0] if found else None


def _parse_source(text: str) -> tuple[str, Source]:
    target, equals, columns = text.partition("=")
    target = target.strip()
    if not equals or not target or not columns.strip():
        msg = f"--map {text!r} should be TARGET=COLUMN or TARGET=COLUMN:UNIT, as energy=Ebeam:GeV"
        raise EventsError(msg)
    target = ALIASES.get(target, target)
    if (number := _CONSTANT.match(columns.strip())) is not None:
        unit = columns.strip()[number.end() :].strip(" :")
        if not unit or is_unit(unit):
            return target, Source((), unit or None, float(number[0]))
    names, colon, unit = columns.rpartition(":")
    if not colon or names.endswith(":"):  # C++ names have double colons
        return target, Source(tuple(name.strip() for name in columns.split(",")))
    known = unit == SCATTERED if target == "event" else is_unit(unit)
    if not known:
        msg = f"--map {text!r}: {unit!r} is not a unit known here, such as MeV, GeV, mm, cm, rad"
        raise EventsError(msg)
    return target, Source(tuple(name.strip() for name in names.split(",")), unit)


def _parse_origin(text: str) -> tuple[float, float, float]:
    parts = [part.strip() for part in text.split(",")]
    try:
        point = [0.0 if part in ("0", "-0") else parse_quantity(part, "length") for part in parts]
    except ValueError as error:
        msg = f"--origin {text!r}: {error}"
        raise EventsError(msg) from None
    if len(point) != 3:
        msg = f"--origin {text!r} should be three lengths, such as 0,0,-150mm"
        raise EventsError(msg)
    return point[0], point[1], point[2]


@dataclass(frozen=True, slots=True)
class Place:
    """Columns of one table that were found to hold a target."""

    table: Table
    columns: tuple[str, ...]
    unit: str | None

    def __str__(self) -> str:
        unit = f":{self.unit}" if self.unit else ""
        return f"{self.table.name}/{','.join(self.columns)}{unit}"


def find(tables: Mapping[str, Table], target: str, source: Source) -> Place:
    """Return the place of the columns that a source names.

    A column is looked for in all tables; ``tree/column`` names one. The unit is the source's, or
    else the one that the file states.

    Raises:
        EventsError: no table has them, or several do; the message lists what there is.
    """
    found = [
        (table, columns)
        for table in tables.values()
        if (columns := columns_in(table, source)) is not None
    ]
    if not found:
        many = "columns" if len(source.columns) > 1 else "column"
        msg = f"no {many} {','.join(source.columns)} for {target}; {describe(tables)}"
        raise EventsError(msg)
    if len(found) > 1:
        names = ", ".join(table.name for table, _ in found)
        msg = (
            f"{','.join(source.columns)} for {target} is in several trees ({names}): name one "
            f"(--tree {found[0][0].name} or --map {target}={found[0][0].name}/{found[0][1][0]})"
        )
        raise EventsError(msg)
    table, columns = found[0]
    return Place(table, columns, source.unit or _stated(table, columns))


def _stated(table: Table, columns: tuple[str, ...]) -> str | None:
    units = {table.unit(column) for column in columns}
    if len(units) > 1:
        msg = f"{', '.join(columns)} of {table.name} state different units; give one (--map)"
        raise EventsError(msg)
    return units.pop()


def columns_in(table: Table, source: Source) -> tuple[str, ...] | None:
    """Return the table's columns that a source names, in its order; None where one is missing.

    A name with ``*`` means all columns it fits, numbers in their order.
    """
    found: list[str] = []
    for name in source.columns:
        own = name if name in table.columns else _without_tree(name, table.name)
        if own in table.columns:
            found.append(own)
        elif "*" in own and (fitting := [c for c in table.columns if fnmatchcase(c, own)]):
            found += sorted(fitting, key=_by_numbers)
        else:
            return None
    return tuple(found)


def _without_tree(name: str, tree: str) -> str:
    """Return a column's name without the tree's, which may stand there without its folders."""
    for prefix in (f"{tree}/", f"{tree.rpartition('/')[2]}/", f"{tree.rpartition('/')[2]}."):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _by_numbers(name: str) -> list[tuple[str, int]]:
    """Return a key that puts ``cell_10`` behind ``cell_9``."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]
