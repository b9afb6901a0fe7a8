"""One Geant4 per worker process: built once, then run chunk after chunk.

Geant4's run manager is a singleton that can neither be rebuilt for another detector nor torn down
safely through Python, so a process keeps the first one it makes and leaves by ``os._exit``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.util import Finalize

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.errors import SimulacraError
from simulacra.fullsim.datasets import Geant4Object, import_geant4
from simulacra.fullsim.readout import SectionReadout, section_readouts, window_starts
from simulacra.fullsim.settings import EM_PHYSICS, Geant4Settings, particle_name
from simulacra.fullsim.world import CELL, PERIOD, ROW, SLAB, World

_QUIET = (
    "/control/verbose 0",
    "/run/verbose 0",
    "/event/verbose 0",
    "/tracking/verbose 0",
    "/process/verbose 0",
    "/process/em/verbose 0",
    "/process/had/verbose 0",
)
SCORE = "energy"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some particles to simulate; everything that the result depends on.

    Attributes:
        detector: the calorimeter.
        settings: particle, physics list and cut.
        energy: kinetic energies (n,) in MeV.
        x, y: where the particles start (n,), mm; they fly along +z from the beam's plane.
        seeds: two positive integers below 2**31 for Geant4's random engine.
    """

    detector: Calorimeter
    settings: Geant4Settings
    energy: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    seeds: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What a worker sends back: showers (n, cells) in MeV, and Geant4's version."""

    showers: NDArray[np.float32]
    geant4: str


_process_run: Geant4Run | None = None


def run_chunk(chunk: Chunk) -> ChunkResult:
    """Simulate a chunk in this process; call it in a worker, never in a process that matters.

    Raises:
        MissingDependencyError: Geant4 or its data are missing.
        SimulacraError: this process already simulates something else.
    """
    global _process_run
    if _process_run is None:
        _process_run = Geant4Run(chunk.detector, chunk.settings)
    if not _process_run.serves(chunk):
        msg = "a process can simulate one detector with one physics list: use fresh workers"
        raise SimulacraError(msg)
    return _process_run.simulate(chunk)


class Geant4Run:
    """The run manager of this process with its detector, physics list and user actions."""

    def __init__(self, detector: Calorimeter, settings: Geant4Settings) -> None:
        g4 = import_geant4(settings.data_sets)
        self._g4 = g4
        self._detector = detector
        self._settings = settings
        self._kernel = Kernel(g4)
        self._kernel.add(_detector_construction(g4, detector), physics_list(g4, settings))
        self._gun = _gun(g4, settings, detector.beam.z)
        self._readout = _readout_action(g4, detector)
        self._kernel.start(self._gun, self._readout)

    def serves(self, chunk: Chunk) -> bool:
        """Return whether the chunk is of the detector and settings that this run was built for."""
        same_detector = chunk.detector.fingerprint == self._detector.fingerprint
        return same_detector and chunk.settings == self._settings

    def simulate(self, chunk: Chunk) -> ChunkResult:
        """Simulate the chunk; the result does not depend on what this process did before."""
        self._gun.load(chunk)
        self._readout.load(chunk)
        set_seeds(self._g4, chunk.seeds)
        self._kernel.run(len(chunk.energy))
        return ChunkResult(self._readout.showers, geant4_version(self._g4))


class Kernel:
    """The run manager of this process: made first, then given geometry, physics and actions.

    Args:
        g4: the module ``geant4_pybind``.
    """

    def __init__(self, g4: Geant4Object) -> None:
        # Geant4's destructors run in an order that crashes; -100: after everybody else's clean-up.
        Finalize(None, os._exit, args=(0,), exitpriority=-100)
        self._g4 = g4
        self._manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.SerialOnly)
        self._alive: list[Geant4Object] = []
        self._tell(_QUIET[:2])

    def add(self, *initialisations: Geant4Object) -> None:
        """Set a detector construction, a physics list or the user actions."""
        for initialisation in initialisations:
            # Referenced here for good: the bindings do not keep what Geant4 still points at.
            self._alive.append(initialisation)
            self._manager.SetUserInitialization(initialisation)

    def start(self, *actions: Geant4Object) -> None:
        """Get ready to run with these user actions; one of them makes the primary particles."""
        self.add(_actions(self._g4, *actions))
        self._tell(_QUIET)
        self._manager.Initialize()

    def _tell(self, commands: Iterable[str]) -> None:
        for command in commands:
            self._g4.G4UImanager.GetUIpointer().ApplyCommand(command)

    def run(self, n: int) -> None:
        """Simulate ``n`` events."""
        self._manager.BeamOn(n)


def set_seeds(g4: Geant4Object, seeds: tuple[int, int]) -> None:
    """Let Geant4's random numbers begin anew."""
    first, second = seeds
    g4.G4UImanager.GetUIpointer().ApplyCommand(f"/random/setSeeds {first} {second}")


def geant4_version(g4: Geant4Object) -> str:
    """Return ``11.4.1`` for Geant4's own ``$Name: geant4-11-04-patch-01 [MT]$``."""
    text = str(g4.G4Version)
    numbers = text.partition("geant4-")[2].split()[0].replace("patch-", "").split("-")
    return ".".join(str(int(number)) if number.isdigit() else number for number in numbers)


def _detector_construction(g4: Geant4Object, detector: Calorimeter) -> Geant4Object:
    class Construction(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
        def Construct(self) -> Geant4Object:
            self.world = World(g4, detector)
            return self.world.build()

        def ConstructSDandField(self) -> None:
            self.scorers = []
            polar = detector.volume.kind == "tube"
            for readout in section_readouts(detector):
                scorer = cell_scorer(g4, readout, polar=polar)
                sensor = sensor_of(g4, readout.name, scorer)
                self.scorers += [sensor, scorer]
                for cell in self.world.cells[readout.name]:
                    self.SetSensitiveDetector(cell, sensor)

    return Construction()


def cell_scorer(g4: Geant4Object, readout: SectionReadout, *, polar: bool) -> Geant4Object:
    """Return what scores the energy deposited in each cell of a section's whole layers."""
    # The first index is the row in a box and the sector in a tube, where the row is the ring.
    # Layers that add up need a third index that is always 0: the slab's.
    depths = (CELL, ROW) if polar else (ROW, CELL)
    third = PERIOD if readout.copies > 1 else SLAB
    return g4.G4PSEnergyDeposit3D(SCORE, *readout.grid, readout.copies, *depths, third)


def sensor_of(g4: Geant4Object, name: str, scorer: Geant4Object) -> Geant4Object:
    """Return a sensitive detector that holds one scorer."""
    sensor = g4.G4MultiFunctionalDetector(name)
    g4.G4SDManager.GetSDMpointer().AddNewDetector(sensor)
    sensor.RegisterPrimitive(scorer)
    return sensor


def scores(g4: Geant4Object, event: Geant4Object, name: str) -> tuple[IntArray, FloatArray]:
    """Return the cells that a sensor scored in an event, and the energies in them, MeV."""
    number = g4.G4SDManager.GetSDMpointer().GetCollectionID(f"{name}/{SCORE}")
    hits = event.GetHCofThisEvent().GetHC(number)
    table = np.array(list(hits), np.float64).reshape(-1, 2)
    return table[:, 0].astype(np.int64), table[:, 1]


def physics_list(g4: Geant4Object, settings: Geant4Settings) -> Geant4Object:
    """Return the physics list of the settings."""
    if settings.physics in EM_PHYSICS:
        constructors = [getattr(g4, EM_PHYSICS[settings.physics][0])()]
        if settings.decays:
            constructors.append(g4.G4DecayPhysics())

        class Electromagnetic(g4.G4VModularPhysicsList):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                for constructor in constructors:
                    self.RegisterPhysics(constructor)

        physics = Electromagnetic()
    else:
        physics = getattr(g4, settings.physics)()
    physics.SetVerboseLevel(0)
    physics.SetDefaultCutValue(settings.cut)
    return physics


def _gun(g4: Geant4Object, settings: Geant4Settings, z: float) -> Geant4Object:
    class Gun(g4.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.gun = g4.G4ParticleGun(1)
            self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(0, 0, 1))
            self.particle: Geant4Object = None

        def load(self, chunk: Chunk) -> None:
            self.chunk = chunk
            if self.particle is None:  # known to Geant4 only when the physics list has run
                self.particle = find_particle(g4, settings.pdg, settings.physics)
                self.gun.SetParticleDefinition(self.particle)

        def GeneratePrimaries(self, event: Geant4Object) -> None:
            i, chunk = event.GetEventID(), self.chunk
            self.gun.SetParticleEnergy(float(chunk.energy[i]))
            self.gun.SetParticlePosition(g4.G4ThreeVector(float(chunk.x[i]), float(chunk.y[i]), z))
            self.gun.GeneratePrimaryVertex(event)

    return Gun()


def find_particle(g4: Geant4Object, pdg: int, physics: str) -> Geant4Object:
    """Return Geant4's definition of a particle.

    Raises:
        SimulacraError: the physics list does not have it.
    """
    particle = g4.G4ParticleTable.GetParticleTable().FindParticle(pdg)
    if particle is None:
        msg = f"physics list {physics} has no particle {particle_name(pdg)!r}"
        raise SimulacraError(msg)
    return particle


def _readout_action(g4: Geant4Object, detector: Calorimeter) -> Geant4Object:
    readouts = section_readouts(detector)

    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def load(self, chunk: Chunk) -> None:
            self.starts = window_starts(detector, chunk.x, chunk.y)
            self.showers = np.zeros((len(chunk.energy), detector.n_cells), np.float32)

        def EndOfEventAction(self, event: Geant4Object) -> None:
            row = event.GetEventID()
            for number, readout in enumerate(readouts):
                cells, energies = scores(g4, event, readout.name)
                start = self.starts[row, number]
                self.showers[row, readout.cells] = readout.read(cells, energies, start)

    return Readout()


def _actions(g4: Geant4Object, *actions: Geant4Object) -> Geant4Object:
    class Actions(g4.G4VUserActionInitialization):  # type: ignore[misc]
        def Build(self) -> None:
            for action in actions:
                self.SetUserAction(action)

    return Actions()
