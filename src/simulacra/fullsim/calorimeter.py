"""Full simulation of calorimeters: the stack, one particle from its front, energies of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.errors import SimulacraError
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.readers import section_readers
from simulacra.fullsim.readout import SectionReadout, section_readouts, window_starts
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Primaries
from simulacra.fullsim.world import CELL, PERIOD, ROW, SLAB, World
from simulacra.particles import PDG

SCORE = "energy"


@dataclass(frozen=True, slots=True)
class CalorimeterSetup:
    """How a calorimeter is simulated. Costs are energies in MeV."""

    detector: Calorimeter
    chunk_cost: ClassVar[float] = 60_000.0

    def __post_init__(self) -> None:
        if not self.detector.has_matter:
            msg = f"{self.detector.name} is a read-out only: there is no matter to simulate"
            raise SimulacraError(msg)

    @property
    def fingerprint(self) -> str:
        """The detector's."""
        return self.detector.fingerprint

    @property
    def cut(self) -> None:
        """That of the physics list."""

    def costs(self, conditions: Conditions) -> FloatArray:
        """Return the energies: a shower takes as long as it is energetic."""
        return conditions["energy"].astype(np.float64)

    def primaries(
        self, conditions: Conditions, settings: Geant4Settings, stream: np.random.SeedSequence
    ) -> Primaries:
        """Return particles that start in the beam's plane.

        Raises:
            DetectorError: the conditions do not belong to the detector.
        """
        n, beam = len(conditions), self.detector.beam
        x, y = self.detector.enter(conditions.columns, np.random.default_rng(stream))
        window_starts(self.detector, x, y)  # raises here rather than in a worker
        direction = self.detector.directions(conditions.columns)
        front = np.column_stack([x, y, np.zeros(n)])
        position = front + beam.z * direction / direction[:, 2:]
        energy = conditions["energy"].astype(np.float64)
        pdg = np.full(n, settings.pdg) if settings.pdg else conditions[PDG].astype(np.int64)
        return Primaries(pdg, energy, direction, position)

    def physics(self, g4: Geant4Object) -> list[Geant4Object]:  # noqa: ARG002
        """Return nothing: a physics list is all that showers need."""
        return []

    def construction(self, g4: Geant4Object) -> Geant4Object:
        """Return the stack with a scorer for each section."""
        return _construction(g4, self.detector)

    def readout(self, g4: Geant4Object, construction: Geant4Object) -> Geant4Object:  # noqa: ARG002
        """Return what gives ``showers`` (n, cells)."""
        return _readout(g4, self.detector)


def _construction(g4: Geant4Object, detector: Calorimeter) -> Geant4Object:
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


def _readout(g4: Geant4Object, detector: Calorimeter) -> Geant4Object:
    readers = section_readers(detector)

    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def load(self, primaries: Primaries, seeds: IntArray) -> None:  # noqa: ARG002
            for reader in readers:
                reader.aim(primaries)
            self.showers = np.zeros((len(primaries), detector.n_cells), np.float32)
            self.response = {"showers": self.showers}

        def EndOfEventAction(self, event: Geant4Object) -> None:
            row = event.GetEventID()
            for reader in readers:
                cells, energies = scores(g4, event, reader.readout.name)
                self.showers[row, reader.readout.cells] = reader.read(row, cells, energies)

    return Readout()
