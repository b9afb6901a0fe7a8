"""The uniform field of a TPC in Geant4: exact helices, and narrow ones that Geant4 can finish.

Geant4 shortens a step until its chord passes the helix at no more than ``DeltaChord``, in at most
74 trials. A helix that turns more than once in the step is twice its radius away from the chord,
whatever the length of the step, and each trial shortens the step by little more than the root of
the ratio of the two distances. A helix barely wider than ``DeltaChord`` uses up all trials. Geant4
then counts another path length than the particle flew, and ends the process (GeomNav0003). In a
strong field those are δ-electrons that fly far in the gas: at 3.5 T, transverse momenta of 130 keV.

The field manager here finds these steps beforehand and lets their chords, and no others, pass at
the whole width of the helix. The ends of the steps remain exact; all other steps remain as they
are.
"""

from __future__ import annotations

import math

from simulacra.fullsim.datasets import Geant4Object
from simulacra.helix import CURVATURE_PER_TESLA

SHORTEST_STEP = 0.01
"""mm, of the integration in the field."""
TRIALS = 68
"""Times that Geant4 shortens a step (``G4ChordFinderDelegate``) but for those below one turn."""
SHORTENED = 0.98
"""Factor of each beside the root of the distances."""
WIDER = 2.0
"""Widths of a helix from 1 to this many times ``DeltaChord`` can exhaust the trials: at 2 they
leave 10^-12 of the step, which is less than a turn."""
MOST_CHARGE = 2
"""Nuclei of higher charge do not fly a turn."""
ELECTRON = 11


class UniformField:
    """A field along z for Geant4. The bindings keep nothing alive: keep this object.

    Args:
        g4: ``geant4_pybind``.
        strength: the component along +z, T.
        longest_step: limit of the step (mm) in volumes that have user limits.

    Attributes:
        manager: the field manager.
    """

    def __init__(self, g4: Geant4Object, strength: float, longest_step: float) -> None:
        self._field = g4.G4UniformMagField(g4.G4ThreeVector(0, 0, strength * g4.tesla))
        self._equation = g4.G4Mag_UsualEqRhs(self._field)
        self._stepper = g4.G4ExactHelixStepper(self._equation)
        self._finder = g4.G4ChordFinder(self._field, SHORTEST_STEP, self._stepper)
        bending = CURVATURE_PER_TESLA * abs(strength)
        self.manager = _manager(g4, self._finder, bending, longest_step)
        self.manager.SetDetectorField(self._field)
        self.manager.SetChordFinder(self._finder)


def is_narrow(width: float, chord: float) -> bool:
    """Return whether a helix is as wide (mm) as can exhaust the trials for a chord's distance."""
    return chord < width < WIDER * chord


def exhausts_trials(width: float, turn: float, longest: float, chord: float) -> bool:
    """Return whether Geant4's trials can end before the chord of a step is near its helix.

    Args:
        width: of the helix, twice its radius, mm.
        turn: path length of a turn, mm.
        longest: bound on the step, mm.
        chord: allowed distance of chord and helix, mm.

    Example:
        >>> exhausts_trials(0.2502, turn=1.6, longest=15.0, chord=0.25)
        True
        >>> exhausts_trials(0.30, turn=1.6, longest=15.0, chord=0.25)
        False
    """
    if not is_narrow(width, chord):
        return False
    left: float = (SHORTENED * math.sqrt(chord / width)) ** TRIALS
    return longest * left > turn


def electron_path(energy: float) -> float:
    """Return a bound on the path (g/cm2) of electrons of a kinetic energy in MeV, above 10 keV.

    Twice the practical range, which is measured along the first direction; the path winds. Slower
    electrons fly no turn in a gas, and far above 3 MeV the formula, which falls short there, still
    exceeds any gas.

    References:
        L. Katz, A. S. Penfold (1952), Rev. Mod. Phys. 24, 28.
    """
    return float(2 * 0.412 * energy ** (1.265 - 0.0954 * math.log(energy)))


def _manager(
    g4: Geant4Object, finder: Geant4Object, bending: float, longest_step: float
) -> Geant4Object:
    """Return the field manager, for a bending of p_T / R in MeV/mm per elementary charge."""
    usual = finder.GetDeltaChord()
    widest = MOST_CHARGE * bending * WIDER * usual / 2  # transverse momentum, MeV

    def is_exhausted(track: Geant4Object, momentum: Geant4Object) -> bool:
        turning = bending * abs(track.GetDynamicParticle().GetCharge())
        if turning == 0:
            return False
        width, turn = 2 * momentum.perp() / turning, 2 * math.pi * momentum.mag() / turning
        if not is_narrow(width, usual):
            return False
        return exhausts_trials(width, turn, _longest_step(g4, track, longest_step), usual)

    class Manager(g4.G4FieldManager):  # type: ignore[misc]
        is_wide = False

        def ConfigureForTrack(self, track: Geant4Object) -> None:
            """Set the chord's distance for the next step of a track; Geant4 calls this."""
            momentum = track.GetMomentum()
            wide = momentum.perp() < widest and is_exhausted(track, momentum)
            if wide != self.is_wide:
                finder.SetDeltaChord(WIDER * usual if wide else usual)
                self.is_wide = wide

    return Manager()


def _longest_step(g4: Geant4Object, track: Geant4Object, limit: float) -> float:
    """Return a bound on the next step (mm): the volume's limit, and the path of an electron."""
    limited = track.GetVolume().GetLogicalVolume().GetUserLimits() is not None
    longest = limit if limited else math.inf
    if abs(track.GetDefinition().GetPDGEncoding()) == ELECTRON:
        density = track.GetMaterial().GetDensity() / (g4.g / g4.cm3)
        in_matter = electron_path(track.GetKineticEnergy()) / density * g4.cm
        longest = min(longest, in_matter)
    return longest
