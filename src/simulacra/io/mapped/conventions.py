"""Kinds of ROOT files whose columns need no mapping, because a known program wrote them.

A convention is one function and one row of :data:`CONVENTIONS`. What the user maps goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from simulacra.errors import EventsError
from simulacra.io.mapped.mapping import Layout, Source
from simulacra.io.mapped.tables import Table, listed

CALOGAN_CELLS, CALOGAN_OVERFLOW = 504, 3


@dataclass(frozen=True, slots=True)
class Convention:
    """How the files of a program are understood.

    Attributes:
        layout: what its columns hold, given the user's layout; None where the file is of another
            kind.
        unit: the unit of a column by its name, where the kind of file fixes it.
        detector: the shipped detector that they are of; empty where there are many.
    """

    layout: Callable[[Mapping[str, Table], Layout], Layout | None]
    unit: Callable[[str], str | None]
    detector: str = ""


def conventional(tables: Mapping[str, Table], layout: Layout) -> tuple[Layout, str]:
    """Return the layout with what the file's kind adds to it, and the detector it is of.

    Raises:
        EventsError: the file has several collections that could be meant.
    """
    for convention in CONVENTIONS.values():
        found = convention.layout(tables, layout)
        if found is not None:
            return _with_units(layout, convention).over(found), convention.detector
    return layout, ""


def _with_units(layout: Layout, convention: Convention) -> Layout:
    """Return the user's layout with the units that this kind of file has."""

    def known(source: Source) -> Source:
        unit = source.unit or convention.unit(source.columns[0])
        return replace(source, unit=unit)

    sources = {target: tuple(map(known, given)) for target, given in layout.sources.items()}
    return replace(layout, sources=sources)


# --- CaloGAN -------------------------------------------------------------------------------------


def calogan_layout(tables: Mapping[str, Table], layout: Layout) -> Layout | None:
    """Return the layout of what CaloGAN's own generator writes (arXiv:1712.10321).

    One branch a cell in MeV, the energy in GeV; the last three cells are what went beside.
    """
    cells = tuple(f"cell_{n}" for n in range(CALOGAN_CELLS + CALOGAN_OVERFLOW))
    for table in tables.values():
        if {"TotalEnergy", *cells} <= set(table.columns):
            sources = {"energy": (Source(("TotalEnergy",), "GeV"),)}
            if "cell_energy" not in layout.sources:
                sources["cells"] = (Source(cells[:CALOGAN_CELLS], "MeV"),)
            return Layout(sources, (table.name,), kind="CaloGAN")
    return None


def calogan_unit(column: str) -> str | None:
    """Return the unit of a column that CaloGAN's generator writes."""
    if column == "TotalEnergy":
        return "GeV"
    return "MeV" if column.startswith("cell_") else None


# --- EDM4hep -------------------------------------------------------------------------------------

_HIT = ("energy", "cellID", "position.x", "position.y", "position.z")
_NOT_SIMULATED = "energyError"
"""What a reconstructed hit has beside."""
_PARTICLE = ("PDG", "generatorStatus", "momentum.x", "momentum.y", "momentum.z", "mass")
_USUAL = ("MCParticles", "MCParticle")


def edm4hep_layout(tables: Mapping[str, Table], layout: Layout) -> Layout | None:
    """Return the layout of an EDM4hep file: one collection of SimCalorimeterHit, and MCParticle.

    Hits go to cells by their position, or with a table of cells by their cellID. The particle is
    the one with generator status 1; energies are in GeV, positions in mm.
    """
    for table in tables.values():
        hits = [
            name
            for name in _collections(table, _HIT)
            if f"{name}.{_NOT_SIMULATED}" not in table.columns
        ]
        particles = _collections(table, _PARTICLE)
        if hits and particles:
            sources = {**_hits(hits, layout), **_particle(particles, layout)}
            return Layout(sources, (table.name,), kind="EDM4hep")
    return None


def _collections(table: Table, members: tuple[str, ...]) -> list[str]:
    """Return the names of collections in a table that have all these members."""
    columns = set(table.columns)
    names = [
        c.removesuffix(f".{members[0]}") for c in table.columns if c.endswith(f".{members[0]}")
    ]
    return [name for name in names if all(f"{name}.{member}" in columns for member in members)]


def _hits(names: list[str], layout: Layout) -> dict[str, tuple[Source, ...]]:
    if "cells" in layout.sources:
        return {}
    meant = next((s for t in ("cell_energy", "cell_id") if (s := layout.source(t))), None)
    chosen = [n for n in names if meant is None or meant.columns[0].startswith(f"{n}.")]
    if meant is not None and not chosen:
        return {}
    if len(chosen) > 1:
        msg = (
            f"several collections of hits: {listed(chosen)}; name one "
            f"(--map cell_energy={chosen[0]}.energy)"
        )
        raise EventsError(msg)
    name = chosen[0]
    sources: dict[str, tuple[Source, ...]] = {"cell_energy": (Source((f"{name}.energy",), "GeV"),)}
    if layout.cells is not None or "cell_id" in layout.sources:
        return {**sources, "cell_id": (Source((f"{name}.cellID",)),)}
    return sources | {
        f"cell_{axis}": (Source((f"{name}.position.{axis}",), "mm"),) for axis in "xyz"
    }


def _particle(names: list[str], layout: Layout) -> dict[str, tuple[Source, ...]]:
    if {"energy", "total_energy", "momentum"} & set(layout.sources):
        return {}
    usual = [name for name in names if name in _USUAL]
    if len(usual or names) > 1:
        msg = (
            f"several collections of particles: {listed(usual or names)}; say where the energy is "
            "(--map momentum=A.momentum.x,A.momentum.y,A.momentum.z --map mass=A.mass …)"
        )
        raise EventsError(msg)
    name = (usual or names)[0]
    return {
        "momentum": (Source(tuple(f"{name}.momentum.{axis}" for axis in "xyz"), "GeV"),),
        "mass": (Source((f"{name}.mass",), "GeV"),),
        "pdg": (Source((f"{name}.PDG",)),),
        "primary": (Source((f"{name}.generatorStatus",)),),
    }


def edm4hep_unit(column: str) -> str | None:
    """Return the unit of a member of an EDM4hep object."""
    member = column.rpartition(".")[2]
    if member in ("energy", "mass") or ".momentum." in column:
        return "GeV"
    return "mm" if ".position." in column or ".vertex." in column else None


CONVENTIONS = {
    "CaloGAN": Convention(calogan_layout, calogan_unit, "calogan"),
    "EDM4hep": Convention(edm4hep_layout, edm4hep_unit),
}
