"""Geant4 with calorimeters that particles may be taken from; one per worker process.

The vacuum around the calorimeters is the surface that is watched: in it a particle makes one step,
from where it starts or leaves matter to where it enters matter or leaves the world. A sensitive
detector on the world's volume is therefore called once for each particle that enters a calorimeter
or escapes, and never inside of a shower; the volumes and the random numbers are those of full
simulation, to the last digit where nobody is taken away.

Each primary particle is an event of its own for Geant4, with its own random numbers: particles do
not meet each other, and so what happens to one cannot depend on whether another is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.geant4 import find_particle
from simulacra.fullsim.setup import Primaries
from simulacra.hybrid.ledger import EnergyLedger
from simulacra.hybrid.setup import Setup
from simulacra.hybrid.world import HybridWorld


@dataclass(frozen=True, slots=True)
class HybridSetup:
    """How a world with rules is built and read out in Geant4."""

    world: Setup

    @property
    def fingerprint(self) -> str:
        """That of the world and the rules."""
        return self.world.fingerprint

    @property
    def cut(self) -> float:
        """That of the vacuum around the calorimeters (mm)."""
        return self.world.cut

    @property
    def region_cuts(self) -> Mapping[str, float]:
        """Those of the calorimeters (mm), where they differ."""
        return self.world.region_cuts

    def physics(self, g4: Geant4Object) -> list[Geant4Object]:  # noqa: ARG002
        """Return nothing: a physics list is all that showers need."""
        return []

    def construction(self, g4: Geant4Object) -> Geant4Object:
        """Return the calorimeters in vacuum, with the ``book`` of what is seen in them."""
        return _construction(g4, self.world, EnergyLedger(self.world))

    def readout(self, g4: Geant4Object, construction: Geant4Object) -> Geant4Object:
        """Return what gives the arrays of :meth:`EnergyLedger.close`."""
        return _readout(g4, self.world, construction)


def available_energy(g4: Geant4Object, total: float, particle: Geant4Object) -> float:
    """Return the energy that a particle could release in matter, MeV.

    Its total energy, less the mass of the electron that stays where it ends (negative charge) or
    plus that of the electron that it takes from matter (positive), less the mass of a hydrogen atom
    for each baryon: the kinetic energy of an electron, a proton or a photon, that and twice the
    electron's mass for a positron, all but an electron's mass for a negative muon. Decay,
    annihilation and pair production leave the sum as it is.
    """
    hydrogen = g4.proton_mass_c2 + g4.electron_mass_c2
    charge, baryons = particle.GetPDGCharge(), particle.GetBaryonNumber()
    return float(total + charge * g4.electron_mass_c2 - baryons * hydrogen)


def _construction(g4: Geant4Object, setup: Setup, book: EnergyLedger) -> Geant4Object:
    class Construction(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.book = book

        def Construct(self) -> Geant4Object:
            self.hall = HybridWorld(g4, setup)
            return self.hall.build()

        def ConstructSDandField(self) -> None:
            self.surface = _surface(g4, book)
            self.hall.equip(self, self.surface)

    return Construction()


def _surface(g4: Geant4Object, book: EnergyLedger) -> Geant4Object:
    class Surface(g4.G4VSensitiveDetector):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("surface")

        def ProcessHits(self, step: Geant4Object, _: Geant4Object) -> bool:
            book.deposit(step.GetTotalEnergyDeposit())
            track, status = step.GetTrack(), step.GetPostStepPoint().GetStepStatus()
            if status == g4.fWorldBoundary:
                particle = track.GetDefinition()
                book.escape(available_energy(g4, track.GetTotalEnergy(), particle))
            elif status == g4.fGeomBoundary and self._is_taken(track):
                track.SetTrackStatus(g4.fStopAndKill)
            return True

        def _is_taken(self, track: Geant4Object) -> bool:
            particle, energy = track.GetDefinition(), track.GetKineticEnergy()
            pdg = particle.GetPDGEncoding()
            if not book.considers(pdg, energy):
                return False
            available = available_energy(g4, track.GetTotalEnergy(), particle)
            point, direction = _array(track.GetPosition()), _array(track.GetMomentumDirection())
            return book.take(pdg, energy, point, direction, available)

    return Surface()


def _array(vector: Geant4Object) -> FloatArray:
    return np.array([vector.x, vector.y, vector.z])


def _readout(g4: Geant4Object, setup: Setup, construction: Geant4Object) -> Geant4Object:
    book: EnergyLedger = construction.book

    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def load(self, primaries: Primaries, seeds: IntArray) -> None:  # noqa: ARG002
            self.primaries = primaries
            book.open(len(primaries))

        @property
        def response(self) -> dict[str, Array]:
            return book.close()

        def BeginOfEventAction(self, event: Geant4Object) -> None:
            i = event.GetEventID()
            pdg, kinetic = int(self.primaries.pdg[i]), float(self.primaries.energy[i])
            particle = find_particle(g4, pdg, setup.geant4.physics)
            book.bring(available_energy(g4, kinetic + particle.GetPDGMass(), particle))

        def EndOfEventAction(self, event: Geant4Object) -> None:
            hall: HybridWorld = construction.hall
            for number, region in enumerate(setup.regions):
                for readout in region.sections:
                    seen = hall.sensors[region.name, readout.name].seen(event)
                    if not seen.deposited:
                        continue
                    book.deposit(seen.deposited)
                    cells = readout.cells.start + readout.place(seen.cells)
                    book.hit(number, cells, seen.signals / readout.sampling_fraction)
            book.deposit(hall.elsewhere.seen(event).deposited)

    return Readout()
