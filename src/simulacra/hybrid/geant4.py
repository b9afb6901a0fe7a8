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

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.errors import SimulacraError
from simulacra.fullsim.datasets import Geant4Object, import_geant4
from simulacra.fullsim.geant4 import (
    Kernel,
    find_particle,
    geant4_version,
    physics_list,
    scores,
    set_seeds,
)
from simulacra.hybrid.book import Book, ChunkResult
from simulacra.hybrid.hall import ELSEWHERE, Hall, sensor_name
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.setup import Setup


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some primary particles to simulate; everything that the result depends on.

    Attributes:
        setup: the world and the rules.
        primaries: the particles.
        seeds: two positive integers below 2**31 for each of them (n, 2).
    """

    setup: Setup
    primaries: Primaries
    seeds: IntArray


_process_run: HybridRun | None = None


def run_chunk(chunk: Chunk) -> ChunkResult:
    """Simulate a chunk in this process; call it in a worker, never in a process that matters.

    Raises:
        MissingDependencyError: Geant4 or its data are missing.
        SimulacraError: this process already simulates something else.
    """
    global _process_run
    if _process_run is None:
        _process_run = HybridRun(chunk.setup)
    if _process_run.setup.fingerprint != chunk.setup.fingerprint:
        msg = "a process can simulate one set-up: use fresh workers"
        raise SimulacraError(msg)
    return _process_run.simulate(chunk)


class HybridRun:
    """The run manager of this process with its world, physics list and user actions."""

    def __init__(self, setup: Setup) -> None:
        g4 = import_geant4(setup.geant4.data_sets)
        self._g4 = g4
        self.setup = setup
        self._kernel = Kernel(g4)
        self._book = Book(setup)
        geometry = _construction(g4, setup, self._book)
        self._kernel.add(geometry, physics_list(g4, setup.geant4))
        self._gun = _gun(g4, setup, self._book)
        self._kernel.start(self._gun, _readout(g4, setup, self._book))

    def simulate(self, chunk: Chunk) -> ChunkResult:
        """Simulate the chunk; the result does not depend on what this process did before."""
        self._gun.load(chunk)
        self._book.open(len(chunk.primaries))
        self._kernel.run(len(chunk.primaries))
        return self._book.close(geant4_version(self._g4))


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


def _construction(g4: Geant4Object, setup: Setup, book: Book) -> Geant4Object:
    class Construction(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
        def Construct(self) -> Geant4Object:
            self.hall = Hall(g4, setup)
            return self.hall.build()

        def ConstructSDandField(self) -> None:
            self.surface = _surface(g4, book)
            self.hall.equip(self, self.surface)

    return Construction()


def _surface(g4: Geant4Object, book: Book) -> Geant4Object:
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


def _gun(g4: Geant4Object, setup: Setup, book: Book) -> Geant4Object:
    class Gun(g4.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.gun = g4.G4ParticleGun(1)

        def load(self, chunk: Chunk) -> None:
            self.chunk = chunk
            physics = setup.geant4.physics
            pdgs = np.unique(chunk.primaries.pdg).tolist()
            self.particles = {pdg: find_particle(g4, pdg, physics) for pdg in pdgs}

        def GeneratePrimaries(self, event: Geant4Object) -> None:
            i, primaries = event.GetEventID(), self.chunk.primaries
            first, second = self.chunk.seeds[i].tolist()
            set_seeds(g4, (first, second))
            particle, energy = self.particles[int(primaries.pdg[i])], float(primaries.energy[i])
            self.gun.SetParticleDefinition(particle)
            self.gun.SetParticleMomentumDirection(_vector(g4, primaries.direction[i]))
            self.gun.SetParticleEnergy(energy)
            self.gun.SetParticlePosition(_vector(g4, primaries.position[i]))
            self.gun.GeneratePrimaryVertex(event)
            book.bring(available_energy(g4, energy + particle.GetPDGMass(), particle))

    return Gun()


def _vector(g4: Geant4Object, values: FloatArray) -> Geant4Object:
    return g4.G4ThreeVector(*map(float, values))


def _readout(g4: Geant4Object, setup: Setup, book: Book) -> Geant4Object:
    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def EndOfEventAction(self, event: Geant4Object) -> None:
            for number, region in enumerate(setup.regions):
                for readout in region.sections:
                    index, energy = scores(g4, event, sensor_name(region, readout.name))
                    if not len(index):
                        continue
                    book.deposit(float(energy.sum()))
                    cells = readout.cells.start + readout.place(index)
                    book.hit(number, cells, energy / readout.sampling_fraction)
            book.deposit(float(scores(g4, event, ELSEWHERE)[1].sum()))

    return Readout()
