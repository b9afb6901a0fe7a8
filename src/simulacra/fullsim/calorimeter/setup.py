"""Full simulation of calorimeters: the stack, one particle from its front, energies of cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import FEWEST_SQUARES, PolarSegmentation
from simulacra.detectors.calorimeter.stack import Section
from simulacra.errors import SimulacraError
from simulacra.fullsim.calorimeter.readers import section_readers
from simulacra.fullsim.calorimeter.readout import MOST_CELLS, section_readouts, window_starts
from simulacra.fullsim.calorimeter.sensors import cell_sensor
from simulacra.fullsim.calorimeter.world import World
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Primaries
from simulacra.particles import PDG


@dataclass(frozen=True, slots=True)
class CalorimeterSetup:
    """How a calorimeter is simulated. Costs are energies in MeV."""

    detector: Calorimeter
    chunk_cost: ClassVar[float] = 60_000.0

    def __post_init__(self) -> None:
        if not self.detector.has_matter:
            msg = f"{self.detector.name} is a read-out only: there is no matter to simulate"
            raise SimulacraError(msg)
        for section in self.detector.readout_sections:
            _require_fine(self.detector.name, section)
        _require_numbered(self.detector)

    @property
    def fingerprint(self) -> str:
        """The detector's."""
        return self.detector.fingerprint

    @property
    def cut(self) -> float:
        """The detector's (mm)."""
        return self.detector.cut

    @property
    def region_cuts(self) -> Mapping[str, float]:
        """None: the detector is one region."""
        return {}

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
        """Return the stack with a sensor for each section."""
        return _construction(g4, self.detector)

    def readout(self, g4: Geant4Object, construction: Geant4Object) -> Geant4Object:
        """Return what gives ``showers`` (n, cells)."""
        return _readout(g4, self.detector, construction)


def _require_fine(name: str, section: Section) -> None:
    """Raise a :class:`SimulacraError` where squares are too coarse for the cells they fill."""
    assert section.readout is not None
    cut = section.readout.segmentation
    if not isinstance(cut, PolarSegmentation) or cut.scored is None:
        return
    if (squares := cut.squares_per_cell) < FEWEST_SQUARES:
        fine = cut.scored / math.ceil(math.sqrt(FEWEST_SQUARES / squares))
        msg = (
            f"{name}: section {section.name}: the smallest cell has the area of {squares:.1f} "
            f"squares of scored: {cut.scored:g} mm; it needs {FEWEST_SQUARES} "
            f"(scored: {fine:g} mm)"
        )
        raise SimulacraError(msg)


def _require_numbered(detector: Calorimeter) -> None:
    """Raise a :class:`SimulacraError` where Geant4 cannot number all cells to be scored."""
    for readout in section_readouts(detector):
        if (cells := math.prod(readout.grid) * readout.copies) > MOST_CELLS:
            msg = (
                f"{detector.name}: section {readout.name} has {cells} cells to be scored, "
                f"Geant4 numbers {MOST_CELLS}: larger cells or a smaller volume"
            )
            raise SimulacraError(msg)


def _construction(g4: Geant4Object, detector: Calorimeter) -> Geant4Object:
    class Construction(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
        def Construct(self) -> Geant4Object:
            self.world = World(g4, detector)
            return self.world.build()

        def ConstructSDandField(self) -> None:
            self.sensors = [
                cell_sensor(g4, readout.name, detector, readout)
                for readout in section_readouts(detector)
            ]
            for section, sensor in zip(detector.readout_sections, self.sensors, strict=True):
                for cell in self.world.cells[section.name]:
                    self.SetSensitiveDetector(cell, sensor.sensor)

    return Construction()


def _readout(g4: Geant4Object, detector: Calorimeter, construction: Geant4Object) -> Geant4Object:
    readers = section_readers(detector)

    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def load(self, primaries: Primaries, seeds: IntArray) -> None:
            for reader in readers:
                reader.aim(primaries, seeds)
            self.showers = np.zeros((len(primaries), detector.n_cells), np.float32)
            self.response = {"showers": self.showers}

        def EndOfEventAction(self, event: Geant4Object) -> None:
            row = event.GetEventID()
            for reader, sensor in zip(readers, construction.sensors, strict=True):
                seen = sensor.seen(event)
                cells = reader.read(row, seen.cells, seen.signals)
                self.showers[row, reader.readout.cells] = cells

    return Readout()
