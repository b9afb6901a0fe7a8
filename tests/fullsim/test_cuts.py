"""The production cut that Geant4 used, read from its table of cuts."""

import numpy as np
import pytest

from simulacra.conditions import Conditions
from simulacra.errors import SimulacraError
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool
from simulacra.fullsim.cuts import cut_fact, range_cuts
from tests.fullsim.conftest import stack

COUPLE = """
Index : {0}     used in the geometry : Yes
 Material : {1}
 Range cuts        :  gamma  {2}     e-  {2}     e+  {2}  proton {2}
 Energy thresholds :  gamma  990 eV     e-  990 eV     e+  990 eV  proton 30 keV
 Region(s) which use this couple :
    {3}
"""
END = "\n==================================================================\n"
WORLD = "DefaultRegionForTheWorld"


def table(*couples):
    """Return what Geant4 prints of (material, cut, region)."""
    parts = [COUPLE.format(number, *couple) for number, couple in enumerate(couples)]
    return "\n========= Table of registered couples =========\n" + "".join(parts) + END


def test_one_cut_for_all_matter():
    cuts = range_cuts(table(("G4_Galactic", "700 um", WORLD), ("G4_Pb", "700 um", WORLD)))
    assert cuts == {WORLD: 0.7}
    assert cut_fact(cuts) == 0.7


def test_regions_have_cuts_of_their_own():
    couples = ("G4_Galactic", "150 um", WORLD), ("G4_Pb", "1 mm", "a"), ("G4_W", "15 um", "b")
    assert cut_fact(range_cuts(table(*couples))) == {"a": 1.0, "b": 0.015}
    same = ("G4_Galactic", "150 um", WORLD), ("G4_Pb", "1 cm", "a"), ("G4_W", "1 cm", "b")
    assert cut_fact(range_cuts(table(*same))) == 10.0


def test_a_table_that_says_nothing_clear_is_refused():
    for text in ("", table(("G4_Pb", "1 mm", WORLD), ("G4_W", "2 mm", WORLD))):
        with pytest.raises(SimulacraError, match="not one range cut for each region"):
            range_cuts(text)


@pytest.mark.geant4
@pytest.mark.parametrize("asked", [None, 0.33])
def test_the_provenance_has_what_geant4_used(asked):
    conditions = Conditions({"energy": np.array([5.0], np.float32)})
    detector, settings = stack(), Geant4Settings(particle="e-", cut=asked)
    with WorkerPool(1) as pool:
        events = Geant4Simulator(detector, settings, executor=pool).simulate(conditions, 1)
        other = Geant4Settings(particle="e-", cut=2.0)
        with pytest.raises(SimulacraError, match="use fresh workers"):
            Geant4Simulator(detector, other, executor=pool).simulate(conditions, 1)
    assert events.provenance["cut_mm"] == (asked or 0.7)
    assert events.provenance["cut_from"] == ("settings" if asked else "default")
