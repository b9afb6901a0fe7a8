"""A TPC as Geant4 volumes: thin cylinders, a drum of gas with a ring for each pad row, a field."""

from __future__ import annotations

import math
import re

from simulacra.detectors import TPC
from simulacra.errors import DetectorError
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.tpc.field import UniformField
from simulacra.helix import CURVATURE_PER_TESLA

LONGEST_STEP = 15.0
"""mm in a pad row at most."""
BENT = 200.0, 0.0211
"""MeV/c and mm: a step is straight, and at this transverse momentum misses the arc by this."""
LONGEST_TRACK = 8000.0
"""mm that a track is followed at least, see :func:`longest_track`."""


def longest_step(detector: TPC) -> float:
    """Return the limit of a step in a pad row, mm: straight ones follow a stronger field less far.

    Example:
        >>> from simulacra import load_detector
        >>> longest_step(load_detector("alice-tpc"))
        15.0
    """
    momentum, sagitta = BENT
    bending = CURVATURE_PER_TESLA * abs(detector.magnetic_field) / momentum
    return LONGEST_STEP if bending == 0 else min(LONGEST_STEP, math.sqrt(8 * sagitta / bending))


def longest_track(detector: TPC) -> float:
    """Return how far a track is followed, mm.

    A particle that curls has met every row that it can reach after half a turn: at most half the
    circle around the outermost radius, and twice the drift length along z. A row is read out at its
    first crossing, so that later turns change nothing.

    Example:
        >>> from simulacra import load_detector
        >>> longest_track(load_detector("alice-tpc"))
        8000.0
    """
    half_turn = math.pi / 2 * detector.gas.outer_radius
    return max(LONGEST_TRACK, math.hypot(half_turn, 2 * detector.drift_length))


def construction(g4: Geant4Object, detector: TPC) -> Geant4Object:
    """Return the detector construction, whose ``steps`` are those that left energy in a pad row.

    A step is (x, y, z, x, y, z, energy, time, track number) from its start to its end.
    """

    class PadRowSensor(g4.G4VSensitiveDetector):  # type: ignore[misc]
        def ProcessHits(self, step: Geant4Object, _: Geant4Object) -> bool:
            energy, track = step.GetTotalEnergyDeposit(), step.GetTrack()
            if energy > 0:
                start = step.GetPreStepPoint()
                a, b = start.GetPosition(), step.GetPostStepPoint().GetPosition()
                made = start.GetGlobalTime(), track.GetTrackID()
                steps.append((a.x, a.y, a.z, b.x, b.y, b.z, energy, *made))
            end(track)
            return True

    class InsideSensor(g4.G4VSensitiveDetector):  # type: ignore[misc]
        def ProcessHits(self, step: Geant4Object, _: Geant4Object) -> bool:
            end(step.GetTrack())
            return False

    def end(track: Geant4Object) -> None:
        if track.GetTrackLength() > longest:
            track.SetTrackStatus(g4.fStopAndKill)

    class Construction(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.steps = steps

        def Construct(self) -> Geant4Object:
            self.world = _World(g4, detector)
            return self.world.build()

        def ConstructSDandField(self) -> None:
            self.sensors = PadRowSensor("pad rows"), InsideSensor("inside")
            watched = self.world.rows, [self.world.inside]
            for sensor, volumes in zip(self.sensors, watched, strict=True):
                g4.G4SDManager.GetSDMpointer().AddNewDetector(sensor)
                for volume in volumes:
                    self.SetSensitiveDetector(volume, sensor)
            self.field = UniformField(g4, detector.magnetic_field, longest_step(detector))
            transport = g4.G4TransportationManager.GetTransportationManager()
            transport.SetFieldManager(self.field.manager)

    longest = longest_track(detector)
    steps: list[tuple[float, ...]] = []
    return Construction()


class _World:
    """Builds the volumes of one TPC and keeps them alive, which Geant4's bindings do not.

    Attributes:
        rows: the logical volumes of the pad rows, one for each group of equal rows.
        inside: that of the vacuum within the gas's inner wall.
    """

    def __init__(self, g4: Geant4Object, detector: TPC) -> None:
        self._g4 = g4
        self._detector = detector
        self._alive: list[Geant4Object] = []
        self.rows: list[Geant4Object] = []

    def build(self) -> Geant4Object:
        """Return the world's physical volume: all that lies within the gas's outer radius."""
        g4, gas = self._g4, self._detector.gas
        vacuum, mixture = self._nist("G4_Galactic"), self._gas()
        world = self._tube("world", 0, gas.outer_radius, vacuum)
        top = self._keep(g4.G4PVPlacement(None, g4.G4ThreeVector(), world, "world", None, False, 0))
        self.inside = self._tube("inside", 0, gas.inner_radius, vacuum, world)
        for c in self._detector.cylinders:
            material = self._nist(c.material)
            self._tube(c.name, c.radius, c.radius + c.thickness, material, self.inside)
        drum = self._tube("gas", gas.inner_radius, gas.outer_radius, mixture, world)
        for group in self._detector.pad_rows:
            inner, pitch = group.inner_radius, group.pitch
            rings = self._tube(group.name, inner, inner + group.rows * pitch, mixture, drum)
            row = self._tube(f"{group.name} row", inner, inner + pitch, mixture)
            name = row.GetName()
            self._keep(g4.G4PVReplica(name, row, rings, g4.kRho, group.rows, pitch, inner))
            self.rows.append(row)
        # Steps alone: what G4UserLimits do to the length of a track leaves its energy on the spot.
        limits = self._keep(g4.G4UserLimits(longest_step(self._detector)))
        for row in self.rows:
            row.SetUserLimits(limits)
        return top

    def _keep(self, thing: Geant4Object) -> Geant4Object:
        self._alive.append(thing)
        return thing

    def _tube(
        self,
        name: str,
        inner: float,
        outer: float,
        material: Geant4Object,
        mother: Geant4Object = None,
    ) -> Geant4Object:
        """Return a cylinder as long as the drift volume, placed in its mother where it has one."""
        g4 = self._g4
        half = self._detector.drift_length
        solid = self._keep(g4.G4Tubs(name, inner, outer, half, -math.pi, 2 * math.pi))
        volume = self._keep(g4.G4LogicalVolume(solid, material, name))
        if mother is not None:
            here = g4.G4ThreeVector()
            self._keep(g4.G4PVPlacement(None, here, volume, name, mother, False, 0))
        return volume

    def _gas(self) -> Geant4Object:
        """Return the drift gas, whose volume fractions are those of molecules."""
        g4, gas = self._g4, self._detector.gas
        weights: dict[str, float] = {}
        for formula, fraction in gas.fractions.items():
            for symbol, count in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
                mass = fraction * int(count or 1) * self._element(symbol).GetA()
                weights[symbol] = weights.get(symbol, 0.0) + mass
        mixture = g4.G4Material("drift gas", gas.density * g4.g / g4.cm3, len(weights))
        for symbol, weight in weights.items():
            mixture.AddElement(self._element(symbol), weight / sum(weights.values()))
        return self._keep(mixture)

    def _element(self, symbol: str) -> Geant4Object:
        return self._known(self._g4.G4NistManager.Instance().FindOrBuildElement(symbol), symbol)

    def _nist(self, name: str) -> Geant4Object:
        return self._known(self._g4.G4NistManager.Instance().FindOrBuildMaterial(name), name)

    def _known(self, found: Geant4Object, name: str) -> Geant4Object:
        if found is None:
            msg = f"{self._detector.name}: Geant4 knows no material {name!r} (G4_Si, Ne, CO2, …)"
            raise DetectorError(msg)
        return found
