"""What the cells of a section see of each step: the energy, or the light that is in time.

Geant4's own scorer adds up energies. Where the detector states Birks' factors or a time cut, a
sensitive detector in Python takes its place: it is called for each step in the section's cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from hepunits import c_light, mm, ns

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.fullsim.calorimeter.readout import SectionReadout
from simulacra.fullsim.calorimeter.world import CELL, PERIOD, ROW, SLAB
from simulacra.fullsim.datasets import Geant4Object

SCORE = "energy"
SPEED_OF_LIGHT: float = c_light / (mm / ns)
"""In mm/ns."""


@dataclass(frozen=True, slots=True)
class Light:
    """How a deposit becomes a signal.

    Attributes:
        birks: Birks' factor by material, mm/MeV; others show all that is deposited.
        time_cut: how many ns after light from the particle's start a deposit may come.
    """

    birks: Mapping[str, float]
    time_cut: float | None

    @property
    def is_energy(self) -> bool:
        """Whether the signal is the deposit itself."""
        return not self.birks and self.time_cut is None


def light_of(detector: Calorimeter, section: str) -> Light:
    """Return how deposits in a section become signals."""
    (found,) = (s for s in detector.readout_sections if s.name == section)
    assert found.readout is not None
    materials = {slab.material for slab in found.sensitive}
    birks = {name: factor for name, factor in detector.birks.items() if name in materials}
    return Light(birks, found.readout.time_cut)


def visible(deposit: float, length: float, charge: float, birks: float) -> float:
    """Return what a step shows of its energy deposit by Birks' law (MeV).

    dE / (1 + kB dE/dx) along the track of a charged particle. A neutral particle deposits only what
    the production cut keeps from becoming a track of its own: it counts in full.

    Args:
        deposit: energy, MeV.
        length: of the step, mm.
        charge: of the particle.
        birks: kB, mm/MeV.
    """
    if charge == 0 or length <= 0:
        return deposit
    return deposit / (1 + birks * deposit / length)


class Seen(NamedTuple):
    """What the cells of a section saw of an event.

    Attributes:
        cells: those with a signal, flat in (grid, copies).
        signals: of these, MeV.
        deposited: the energy left in all cells, seen or not, MeV.
    """

    cells: IntArray
    signals: FloatArray
    deposited: float


class CellSensor(Protocol):
    """Adds up what each cell of a section's whole layers sees in an event.

    Attributes:
        sensor: what Geant4 is given for the cells' volumes.
    """

    sensor: Geant4Object

    def seen(self, event: Geant4Object) -> Seen:
        """Return what the cells saw of an event that has ended."""


def cell_sensor(
    g4: Geant4Object, name: str, detector: Calorimeter, readout: SectionReadout
) -> CellSensor:
    """Return what sees the cells of a section, registered with Geant4 under a name."""
    # The first index is the row in a box and the sector in a tube, where the row is the ring.
    # Layers that add up need a third index that is always 0: the slab's.
    depths = (CELL, ROW) if detector.volume.kind == "tube" else (ROW, CELL)
    places = (*depths, PERIOD if readout.copies > 1 else SLAB)
    shape = (*readout.grid, readout.copies)
    light = light_of(detector, readout.name)
    if light.is_energy:
        return EnergySensor(g4, name, g4.G4PSEnergyDeposit3D(SCORE, *shape, *places))
    return LightSensor(g4, name, shape, places, light)


class EnergySensor:
    """Geant4's own scorer: no Python runs for a step."""

    def __init__(self, g4: Geant4Object, name: str, scorer: Geant4Object) -> None:
        self._manager = g4.G4SDManager.GetSDMpointer()
        self._scorer, self._collection = scorer, f"{name}/{SCORE}"
        self.sensor = g4.G4MultiFunctionalDetector(name)
        self._manager.AddNewDetector(self.sensor)
        self.sensor.RegisterPrimitive(scorer)

    def seen(self, event: Geant4Object) -> Seen:
        """Return the deposits of an event that has ended."""
        hits = event.GetHCofThisEvent().GetHC(self._manager.GetCollectionID(self._collection))
        table = np.array(list(hits), np.float64).reshape(-1, 2)
        return Seen(table[:, 0].astype(np.int64), table[:, 1], float(table[:, 1].sum()))


class LightSensor:
    """Birks' law and the time cut, step by step."""

    def __init__(
        self,
        g4: Geant4Object,
        name: str,
        shape: tuple[int, ...],
        places: tuple[int, ...],
        light: Light,
    ) -> None:
        self.sensor = _light_sensor(g4, name, shape, places, light)
        g4.G4SDManager.GetSDMpointer().AddNewDetector(self.sensor)

    def seen(self, event: Geant4Object) -> Seen:  # noqa: ARG002
        """Return the signals of an event that has ended."""
        signals: dict[int, float] = self.sensor.signals
        cells = np.array([*signals], np.int64)
        return Seen(cells, np.array([*signals.values()], np.float64), float(self.sensor.total))


def _light_sensor(
    g4: Geant4Object, name: str, shape: tuple[int, ...], places: tuple[int, ...], light: Light
) -> Geant4Object:
    last = math.inf if light.time_cut is None else light.time_cut
    (_, second, third), (i, j, k) = shape, places

    class Sensor(g4.G4VSensitiveDetector):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name)
            self.Initialize(None)

        def Initialize(self, _: Geant4Object) -> None:
            self.signals: dict[int, float] = {}
            self.total = 0.0

        def ProcessHits(self, step: Geant4Object, _: Geant4Object) -> bool:
            deposit = step.GetTotalEnergyDeposit()
            if deposit <= 0:
                return False
            self.total += deposit
            point = step.GetPreStepPoint()
            time = point.GetGlobalTime()
            if time > last and time - _flight(g4, point) > last:
                return False
            factor = light.birks.get(point.GetMaterial().GetName(), 0.0)
            signal = visible(deposit, step.GetStepLength(), point.GetCharge(), factor)
            touched = point.GetTouchable()
            row, column, copy = (touched.GetReplicaNumber(place) for place in (i, j, k))
            cell = (row * second + column) * third + copy
            self.signals[cell] = self.signals.get(cell, 0.0) + signal
            return True

    return Sensor()


def _flight(g4: Geant4Object, point: Geant4Object) -> float:
    """Return the time (ns) in which light flies from where the event begins to a point."""
    event = g4.G4EventManager.GetEventManager().GetConstCurrentEvent()
    start = event.GetPrimaryVertex(0).GetPosition()
    return float((point.GetPosition() - start).mag() / SPEED_OF_LIGHT)
