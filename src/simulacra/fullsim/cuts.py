"""Production thresholds: what Geant4 is told, and what its table of cuts then says."""

from __future__ import annotations

import os
import re
import tempfile

from simulacra.errors import SimulacraError
from simulacra.fullsim.datasets import Geant4Object

WORLD = "DefaultRegionForTheWorld"
_IN_MM = {"pc": 3.085677581e19, "km": 1e6, "m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "nm": 1e-6}
_RANGE = re.compile(r"(?:gamma|e-|e\+|proton)\s+([0-9.eE+-]+)\s+([a-z]+)")
_REGIONS = "Region(s) which use this couple :"


def printed_by_geant4(g4: Geant4Object, command: str) -> str:
    """Return what Geant4 prints for a command of its user interface."""
    with tempfile.TemporaryFile() as file:
        before = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            g4.G4UImanager.GetUIpointer().ApplyCommand(command)
        finally:
            os.dup2(before, 1)
            os.close(before)
        file.seek(0)
        return file.read().decode(errors="replace")


def range_cuts(table: str) -> dict[str, float]:
    """Return the range cut (mm) of each region that the geometry has.

    Args:
        table: what ``/run/dumpCouples`` prints, after a run has begun.

    Raises:
        SimulacraError: the table holds no cut, or a region has several.
    """
    found: dict[str, set[float]] = {}
    for couple in table.split("Index :")[1:]:
        _, _, names = couple.partition(_REGIONS)
        line = next(line for line in couple.splitlines() if "Range cuts" in line)
        cuts = {round(float(n) * _IN_MM[unit], 9) for n, unit in _RANGE.findall(line)}
        for name in names.partition("===")[0].split():
            found.setdefault(name, set()).update(cuts)
    if not found or any(len(cuts) != 1 for cuts in found.values()):
        msg = f"Geant4's table of cuts is not one range cut for each region: {found or 'none'}"
        raise SimulacraError(msg)
    return {name: cuts.pop() for name, cuts in found.items()}


def cut_fact(cuts: dict[str, float]) -> float | dict[str, float]:
    """Return the range cut (mm) where all regions have the same one, else one for each.

    The world around regions of their own is vacuum, whose cut nothing depends on.
    """
    own = {name: cut for name, cut in cuts.items() if name != WORLD} or cuts
    return own if len(set(own.values())) > 1 else next(iter(own.values()))
